/**
 * A gateway that a test plays for the client, over a network in memory and fake time. Not part of the program.
 *
 * @module
 */
import { FakeClock, seededRandom, silentLog } from "../base/mod.ts";
import { type FramedConnection, FramedServer, type Framing, MemoryNetwork } from "../net/mod.ts";
import {
  decodeMessage,
  type Dialect,
  encodeMessage,
  encodeReport,
  type Message,
  PduDecoder,
} from "../protocol/cmpp/mod.ts";
import { SpClient, type SpHandlers, type SpOptions } from "./mod.ts";

const FRAMING: Framing = { decoder: () => new PduDecoder(), encode: (pdu) => pdu };
const ADDRESS = { host: "10.0.0.1", port: 7890 };

/** The gateway, and the clock and network around it. */
export class TestGateway implements AsyncDisposable {
  readonly clock = new FakeClock(Date.UTC(2026, 10, 23, 4, 0, 0));
  readonly network = new MemoryNetwork({ clock: this.clock, random: seededRandom(1) });
  /** Everything that came, in order. */
  readonly got: Message[] = [];
  /** When each connection came, on the clock. */
  readonly connectedAt: number[] = [];
  /** Status of CONNECT_RESP. */
  status = 0;
  /** AuthenticatorISMG. */
  proof: (source: Uint8Array) => Uint8Array = () => new Uint8Array(16);
  /** Whether connections are taken at all. */
  away = false;
  /** Answers ACTIVE_TEST and TERMINATE. */
  alive = true;
  /** Result of a SUBMIT; undefined: no answer. */
  result: (nth: number) => number | undefined = () => 0;
  #submits = 0;
  #msgId = 0n;
  #connection: FramedConnection | undefined;
  readonly #server: FramedServer;
  readonly #clients: SpClient[] = [];

  constructor(readonly dialect: Dialect = 3) {
    this.#server = new FramedServer(this.network.listen(ADDRESS), {
      framing: FRAMING,
      clock: this.clock,
      log: silentLog,
      limits: { idleMs: 0 },
      onConnection: (connection) => {
        this.connectedAt.push(this.clock.monotonic());
        if (this.away) connection.close();
        this.#connection = connection;
        return (frame) => this.#handle(connection, decodeMessage(frame.slice(), this.dialect));
      },
    });
  }

  /** A client of this gateway. */
  client(options: Partial<SpOptions> = {}, handlers: SpHandlers = {}): SpClient {
    const client = new SpClient(
      { clock: this.clock, log: silentLog, network: this.network },
      { server: ADDRESS, spId: "900001", secret: "888888", ...options },
      handlers,
    );
    this.#clients.push(client);
    return client;
  }

  all<Name extends Message["command"]>(name: Name): (Message & { command: Name })[] {
    return this.got.filter((one): one is Message & { command: Name } => one.command === name);
  }

  send(message: Message): void {
    this.#connection!.send(encodeMessage(message, this.dialect));
  }

  /** Octets as they are. */
  raw(octets: Uint8Array): void {
    this.#connection!.send(octets);
  }

  /** Reports on a message. */
  report(Msg_Id: bigint, Stat = "DELIVRD", sequence = 900): void {
    const report = {
      Msg_Id,
      Stat,
      Submit_time: "2611231200",
      Done_time: "2611231201",
      Dest_terminal_Id: "1",
      SMSC_sequence: 1,
    };
    this.deliver({ Registered_Delivery: 1, Msg_Content: encodeReport(report, this.dialect), sequence });
  }

  /** Delivers something. */
  deliver(changes: Partial<Message & { command: "DELIVER" }>): void {
    this.send({
      command: "DELIVER",
      sequence: 901,
      Msg_Id: 77n,
      Dest_Id: "10658888",
      Service_Id: "",
      TP_pid: 0,
      TP_udhi: 0,
      Msg_Fmt: 0,
      Src_terminal_Id: "13800138000",
      Src_terminal_type: 0,
      Registered_Delivery: 0,
      Msg_Content: new TextEncoder().encode("hello"),
      LinkID: "",
      ...changes,
    });
  }

  /** Cuts the connection. */
  cut(): void {
    this.#connection?.close();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await this.clock.advance(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.alive = true;
    const ending = Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
    for (let i = 0; i < 200; i++) await this.clock.advance(1_000);
    await ending;
    const stopping = this.#server.stop();
    await this.clock.advance(10_000);
    await stopping;
  }

  #handle(connection: FramedConnection, message: Message): void {
    this.got.push(message);
    const { sequence } = message,
      answer = (one: Message) => connection.send(encodeMessage(one, this.dialect));
    switch (message.command) {
      case "CONNECT":
        answer({
          command: "CONNECT_RESP",
          sequence,
          Status: this.status,
          AuthenticatorISMG: this.proof(message.AuthenticatorSource),
          Version: 0x30,
        });
        return;
      case "ACTIVE_TEST":
        if (this.alive) answer({ command: "ACTIVE_TEST_RESP", sequence, Reserved: 0 });
        return;
      case "TERMINATE":
        if (this.alive) answer({ command: "TERMINATE_RESP", sequence });
        return;
      case "SUBMIT": {
        const result = this.result(++this.#submits);
        if (result === undefined) return;
        const Msg_Id = result === 0 ? ++this.#msgId : 0n;
        answer({ command: "SUBMIT_RESP", sequence, Msg_Id, Result: result });
      }
    }
  }
}

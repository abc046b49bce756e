/**
 * Several gateways and a name server for tests: each with a database and an address of its own, in one network in
 * memory and on one fake clock. Not part of the program.
 *
 * @module
 */
import { assert } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../../base/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "../../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "../access.ts";
import { connectFramed, FramedServer, MemoryNetwork } from "../../../net/mod.ts";
import {
  authenticatorSource,
  connectTimestamp,
  decodeMessage,
  decodeReport,
  type Dialect,
  encodeMessage,
  type Fwd,
  type Message,
  type Submit,
} from "../../../protocol/cmpp/mod.ts";
import { type Database, openDatabase } from "../../../storage/mod.ts";
import {
  CMPP_FRAMING,
  type Gns,
  Simulator,
  type SimulatorBehaviour,
  type Sms,
  smsMigrations,
  type SmsSettings,
  type SmsTables,
  startGns,
  startSms,
} from "../mod.ts";
import { CODE, Provider, SECRET, SP, SUBMIT } from "../testing_stage.ts";

const TOKEN = "the-administrators";
/** The secret of every pair of gateways. */
export const PEER_SECRET = "between gateways";

/** What the API answered. */
export interface Answer {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- a test looks into whatever was answered
  readonly body: any;
}

/** One program: a gateway, a name server, or both. */
export class Node implements AsyncDisposable {
  sms: Sms | undefined;
  gns: Gns | undefined;
  simulator!: Simulator;
  readonly metrics = new Metrics();
  #api!: Api;

  constructor(
    private readonly stage: Gateways,
    readonly code: string,
    readonly host: string,
    private readonly db: Database<SmsTables>,
    private readonly dataDir: string,
    private readonly options: NodeOptions,
  ) {}

  /** Starts what it is over what is in its database. */
  async start(): Promise<void> {
    const { clock, network } = this.stage, { code, host, options } = this;
    const deps = {
      clock,
      random: seededRandom(Number(code)),
      log: silentLog,
      metrics: this.metrics,
      network,
    };
    this.#api = new Api(deps, {
      title: "Test",
      version: "1",
      authenticators: [tokenAuthenticator(TOKEN, { ...ADMIN, permissions: [...MAY_READ, ...MAY_WRITE] })],
      checkReplies: true,
    });
    const { sql } = this.db, { dataDir } = this;
    if (options.gateway !== false) {
      this.simulator = new Simulator(clock, seededRandom(3), options.behaviour ?? {});
      this.sms = await startSms(deps, { sql, dataDir, outlet: this.simulator }, {
        listen: { host, port: 7890 },
        short: { host, port: 7900 },
        peer: { host, port: 7930 },
        ...(options.gns ? {} : { gns: { host, port: 9168 } }),
        gatewayCode: code,
        ...options.settings,
      });
      this.#api.mount("", this.sms.routes);
    }
    if (options.gns) {
      this.gns = await startGns(
        deps,
        { sql: this.db.tables(), dataDir, besides: () => this.sms?.answering },
        {
          listen: { host, port: 9168 },
          gatewayCode: code,
          ...options.settings,
          takesUpdates: options.gnsTakesUpdates ?? true,
        },
      );
      this.#api.mount("", this.gns.routes);
    }
  }

  async stop(): Promise<void> {
    const stopping = Promise.all([this.gns?.[Symbol.asyncDispose](), this.sms?.[Symbol.asyncDispose]()]);
    await this.stage.clock.advance(5_000);
    await stopping;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.#api.request(path, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  }

  /** As `call`, and it must have gone well. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer["body"]> {
    const answer = await this.call(method, path, body);
    assert(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Makes another gateway known; without `reach` it connects here. */
  peer(other: Pick<Node, "code" | "host">, reach = true, changes: object = {}): Promise<unknown> {
    return this.ask("POST", "/api/v1/sms/peers", {
      code: other.code,
      secret: PEER_SECRET,
      ...(reach ? { address: `${other.host}:7930` } : {}),
      ...changes,
    });
  }

  route(kind: "mt" | "mo", first: string, target: string, last = first): Promise<{ id: string }> {
    return this.ask("POST", "/api/v1/sms/routes", { kind, first, last, target });
  }

  /** A provider that is let in. */
  async provider(changes: Record<string, unknown> = {}): Promise<Provider> {
    const account = {
      spId: SP,
      secret: SECRET,
      spCode: CODE,
      ratePerSecond: 100_000,
      window: 100,
      ...changes,
    };
    await this.ask("POST", "/api/v1/sms/accounts", account);
    return await this.connect(account.spId);
  }

  async connect(spId = SP): Promise<Provider> {
    const provider = new Provider(await this.stage.dial({ host: this.host, port: 7890 }), 3);
    const Timestamp = connectTimestamp(this.stage.clock.now(), 480);
    provider.send({
      command: "CONNECT",
      sequence: provider.next(),
      Source_Addr: spId,
      AuthenticatorSource: authenticatorSource(spId, SECRET, Timestamp),
      Version: 0x30,
      Timestamp,
    });
    await this.stage.settle();
    return provider;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.db[Symbol.asyncDispose]();
    await Deno.remove(this.dataDir, { recursive: true });
  }
}

/** What a node is. */
export interface NodeOptions {
  readonly settings?: Partial<SmsSettings>;
  readonly behaviour?: Partial<SimulatorBehaviour>;
  /** It is a name server too. */
  readonly gns?: boolean;
  /** false: as a name server it is a sub-node. */
  readonly gnsTakesUpdates?: boolean;
  /** false: it is no gateway. */
  readonly gateway?: boolean;
  /** The database; default: one in memory. */
  readonly database?: string;
}

/** The network with all of them. */
export class Gateways implements AsyncDisposable {
  readonly clock = new FakeClock(Date.UTC(2026, 10, 23, 3, 50, 11));
  readonly network = new MemoryNetwork({ clock: this.clock, random: seededRandom(1) });
  readonly #nodes: Node[] = [];

  async add(code: string, options: NodeOptions = {}): Promise<Node> {
    const db = await openDatabase<SmsTables>(options.database ?? "sqlite::memory:", smsMigrations);
    const host = `10.0.0.${this.#nodes.length + 1}`;
    const node = new Node(this, code, host, db, await Deno.makeTempDir(), options);
    await node.start();
    this.#nodes.push(node);
    return node;
  }

  /** Gateways of these codes that know each other. */
  async mesh(codes: readonly string[], options: NodeOptions = {}): Promise<Node[]> {
    const nodes: Node[] = [];
    for (const code of codes) nodes.push(await this.add(code, options));
    for (const one of nodes) for (const other of nodes) if (one !== other) await one.peer(other);
    await this.settle();
    return nodes;
  }

  dial(to: { host: string; port: number }) {
    const limits = { idleMs: 0 };
    return connectFramed(this.network, to, {
      framing: CMPP_FRAMING,
      clock: this.clock,
      log: silentLog,
      limits,
    });
  }

  /** Lets everything happen that needs no time, and what needs a few hops. */
  async settle(rounds = 6): Promise<void> {
    for (let i = 0; i < rounds; i++) for (let j = 0; j < 12; j++) await this.clock.advance(j === 6 ? 1 : 0);
  }

  /** Sends a SUBMIT and gives its answer. */
  async submit(
    provider: Provider,
    changes: Partial<Submit> = {},
  ): Promise<Message & { command: "SUBMIT_RESP" }> {
    const sequence = provider.next();
    provider.send({ ...SUBMIT, sequence, ...changes });
    await this.settle(2);
    const answer = provider.all("SUBMIT_RESP").find((one) => one.sequence === sequence);
    if (!answer) throw new Error("SUBMIT was not answered");
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node[Symbol.asyncDispose]();
  }
}

/** A gateway that the test plays: what it got, and what it answers. */
export class PlayedGateway {
  readonly got: Message[] = [];
  /** Answers FWDs by itself with this Result; undefined: not at all. */
  answers: number | undefined = 0;
  #sequence = 500;

  private constructor(
    private readonly stage: Gateways,
    readonly connection: Awaited<ReturnType<Gateways["dial"]>>,
    readonly dialect: Dialect,
  ) {
    connection.run((frame) => {
      const message = decodeMessage(frame.slice(), this.dialect);
      this.got.push(message);
      if (message.command !== "FWD" || this.answers === undefined) return;
      const { sequence, Msg_Id, Pk_total, Pk_number } = message;
      this.send({ command: "FWD_RESP", sequence, Msg_Id, Pk_total, Pk_number, Result: this.answers });
    });
  }

  /** Connects to a gateway as `code`. */
  static async connect(
    stage: Gateways,
    node: Node,
    code: string,
    { secret = PEER_SECRET, version = 0x30, port = 7930 } = {},
  ): Promise<PlayedGateway> {
    const played = new PlayedGateway(
      stage,
      await stage.dial({ host: node.host, port }),
      version >= 0x30 ? 3 : 2,
    );
    const Timestamp = connectTimestamp(stage.clock.now(), 480);
    played.send({
      command: "CONNECT",
      sequence: played.next(),
      Source_Addr: code,
      AuthenticatorSource: authenticatorSource(code, secret, Timestamp),
      Version: version,
      Timestamp,
    });
    await stage.settle();
    return played;
  }

  send(message: Message): void {
    this.connection.send(encodeMessage(message, this.dialect));
  }

  next(): number {
    return ++this.#sequence;
  }

  all<Name extends Message["command"]>(name: Name): (Message & { command: Name })[] {
    return this.got.filter((m): m is Message & { command: Name } => m.command === name);
  }

  /** Sends a FWD and gives its Result; undefined where it was not answered. */
  async forward(changes: Partial<Fwd>): Promise<number | undefined> {
    const sequence = this.next();
    this.send({ ...FWD, sequence, ...changes });
    await this.stage.settle();
    return this.all("FWD_RESP").find((one) => one.sequence === sequence)?.Result;
  }

  /** Stat of each report that came, by Msg_Id. */
  reports(): { id: bigint; stat: string }[] {
    return this.all("FWD").filter((fwd) => fwd.Msg_Fwd_Type >= 2).map((fwd) => {
      const { Msg_Id, Stat } = decodeReport(fwd.Msg_Content);
      return { id: Msg_Id, stat: Stat };
    });
  }
}

/** What others connect to, played: what it answers to each message that came, in the dialect of `speaks.dialect`. */
export function playServer(
  stage: Gateways,
  at: { host: string; port: number },
  answer: (message: Message) => Message | undefined,
  speaks: { dialect: Dialect } = { dialect: 3 },
): FramedServer {
  return new FramedServer(stage.network.listen(at), {
    framing: CMPP_FRAMING,
    clock: stage.clock,
    log: silentLog,
    limits: { idleMs: 0 },
    onConnection: (connection) => (frame) => {
      const reply = answer(decodeMessage(frame.slice(), speaks.dialect));
      if (reply) connection.send(encodeMessage(reply, speaks.dialect));
    },
  });
}

/** The answer to CONNECT of one that lets everybody in, and proves nothing. */
export const letIn = (sequence: number, Version: 0x20 | 0x30): Message => ({
  command: "CONNECT_RESP",
  sequence,
  Status: 0,
  AuthenticatorISMG: new Uint8Array(16),
  Version,
});

/** A FWD of a message to a phone that nothing is wrong with, from gateway 002001 to 001001. */
export const FWD: Fwd = {
  command: "FWD",
  sequence: 1,
  Source_Id: "002001",
  Destination_Id: "001001",
  NodesCount: 1,
  Msg_Fwd_Type: 0,
  Msg_Id: 0xbb0f22c007d10001n,
  Pk_total: 1,
  Pk_number: 1,
  Registered_Delivery: 1,
  Msg_level: 0,
  Service_Id: "TEST",
  Fee_UserType: 2,
  Fee_terminal_Id: "",
  Fee_terminal_Pseudo: "",
  Fee_terminal_UserType: 0,
  TP_pid: 0,
  TP_udhi: 0,
  Msg_Fmt: 0,
  Msg_src: "900009",
  FeeType: "01",
  FeeCode: "0",
  Valid_Time: "",
  At_Time: "",
  Src_Id: "10669999",
  Src_Pseudo: "",
  Src_UserType: 0,
  Src_type: 0,
  Dest_Id: ["13800138000"],
  Dest_Pseudo: "",
  Dest_UserType: 0,
  Msg_Content: new TextEncoder().encode("hello"),
  LinkID: "",
};

/**
 * A stage for this service's tests: the service over a network in memory, fake time and a real database, its API, and
 * providers that the test plays. Not part of the program.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "./access.ts";
import { connectFramed, type FramedConnection, MemoryNetwork } from "../../net/mod.ts";
import {
  authenticatorSource,
  connectTimestamp,
  decodeMessage,
  decodeReport,
  type Dialect,
  encodeMessage,
  type Message,
  type Submit,
} from "../../protocol/cmpp/mod.ts";
import { type Database } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import {
  CMPP_FRAMING,
  type Outlet,
  Simulator,
  type SimulatorBehaviour,
  type Sms,
  smsMigrations,
  type SmsSettings,
  type SmsTables,
  startSms,
} from "./mod.ts";

export const SP = "900001", SECRET = "888888", CODE = "10658888";
export const LONG = { host: "10.0.0.1", port: 7890 }, SHORT = { host: "10.0.0.1", port: 7900 };
const TOKEN = "the-administrators";

/** A SUBMIT that nothing is wrong with. */
export const SUBMIT: Submit = {
  command: "SUBMIT",
  sequence: 1,
  Msg_Id: 0n,
  Pk_total: 1,
  Pk_number: 1,
  Registered_Delivery: 1,
  Msg_level: 0,
  Service_Id: "TEST",
  Fee_UserType: 2,
  Fee_terminal_Id: "",
  Fee_terminal_type: 0,
  TP_pId: 0,
  TP_udhi: 0,
  Msg_Fmt: 0,
  Msg_src: SP,
  FeeType: "01",
  FeeCode: "0",
  ValId_Time: "",
  At_Time: "",
  Src_Id: CODE,
  Dest_terminal_Id: ["13800138000"],
  Dest_terminal_type: 0,
  Msg_Content: new TextEncoder().encode("hello"),
  LinkID: "",
};

/** A provider's end of a connection, played by the test. */
export class Provider {
  readonly got: Message[] = [];
  #sequence = 100;
  /** Answers DELIVERs by itself with this Result; undefined: not at all. */
  answers: number | undefined = 0;
  /** Answers ACTIVE_TEST by itself. */
  alive = true;

  constructor(readonly connection: FramedConnection, public dialect: Dialect) {
    connection.run((frame) => {
      const message = decodeMessage(frame.slice(), this.dialect);
      this.got.push(message);
      if (message.command === "ACTIVE_TEST" && this.alive) {
        this.send({ command: "ACTIVE_TEST_RESP", sequence: message.sequence, Reserved: 0 });
      }
      if (message.command === "DELIVER" && this.answers !== undefined) {
        const { sequence, Msg_Id } = message;
        this.send({ command: "DELIVER_RESP", sequence, Msg_Id, Result: this.answers });
      }
    });
  }

  send(message: Message): void {
    this.connection.send(encodeMessage(message, this.dialect));
  }

  next(): number {
    return ++this.#sequence;
  }

  /** The last message of a kind. */
  last<Name extends Message["command"]>(name: Name): Message & { command: Name } {
    const found = this.all(name).at(-1);
    if (!found) throw new Error(`no ${name} among ${this.got.map((m) => m.command).join(" ") || "nothing"}`);
    return found;
  }

  all<Name extends Message["command"]>(name: Name): (Message & { command: Name })[] {
    return this.got.filter((m): m is Message & { command: Name } => m.command === name);
  }

  /** Stat of each report, by Msg_Id. */
  reports(): { id: bigint; stat: string }[] {
    return this.all("DELIVER").filter((d) => d.Registered_Delivery === 1).map((d) =>
      decodeReport(d.Msg_Content)
    )
      .map(({ Msg_Id, Stat }) => ({ id: Msg_Id, stat: Stat }));
  }
}

/** The service and its surroundings. */
export class Stage implements AsyncDisposable {
  readonly network: MemoryNetwork;
  sms!: Sms;
  api!: Api;
  simulator!: Simulator;

  private constructor(
    readonly clock: FakeClock,
    readonly db: Database<SmsTables>,
    readonly dataDir: string,
    readonly settings: Partial<SmsSettings>,
    readonly metrics = new Metrics(),
  ) {
    this.network = new MemoryNetwork({ clock, random: seededRandom(1) });
  }

  static async open(
    options: { settings?: Partial<SmsSettings>; behaviour?: Partial<SimulatorBehaviour>; account?: object } =
      {},
  ): Promise<Stage> {
    const clock = new FakeClock(Date.UTC(2026, 10, 22, 3, 50, 11));
    const db = await testDatabase<SmsTables>(smsMigrations);
    const stage = new Stage(clock, db, await Deno.makeTempDir(), options.settings ?? {});
    await stage.start(options.behaviour);
    assertEquals((await stage.account(options.account ?? {})).status, 201);
    return stage;
  }

  /** Starts the service over what is in the database; before a centre of the test's own, where it has one. */
  async start(behaviour: Partial<SimulatorBehaviour> = {}, outlet?: Outlet): Promise<void> {
    const deps = {
      clock: this.clock,
      random: seededRandom(7),
      log: silentLog,
      metrics: this.metrics,
      network: this.network,
    };
    this.simulator = new Simulator(this.clock, seededRandom(3), behaviour);
    this.sms = await startSms(
      deps,
      { sql: this.db.sql, dataDir: this.dataDir, outlet: outlet ?? this.simulator },
      { listen: LONG, short: SHORT, gatewayCode: "001001", ...this.settings },
    );
    this.api = new Api(deps, {
      title: "Test",
      version: "1",
      authenticators: [tokenAuthenticator(TOKEN, { ...ADMIN, permissions: [...MAY_READ, ...MAY_WRITE] })],
      checkReplies: true,
    });
    this.api.mount("", this.sms.routes);
  }

  async stop(): Promise<void> {
    const stopping = this.sms[Symbol.asyncDispose]();
    await this.clock.advance(5_000);
    await stopping;
  }

  account(changes: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const body = { spId: SP, secret: SECRET, spCode: CODE, ...changes };
    return this.call("POST", "/api/v1/sms/accounts", body);
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await this.api.request(path, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  }

  /** Connects without saying who it is. */
  async dial(to = LONG, dialect: Dialect = 3): Promise<Provider> {
    const connection = await connectFramed(this.network, to, {
      framing: CMPP_FRAMING,
      clock: this.clock,
      log: silentLog,
      limits: { idleMs: 0 },
    });
    return new Provider(connection, dialect);
  }

  /** Connects as a provider; `Version`, secret and so on as the test wants them. */
  async connect(
    options: { version?: number; secret?: string; spId?: string; to?: typeof LONG } = {},
  ): Promise<Provider> {
    const { version = 0x30, secret = SECRET, spId = SP, to = LONG } = options;
    const provider = await this.dial(to, version >= 0x30 ? 3 : 2);
    const Timestamp = connectTimestamp(this.clock.now(), 480);
    provider.send({
      command: "CONNECT",
      sequence: provider.next(),
      Source_Addr: spId,
      AuthenticatorSource: authenticatorSource(spId, secret, Timestamp),
      Version: version,
      Timestamp,
    });
    await this.settle();
    return provider;
  }

  /** Sends a SUBMIT and gives its answer. */
  async submit(
    provider: Provider,
    changes: Partial<Submit> = {},
  ): Promise<Message & { command: "SUBMIT_RESP" }> {
    const sequence = provider.next();
    provider.send({ ...SUBMIT, sequence, ...changes });
    await this.settle();
    const answer = provider.all("SUBMIT_RESP").find((one) => one.sequence === (changes.sequence ?? sequence));
    if (!answer) throw new Error("SUBMIT was not answered");
    return answer;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 12; i++) await this.clock.advance(i === 6 ? 1 : 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.db[Symbol.asyncDispose]();
    await Deno.remove(this.dataDir, { recursive: true });
  }
}

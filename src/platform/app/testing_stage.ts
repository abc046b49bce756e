/**
 * A stage for this service's tests: its API over a real database, presence and commander, and a gateway that the
 * test plays. Not part of the program.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "../../control/mod.ts";
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import { type Database } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { Commander, CommandError } from "../commands/mod.ts";
import { problem } from "../../control/mod.ts";
import { fleetMigrations } from "../fleet/mod.ts";
import { PushedMessages, pushMigrations } from "../push/mod.ts";
import {
  CommandStore,
  GatewayStore,
  PresenceTable,
  registryMigrations,
  type RegistryTables,
} from "../registry/mod.ts";
import type { ChannelOutcome, PlatformEvents, PlatformRequests, TriggerOutcome } from "../subjects.ts";
import { type App, appMigrations, type AppSettings, startApp } from "./mod.ts";

export const MAC = "64D954000001", OTHER = "64D954000002";
export const SN = "64D954-S1", LOID = "LOID1";
export const RND = "0123456789ABCDEF0123456789ABCDEF", NEXT = "FEDCBA9876543210FEDCBA9876543210";
const OPERATOR = {
  ...ADMIN,
  permissions: ["admin", "gateways:read", "gateways:write", "app_users:read", "app_users:write"],
};
export const PASSWORD = "correct horse battery";

export interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any -- what an answer holds is what each test checks
  body: any;
  headers: Headers;
}

/** The app's API over a real database, presence and commander; only the gateway itself is played by the test. */
export class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly deps: Deps = {
    clock: this.clock,
    random: seededRandom(1),
    log: silentLog,
    metrics: new Metrics(),
  };
  readonly bus = new LocalBus<PlatformEvents, PlatformRequests>(this.clock, silentLog);
  readonly gateways: GatewayStore;
  readonly presence: PresenceTable;
  triggerOutcome: TriggerOutcome = "accepted";
  /** Told before each trigger is answered. */
  triggered: () => void = () => {};
  answer: () => Promise<ChannelOutcome> | ChannelOutcome = () => ({
    kind: "reply",
    reply: { result: 0, parameter: { CmdType: "X", SequenceId: "1", Status: "0", Percent: "7" } },
  });
  commander!: Commander;
  messages!: PushedMessages;
  app!: App;
  api!: Api;

  private constructor(readonly db: Database<RegistryTables>) {
    this.gateways = new GatewayStore(db.sql, this.clock);
    this.presence = new PresenceTable(this.deps, this.gateways, { heartbeatSeconds: 60, onChange: () => {} });
    this.bus.respond("access.trigger", () => {
      this.triggered();
      return Promise.resolve(this.triggerOutcome);
    });
    this.bus.respond("channel.exchange", () => Promise.resolve(this.answer()));
  }

  static async open(settings: Partial<AppSettings> = {}): Promise<Stage> {
    const migrations = { ...registryMigrations, ...appMigrations, ...pushMigrations, ...fleetMigrations };
    const stage = new Stage(await testDatabase<RegistryTables>(migrations));
    stage.commander = await Commander.start(stage.deps, {
      store: new CommandStore(stage.db.sql),
      bus: stage.bus,
      packageOf: () => Promise.resolve(undefined),
    });
    const { deps, gateways, presence, commander } = stage;
    const messages = stage.messages = new PushedMessages({ ...deps, bus: stage.bus }, stage.db.tables());
    const visible = (_: unknown, mac: string) => gateways.find(mac);
    const parts = { sql: stage.db.sql, commander, messages, visible };
    stage.app = startApp({ ...deps, gateways, presence, bus: stage.bus }, parts, {
      scrypt: { n: 16, r: 1, p: 1 },
      signInsPerMinute: 1000,
      ...settings,
    });
    stage.api = new Api(deps, {
      title: "Test",
      version: "1",
      authenticators: [tokenAuthenticator("the-administrators", OPERATOR), stage.app.authenticator],
      checkReplies: true,
      mapError: (error) =>
        error instanceof CommandError ? problem(429, error.code, error.message) : undefined,
    });
    stage.api.mount("", stage.app.routes);
    await gateways.preset([
      { mac: MAC, sn: SN, loid: LOID, vendor: "Maker" },
      { mac: OTHER, sn: "64D954-S2", loid: "LOID2" },
    ]);
    stage.register(MAC, SN, LOID);
    return stage;
  }

  /** The gateway has registered at access. */
  register(mac: string, sn: string, loid: string, devRnd = RND, previousDevRnd?: string): void {
    this.presence.register({ mac, sn, loid, hostname: "100.64.0.9", port: 9, devRnd, previousDevRnd });
  }

  async call(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    address = "10.0.0.1",
  ): Promise<Answer> {
    return await this.#call(method, `/app/v1${path}`, token, body, address);
  }

  /** Calls the operators' API. */
  operator(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#call(method, path, "the-administrators", body, "10.0.0.1");
  }

  async #call(
    method: string,
    path: string,
    token: string | undefined,
    body: unknown,
    address: string,
  ): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await this.api.request(path, init, { address });
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  }

  signIn(name: string, password = PASSWORD, address?: string): Promise<Answer> {
    return this.call("POST", "/sessions", undefined, { name, password }, address);
  }

  /** Signs up and in; the token. */
  async user(name: string): Promise<string> {
    assertEquals((await this.call("POST", "/users", undefined, { name, password: PASSWORD })).status, 201);
    return (await this.signIn(name)).body.token;
  }

  bind(token: string, sn = bindingSn(RND, SN), loid = LOID): Promise<Answer> {
    return this.call("POST", "/bindings", token, { sn, loid });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    this.messages[Symbol.dispose]();
    const stopping = this.commander[Symbol.asyncDispose]();
    await this.clock.advance(10_000);
    await stopping;
    await this.presence[Symbol.asyncDispose]();
    await this.db[Symbol.asyncDispose]();
    assertEquals(this.clock.pendingTimers, 0);
  }
}

/**
 * What tests of rollouts play with.
 *
 * @module
 */
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { type Database } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { Commander } from "../commands/mod.ts";
import { Fleet, fleetMigrations } from "../fleet/mod.ts";
import { CommandStore, GatewayStore, registryMigrations } from "../registry/mod.ts";
import type {
  ChannelOutcome,
  ChannelRequest,
  PlatformEvents,
  PlatformRequests,
  TriggerOutcome,
} from "../subjects.ts";
import { type NewRollout, rolloutMigrations, Rollouts, RolloutStore, type RolloutTables } from "./mod.ts";

export const macOf = (n: number) => `64D954${n.toString(16).toUpperCase().padStart(6, "0")}`;
export const ok: ChannelOutcome = { kind: "reply", reply: { result: 0, parameter: { Status: "0" } } };
export const refused: ChannelOutcome = { kind: "reply", reply: { result: -17 } };

export const WANTED: NewRollout = {
  name: "try",
  description: "",
  kind: "post",
  plugin: "p",
  version: "",
  parameter: { CmdType: "X" },
  filter: undefined,
  group: undefined,
  scope: undefined,
  stages: [{ name: "all", percent: 100, successThreshold: 90, errorThreshold: 10 }],
  maxInFlight: 10,
  perMinute: 100_000,
  commandTimeoutMs: 60_000,
  maxAttempts: 1,
  window: undefined,
  needsApproval: false,
  startAt: undefined,
  actor: "operator:maker",
};

/** Rollouts over a real commander and database; only the gateways are played by the test. */
export class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly deps: Deps = {
    clock: this.clock,
    random: seededRandom(1),
    log: silentLog,
    metrics: new Metrics(),
  };
  readonly asked: { mac: string; message: ChannelRequest }[] = [];
  readonly moved: { mac: string; to: string }[] = [];
  moving: (mac: string) => TriggerOutcome = () => "accepted";
  personOf: (actor: string) => Promise<string> = (actor) => Promise.resolve(actor);
  /** What rollouts ask of commands, for tests that let some of it fail. */
  readonly commands: { create: Commander["create"]; find: Commander["find"]; cancel: Commander["cancel"] } = {
    create: (request) => this.commander.create(request),
    find: (id) => this.commander.find(id),
    cancel: (id) => this.commander.cancel(id),
  };
  underWay = 0;
  most = 0;
  answer: (mac: string, message: ChannelRequest) => Promise<ChannelOutcome> | ChannelOutcome = () => ok;
  bus!: LocalBus<PlatformEvents, PlatformRequests>;
  store!: RolloutStore;
  commander!: Commander;
  fleet!: Fleet;
  rollouts!: Rollouts;

  private constructor(readonly db: Database<RolloutTables>, readonly count: number) {}

  static async open(count = 20): Promise<Stage> {
    const migrations = { ...registryMigrations, ...fleetMigrations, ...rolloutMigrations };
    const stage = new Stage(await testDatabase<RolloutTables>(migrations), count);
    await new GatewayStore(stage.db.sql, stage.clock).preset(
      Array.from(
        { length: count },
        (_, n) => ({ mac: macOf(n), sn: `64D954-${n}`, loid: `L${n}`, region: n % 2 ? "a" : "b" }),
      ),
    );
    await stage.start();
    return stage;
  }

  /** Starts a process over the database, with a channel to every gateway. */
  async start(): Promise<void> {
    this.bus = new LocalBus<PlatformEvents, PlatformRequests>(this.clock, silentLog);
    this.bus.respond("access.trigger", ({ mac, trigger }) => {
      if (trigger.kind === "redistribute") {
        this.moved.push({ mac, to: `${trigger.mode} ${trigger.host}:${trigger.port}` });
      }
      return Promise.resolve(trigger.kind === "redistribute" ? this.moving(mac) : "accepted");
    });
    this.bus.respond("channel.exchange", async ({ mac, message }) => {
      this.asked.push({ mac, message });
      this.most = Math.max(this.most, ++this.underWay);
      try {
        return await this.answer(mac, message);
      } finally {
        this.underWay--;
      }
    });
    const commands = new CommandStore(this.db.sql);
    this.commander = await Commander.start(this.deps, {
      store: commands,
      bus: this.bus,
      packageOf: () => Promise.resolve({ url: "http://p/x", size: 1, sha256: "ab" }),
    });
    for (let n = 0; n < this.count; n++) this.bus.publish("channel.opened", { mac: macOf(n) });
    this.fleet = new Fleet({
      ...this.deps,
      bus: this.bus,
      gateways: new GatewayStore(this.db.sql, this.clock),
      commands,
      sql: this.db.sql,
    });
    this.store = new RolloutStore(this.db.sql, this.clock);
    this.rollouts = await Rollouts.start({
      deps: this.deps,
      store: this.store,
      fleet: this.fleet,
      commander: this.commands,
      bus: this.bus,
      personOf: (actor) => this.personOf(actor),
    });
  }

  async stop(): Promise<void> {
    await this.rollouts[Symbol.asyncDispose]();
    // A commander that stops gives what is under way a while.
    const stopped = this.commander[Symbol.asyncDispose]();
    await this.clock.advance(10_000);
    await stopped;
    await this.fleet[Symbol.asyncDispose]();
  }

  /** Lets time pass, a bit at a time, until the rollout is in one of these states. */
  async until(id: string, ...statuses: string[]) {
    for (let i = 0; i < 400; i++) {
      const row = await this.store.find(id);
      if (row && statuses.includes(row.status)) {
        await this.settled();
        return row;
      }
      await this.clock.advance(500);
      await this.settled();
    }
    throw new Error(`never ${statuses.join("/")}: ${JSON.stringify(await this.store.find(id))}`);
  }

  /** Real work (the database) goes on between fake moments. */
  async settled(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  async total(id: string) {
    const sum = { waiting: 0, issued: 0, succeeded: 0, failed: 0, skipped: 0 };
    for (const counts of (await this.store.counts(id)).values()) {
      for (const [status, n] of Object.entries(counts)) sum[status as keyof typeof sum] += n;
    }
    return sum;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.db[Symbol.asyncDispose]();
  }
}

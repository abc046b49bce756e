/**
 * Webhooks over a database, with a clock and receivers of the test's own hand. For tests.
 *
 * @module
 */
import { FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import type { Database } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { Seal } from "../credentials/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import { platformMigrations } from "../migrations.ts";
import { Outbox, type OutboxTables } from "../outbox/mod.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { DeliveryStore } from "./deliveries.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type Hook, Hooks } from "./hooks.ts";
import { Intake, type IntakeParts } from "./intake.ts";
import type { DeliveryRow, DisabledReason, WebhookTables } from "./schema.ts";
import type { Attempt } from "./sender.ts";
import { WebhookStore } from "./store.ts";

/** What a receiver says to one delivery. */
export type Answer = (row: DeliveryRow, hook: Hook, signal: AbortSignal) => Attempt | Promise<Attempt>;

/** Everything but HTTP. */
export class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly metrics = new Metrics();
  readonly random = seededRandom(7);
  readonly log = silentLog;
  readonly bus = new LocalBus<PlatformEvents, PlatformRequests>(this.clock, silentLog);
  readonly outbox = new Outbox(this.clock);
  readonly store: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly disabled: (readonly [id: string, reason: DisabledReason])[] = [];
  /** When (since the stage was made) what was tried. */
  readonly tried: (readonly [ms: number, event: string])[] = [];
  answer: Answer = () => ({ status: 200, ms: 1 });

  private constructor(readonly db: Database<WebhookTables & OutboxTables>) {
    this.store = new WebhookStore(db.sql, this, new Seal(new Uint8Array(32), this.random));
    this.deliveries = new DeliveryStore(db.sql, this.outbox);
  }

  static async open(): Promise<Stage> {
    return new Stage(await testDatabase(platformMigrations));
  }

  /** A webhook for everything, or what is said. */
  async hook(more: Partial<Parameters<WebhookStore["create"]>[0]> = {}): Promise<string> {
    const input = {
      url: "https://hooks.example/",
      description: "",
      events: ["gateway.online"],
      groups: null,
      enabled: true,
      ...more,
    };
    return (await this.store.create(input, "admin"))!.row.id;
  }

  /** Puts events `e1`, `e2` … into a webhook's queue. */
  async queue(webhookId: string, count = 1, from = 1): Promise<void> {
    const wanted = Array.from({ length: count }, (_, i) => ({
      webhookId,
      eventId: `e${from + i}`,
      type: "gateway.online",
      body: "{}",
    }));
    await this.deliveries.enqueue(wanted, this.clock.now());
    this.bus.publish("webhook.queued", { ids: [webhookId] });
  }

  /** A node that delivers. */
  async dispatch(duty?: () => Promise<boolean>): Promise<AsyncDisposable & { readonly hooks: Hooks }> {
    const { bus, store, deliveries, clock } = this, began = clock.now();
    const hooks = await Hooks.open({ deps: this, bus, store, shared: duty !== undefined });
    const dispatcher = new Dispatcher({
      ...{ deps: this, bus, hooks, deliveries, duty },
      send: async (hook, row, signal) => {
        this.tried.push([clock.now() - began, row.event_id]);
        return await this.answer(row, hook, signal);
      },
      failing: async ({ row }, since) => {
        await store.setFailing(row.id, since);
        await hooks.changed(row.id);
      },
      disable: async ({ row }, reason) => {
        if (!await store.disable(row, reason)) return;
        this.disabled.push([row.id, reason]);
        await hooks.changed(row.id);
      },
    });
    return {
      hooks,
      async [Symbol.asyncDispose]() {
        await dispatcher[Symbol.asyncDispose]();
        await hooks[Symbol.asyncDispose]();
      },
    };
  }

  /** A node that hears of what happens. */
  async listen(parts: Partial<IntakeParts> = {}): Promise<AsyncDisposable & { readonly intake: Intake }> {
    const { bus, store, deliveries, outbox } = this, { sql } = this.db;
    const hooks = await Hooks.open({ deps: this, bus, store, shared: false });
    const fleet = { groups: {} as Fleet["groups"], macs: () => Promise.resolve([]) };
    const intake = new Intake({ deps: this, ...{ bus, hooks, deliveries, outbox, sql, fleet, ...parts } });
    return {
      intake,
      async [Symbol.asyncDispose]() {
        await intake[Symbol.asyncDispose]();
        await hooks[Symbol.asyncDispose]();
      },
    };
  }

  /** Something happens, as whoever does it says so: with its change, and on the bus. */
  async happen<S extends keyof PlatformEvents>(subject: S, message: PlatformEvents[S]): Promise<void> {
    if (subject !== "presence.changed") {
      await this.db.sql.transaction().execute((tx) => this.outbox.put(tx, subject, message));
    }
    this.bus.publish(subject, message);
  }

  /** The deliveries of a webhook by event: state and number of tries. */
  async states(id: string): Promise<Record<string, string>> {
    const rows = await this.deliveries.list(id, {}, 1000);
    return Object.fromEntries(
      rows.map(({ event_id, state, attempts }) => [event_id, `${state} ${attempts}`]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db[Symbol.asyncDispose]();
  }
}

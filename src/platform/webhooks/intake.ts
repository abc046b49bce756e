/**
 * From what happens to rows for those webhooks that hear of it.
 *
 * What happens with a change of a row is in the outbox, written with it, and is taken from there. Who is online is in
 * no row at first: such events are put aside in memory and written together, a moment later, before it is kept who is
 * there (`PresenceSettings.told`). Nobody who tells of something waits for this.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, messageOf, newId, sleep } from "../../base/mod.ts";
import { StorageError } from "../../storage/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import type { Happening, Outbox, OutboxTables, Telling, Translate } from "../outbox/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { DeliveryStore, NewDelivery } from "./deliveries.ts";
import { payloadOf, tellingOf, TOLD_SUBJECTS } from "./events.ts";
import type { Hook, Hooks } from "./hooks.ts";

/** Most that may wait in memory while the database is slow or away; what comes then is lost, and counted. */
const MAX_PENDING = 10_000;
/** Events in one transaction, and the pause before what the database refused is tried again. */
const BATCH = 200;
const AGAIN_MS = 1_000;

/** What the intake leans on. */
export interface IntakeParts {
  readonly deps: Pick<Deps, "clock" | "log" | "metrics">;
  readonly bus: Pick<PlatformBus, "publish" | "subscribe">;
  readonly hooks: Hooks;
  readonly deliveries: Pick<DeliveryStore, "enqueue">;
  readonly fleet: Pick<Fleet, "groups" | "macs">;
  readonly outbox: Outbox;
  /** Where the outbox is. */
  readonly sql: Kysely<OutboxTables>;
}

/** Hears of what happens on this node. Dispose of it to write what waits and to hear no more. */
export class Intake implements AsyncDisposable {
  readonly #pending: Happening[] = [];
  /** How many were put aside, and written or lost, and who waits until how many are. */
  #heard = 0;
  #done = 0;
  #waiters: { readonly upTo: number; resolve(): void }[] = [];
  /** Something may be in the outbox: what an earlier process left, to begin with. */
  #mayDrain = true;
  #running: Promise<void> | undefined;
  readonly #stop = new AbortController();
  readonly #subscriptions: readonly Disposable[];

  constructor(private readonly parts: IntakeParts) {
    const { bus, outbox } = parts;
    this.#subscriptions = TOLD_SUBJECTS.map((subject) =>
      bus.subscribe(subject, (message, from) => {
        if (from) return; // the node that says it sees to it
        const telling = this.#translate(subject, message);
        if (telling) subject === "presence.changed" ? this.#putAside(telling) : this.drain();
      })
    );
    outbox.serve({ translate: this.#translate, written: () => this.written() });
    this.#run();
  }

  /** Looks into the outbox. */
  drain(): void {
    this.#mayDrain = true;
    this.#run();
  }

  /** Waits until what was put aside in memory so far is written, or lost. */
  async written(): Promise<void> {
    const upTo = this.#heard;
    if (this.#done < upTo) await new Promise<void>((resolve) => this.#waiters.push({ upTo, resolve }));
  }

  /** Waits until everything that happened so far is in the queues. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#stop.abort();
    await this.settled();
    this.parts.outbox.serve(undefined);
  }

  readonly #translate: Translate = (subject, message) => {
    const telling = tellingOf(subject, message);
    return telling && this.parts.hooks.want(telling.type) ? telling : undefined;
  };

  #putAside(telling: Telling): void {
    if (this.#pending.length >= MAX_PENDING) return this.#lost(1, "memory");
    this.#pending.push({ ...telling, id: newId(), at: this.parts.deps.clock.now() });
    this.#heard++;
    this.#run();
  }

  #run(): void {
    this.#running ??= Promise.resolve().then(() => this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#mayDrain || this.#pending.length > 0) {
        // What stays in the outbox is there for another look, and for the next process.
        if (this.#mayDrain) await this.#untilDone(() => this.#drain(), () => true);
        const batch = this.#pending.slice(0, BATCH);
        if (batch.length === 0) continue;
        const isAway = (error: unknown) => error instanceof StorageError;
        if (!await this.#untilDone(() => this.#write(batch), isAway)) this.#lost(batch.length, "database");
        this.#pending.splice(0, batch.length);
        this.#note(batch.length);
      }
    } finally {
      this.#running = undefined;
    }
  }

  /** Tries until it works; false where that is given up: it would not help, or the platform stops. */
  async #untilDone(work: () => Promise<void>, helps: (error: unknown) => boolean): Promise<boolean> {
    for (;;) {
      try {
        await work();
        return true;
      } catch (error) {
        const again = helps(error) && !this.#stop.signal.aborted;
        this.parts.deps.log.warn("events for webhooks were not written", { again, error: messageOf(error) });
        if (!again) return false;
        await sleep(this.parts.deps.clock, AGAIN_MS, this.#stop.signal).catch(() => {});
      }
    }
  }

  #note(written: number): void {
    this.#done += written;
    const ready = this.#waiters.filter(({ upTo }) => upTo <= this.#done);
    this.#waiters = this.#waiters.filter(({ upTo }) => upTo > this.#done);
    for (const { resolve } of ready) resolve();
  }

  async #drain(): Promise<void> {
    const { outbox, sql } = this.parts;
    this.#mayDrain = false;
    for (;;) {
      const batch = await outbox.waiting(sql, BATCH);
      if (batch.length > 0) await this.#write(batch, batch.map(({ id }) => id));
      if (batch.length < BATCH) return;
    }
  }

  async #write(batch: readonly Happening[], fromOutbox: readonly string[] = []): Promise<void> {
    const { hooks, deliveries, deps, bus } = this.parts;
    const wanted: NewDelivery[] = [];
    for (const hook of hooks.all) {
      const heard = batch.filter(({ type }) => hook.events.has(type));
      for (const { id, type, at, data } of await this.#mayHear(hook, heard)) {
        wanted.push({ webhookId: hook.row.id, eventId: id, type, body: payloadOf(type, at, data) });
      }
    }
    if (wanted.length === 0 && fromOutbox.length === 0) return;
    const dropped = await deliveries.enqueue(wanted, deps.clock.now(), { fromOutbox });
    for (const count of dropped.values()) this.#lost(count, "queue");
    if (wanted.length === 0) return;
    bus.publish("webhook.queued", { ids: [...new Set(wanted.map(({ webhookId }) => webhookId))] });
  }

  /** One whose groups can't be looked up, whatever is wrong with them, hears of nothing, and holds up nobody. */
  async #mayHear(hook: Hook, heard: readonly Happening[]): Promise<readonly Happening[]> {
    try {
      return await this.#within(hook, heard);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      this.parts.deps.log.error("a webhook's groups could not be looked up: it is not told", {
        webhook: hook.row.id,
        error: messageOf(error),
      });
      this.#lost(heard.length, "groups");
      return [];
    }
  }

  /** Those that a webhook may hear of: where it is confined to groups, what these may see now. */
  async #within({ groups, row }: Hook, heard: readonly Happening[]): Promise<readonly Happening[]> {
    if (groups === null || heard.length === 0) return heard;
    const { fleet } = this.parts;
    const macs = [...new Set(heard.flatMap(({ about: { mac } }) => mac === undefined ? [] : [mac]))];
    const members = await fleet.groups.membersOf(groups);
    const inside = new Set(
      macs.length === 0 ? [] : await fleet.macs(
        (eb) => eb.and([members(eb), eb("gateway.mac", "in", macs)]),
        macs.length,
      ),
    );
    return heard.filter(({ about: { mac, group, by } }) => {
      if (mac !== undefined) return inside.has(mac);
      if (group !== undefined) return group !== null && groups.includes(group);
      return by === undefined || by === row.created_by;
    });
  }

  #lost(count: number, where: "memory" | "database" | "queue" | "groups"): void {
    this.parts.deps.metrics.counter(
      "gatehouse_webhook_dropped_total",
      "Events that webhooks will not hear of: too many waited in their queue or in memory, or they could not be written",
      { where },
    ).inc(count);
  }
}

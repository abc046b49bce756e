/**
 * From what happens on this node to rows for those webhooks that hear of it.
 *
 * Nobody who tells of something waits for this: events are put aside in memory and written together, a moment later.
 * What happened on another node is written there.
 *
 * @module
 */
import { type Deps, messageOf, newId, sleep } from "../../base/mod.ts";
import { StorageError } from "../../storage/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import { type CommandStatus, isFinal } from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { DeliveryStore, NewDelivery } from "./deliveries.ts";
import { type EventData, type EventType, payloadOf } from "./events.ts";
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
}

/** Whom an event is about, for webhooks that are confined to groups: nobody in particular is for all. */
interface About {
  readonly mac?: string;
  /** The group of an alarm's rule; null: it is about more than one group. */
  readonly group?: string | null;
  /** Who made what it is about: they see it whatever it reaches. */
  readonly by?: string;
}

interface Happening {
  readonly id: string;
  readonly type: EventType;
  readonly at: number;
  readonly data: unknown;
  readonly about: About;
}

/** Hears of what happens on this node. Dispose of it to write what waits and to hear no more. */
export class Intake implements AsyncDisposable {
  readonly #pending: Happening[] = [];
  #running: Promise<void> | undefined;
  readonly #stop = new AbortController();
  readonly #subscriptions: readonly Disposable[];

  constructor(private readonly parts: IntakeParts) {
    const { bus } = parts;
    this.#subscriptions = [
      bus.subscribe("presence.changed", ({ mac, online }, from) => {
        if (!from) this.#tell(online ? "gateway.online" : "gateway.offline", { mac }, { mac });
      }),
      bus.subscribe("gateway.registered", ({ mac, address, wanIp, firmware }, from) => {
        if (!from) this.#tell("gateway.registered", { mac, address, wanIp, firmware }, { mac });
      }),
      bus.subscribe("command.changed", ({ id, mac, status }, from) => {
        if (!from && isEnd(status)) this.#tell("command.ended", { mac, id, status }, { mac });
      }),
      bus.subscribe("rollout.moved", ({ by, ...data }, from) => {
        if (!from) this.#tell("rollout.changed", data, { by });
      }),
      bus.subscribe("alarm.changed", ({ state, ...data }, from) => {
        if (!from) this.#tell(`alarm.${state}`, data, { group: data.group });
      }),
      bus.subscribe("message.pushed", ({ mac, id, plugin, seq }, from) => {
        if (!from) this.#tell("message.pushed", { mac, id, plugin, seq }, { mac });
      }),
      bus.subscribe("plugin.uploaded", (data, from) => {
        if (!from) this.#tell("plugin.uploaded", data, {});
      }),
    ];
  }

  /** Waits until everything that happened so far is written. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#stop.abort();
    await this.settled();
  }

  #tell<T extends EventType>(type: T, data: EventData<T>, about: About): void {
    if (!this.parts.hooks.want(type)) return;
    if (this.#pending.length >= MAX_PENDING) return this.#lost(1, "memory");
    this.#pending.push({ id: newId(), type, at: this.parts.deps.clock.now(), data, about });
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, BATCH);
      try {
        await this.#write(batch);
      } catch (error) {
        const again = error instanceof StorageError && !this.#stop.signal.aborted;
        this.parts.deps.log.warn("events for webhooks were not written", {
          count: batch.length,
          again,
          error: messageOf(error),
        });
        if (again) {
          await sleep(this.parts.deps.clock, AGAIN_MS, this.#stop.signal).catch(() => {});
          continue;
        }
        this.#lost(batch.length, "database");
      }
      this.#pending.splice(0, batch.length);
    }
    this.#running = undefined;
  }

  async #write(batch: readonly Happening[]): Promise<void> {
    const { hooks, deliveries, deps, bus } = this.parts;
    const wanted: NewDelivery[] = [];
    for (const hook of hooks.all) {
      const heard = batch.filter(({ type }) => hook.events.has(type));
      for (const { id, type, at, data } of await this.#within(hook, heard)) {
        wanted.push({ webhookId: hook.row.id, eventId: id, type, body: payloadOf(type, at, data) });
      }
    }
    if (wanted.length === 0) return;
    const dropped = await deliveries.enqueue(wanted, deps.clock.now());
    for (const count of dropped.values()) this.#lost(count, "queue");
    bus.publish("webhook.queued", { ids: [...new Set(wanted.map(({ webhookId }) => webhookId))] });
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

  #lost(count: number, where: "memory" | "database" | "queue"): void {
    this.parts.deps.metrics.counter(
      "gatehouse_webhook_dropped_total",
      "Events that webhooks will not hear of: too many waited in their queue or in memory, or they could not be written",
      { where },
    ).inc(count);
  }
}

type EndStatus = EventData<"command.ended">["status"];

function isEnd(status: CommandStatus): status is EndStatus {
  return isFinal(status);
}

/**
 * Telling readers of messages that come, without a gap and without telling one twice: what a reader gets is always
 * read from the database, behind the last that it has; the bus only says when it is worth looking.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Timer } from "../../base/mod.ts";
import type { EventReader } from "../../control/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { PushMessageRow } from "./schema.ts";
import type { MessageFilter, PushStore } from "./store.ts";

/** Rows of one look. */
const PAGE = 25;
/** Milliseconds between looks for messages that other nodes kept: their word may not get here. */
const POLL_MS = 2000;

/** What a reader of messages wants. */
export interface Following {
  readonly filter: MessageFilter;
  /** The place behind which it goes on; undefined: only what comes from now on. */
  readonly from: number | undefined;
  readonly view: (row: PushMessageRow) => unknown;
  /** Asked after each look, before anything of it is shown: false ends the stream. */
  readonly allowed?: () => Promise<boolean>;
}

interface Waiter {
  readonly filter: MessageFilter;
  readonly wake: () => void;
}

/** The readers of one process. */
export class MessageFeed implements Disposable {
  readonly #waiters = new Set<Waiter>();
  readonly #subscription: Disposable;
  #known = 0;
  #timer: Timer | undefined;

  constructor(
    private readonly deps: { readonly clock: Clock; readonly log: Log; readonly bus: PlatformBus },
    private readonly store: Pick<PushStore, "latest" | "between">,
  ) {
    this.#subscription = deps.bus.subscribe("message.pushed", ({ mac, plugin, seq }) => {
      this.#known = Math.max(this.#known, seq);
      for (const { filter, wake } of this.#waiters) {
        if ((filter.macs?.includes(mac) ?? true) && (filter.plugin ?? plugin) === plugin) wake();
      }
    });
  }

  /**
   * Tells `reader` of messages until its stream ends: `ready` with the place that it begins behind, then a `message`
   * each. The events' ids are places.
   */
  async follow(reader: EventReader, { filter, from, view, allowed }: Following): Promise<void> {
    let woken = Promise.withResolvers<void>();
    const waiter = { filter, wake: () => woken.resolve() };
    using _ = this.#enter(waiter);
    const latest = await this.store.latest();
    // A place that is still to come was never given out by this database: it was restored from a backup.
    let place = Math.min(from ?? latest, latest);
    if (!await reader.send({ id: String(place), event: "ready", data: {} })) return;
    for (;;) {
      const to = await this.store.latest();
      const rows = place < to ? await this.store.between(filter, place, to, PAGE) : [];
      if (rows.length > 0 && await allowed?.() === false) return reader.end("unauthorized");
      for (const row of rows) {
        if (!await reader.send({ id: String(row.seq), event: "message", data: view(row) })) return;
      }
      place = rows.length === PAGE ? rows.at(-1)!.seq : to;
      if (rows.length === PAGE) continue;
      await Promise.race([woken.promise, reader.ended]);
      if (reader.signal.aborted) return;
      woken = Promise.withResolvers();
    }
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #enter(waiter: Waiter): Disposable {
    this.#waiters.add(waiter);
    this.#timer ??= this.#poll();
    return {
      [Symbol.dispose]: () => {
        this.#waiters.delete(waiter);
        if (this.#waiters.size > 0) return;
        this.#timer?.cancel();
        this.#timer = undefined;
      },
    };
  }

  #poll(): Timer {
    const timer: Timer = this.deps.clock.setTimer(() => {
      this.store.latest().then((latest) => {
        if (latest <= this.#known) return;
        this.#known = latest;
        for (const { wake } of this.#waiters) wake();
      }).catch((error) => {
        this.deps.log.warn("it can't be seen whether messages came", { error: messageOf(error) });
      }).finally(() => {
        if (this.#timer === timer) this.#timer = this.#waiters.size > 0 ? this.#poll() : undefined;
      });
    }, POLL_MS);
    return timer;
  }
}

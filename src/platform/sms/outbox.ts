/**
 * What waits for providers: from the disk to their connections, and off the disk once they took it.
 *
 * @module
 */
import { type Deps, messageOf } from "../../base/mod.ts";
import { type Deliver, Result } from "../../protocol/cmpp/mod.ts";
import { type Carrier, Mailbox, type Page, pageOfRows } from "./mailbox.ts";
import { type OutboxItem, outboxItemOf } from "./message.ts";
import type { OutboxRow } from "./schema.ts";
import type { Seal } from "../credentials/mod.ts";
import type { SmsSettings } from "./settings.ts";
import type { Change, SmsStore } from "./store.ts";
import type { Tallies } from "./tallies.ts";
import { Timers } from "./timers.ts";
import type { Unreadable } from "./unreadable.ts";

/** How often a provider may refuse an item before it is given up. */
const MAX_REFUSALS = 3;

/** What goes off the disk together with an item, and happens after that. */
export interface WithItem {
  readonly also: NonNullable<Change["also"]>;
  readonly after: () => void;
}

/** What the outbox works with. */
export interface OutboxParts {
  readonly store: SmsStore;
  readonly seal: Seal;
  readonly settings: Pick<SmsSettings, "responseMs" | "outboxMs">;
  readonly tallies: Tallies;
  readonly unreadable: Unreadable;
  /** The largest id that was used. */
  readonly lastId: number;
  /** What belongs to the end of a phone's message that came from another gateway; undefined for one of this gateway. */
  readonly fromAfar: (
    item: OutboxItem,
    result: number,
    sentAt: number,
  ) => Promise<WithItem | undefined> | undefined;
}

/** All mailboxes. */
export class Outbox {
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #refusals = new Map<number, number>();
  /** Ids that were taken and are just being removed. */
  readonly #leaving = new Set<number>();
  readonly #timers: Timers;
  #id: number;

  constructor(private readonly deps: Pick<Deps, "clock" | "log">, private readonly parts: OutboxParts) {
    this.#id = parts.lastId;
    this.#timers = new Timers(deps.clock);
  }

  /** A new item; it has no row yet. */
  item(spId: string, deliver: Deliver, createdAt: number, report: OutboxItem["report"]): OutboxItem {
    const id = ++this.#id, kind = report ? "report" : "mo";
    return { id, spId, serviceId: deliver.Service_Id, kind, createdAt, deliver, report };
  }

  /** Takes an item that is on disk. */
  offer(item: OutboxItem): void {
    this.#mailbox(item.spId).offer(item);
  }

  /** A connection that can carry. */
  attach(spId: string, carrier: Carrier): void {
    this.#mailbox(spId).attach(carrier);
  }

  detach(spId: string, carrier: Carrier): void {
    this.#mailboxes.get(spId)?.detach(carrier);
  }

  /** Items that were sent and not taken. */
  putBack(spId: string, items: readonly OutboxItem[]): void {
    if (items.length > 0) this.#mailbox(spId).putBack(items);
  }

  /** There is room in a window. */
  pump(spId: string): void {
    this.#mailboxes.get(spId)?.pump();
  }

  /** Told how an item that went out at `sentAt` was answered: it is off the disk then, or comes again. */
  taken(item: OutboxItem, result: number, sentAt: number): void {
    if (result !== Result.ok && !this.#givesUp(item)) return this.#later(item);
    this.#refusals.delete(item.id);
    // Until it is gone from the disk, a page that is read there may still hold it.
    this.#leaving.add(item.id);
    this.#remove(item, result, sentAt).then(() => void this.#leaving.delete(item.id), (error) =>
      // It stays on disk, and comes again after a restart: a duplicate, which the protocol allows.
      this.deps.log.error("a delivery was not written down", { id: item.id, error: messageOf(error) }));
  }

  /** Gives up what no provider has come for in a long time; gives how much. */
  async giveUpStale(): Promise<number> {
    const { store, settings } = this.parts, before = this.deps.clock.now() - settings.outboxMs;
    let given = 0;
    while (true) {
      const rows = await store.stale(before);
      if (rows.length === 0) return given;
      await Promise.all(rows.map((row) => this.#giveUp(row)));
      given += rows.length;
    }
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#timers.stop();
  }

  #remove(item: OutboxItem, result: number, sentAt: number): Promise<void> {
    const { store, tallies, fromAfar } = this.parts, taken = { spId: item.spId, id: item.id };
    if (item.kind !== "mo") return store.write({ taken });
    const moved = result === Result.ok ? "mo_delivered" : "mo_failed";
    const count = tallies.of(item.createdAt, item.spId, item.serviceId, { [moved]: 1 });
    const state = result === Result.ok ? "delivered" : "failed";
    const receivedEnd = { id: item.id, state, result, at: this.deps.clock.now() } as const;
    const afar = fromAfar(item, result, sentAt);
    if (!afar) return store.write({ taken, count, receivedEnd });
    return afar.then(async (withItem) => {
      await store.write({ taken, count, receivedEnd, ...(withItem ? { also: withItem.also } : {}) });
      withItem?.after();
    });
  }

  #giveUp({ id, sp_id, service_id, kind, created_at }: Omit<OutboxRow, "pdu">): Promise<void> {
    return this.parts.store.write({
      taken: { spId: sp_id, id },
      ...(kind === "mo"
        ? {
          count: this.parts.tallies.of(created_at, sp_id, service_id, { mo_failed: 1 }),
          receivedEnd: { id, state: "failed", result: null, at: this.deps.clock.now() },
        }
        : {}),
    });
  }

  /** Refused for now: it comes again after a while, if its queue is still the same: else it is read from disk. */
  #later(item: OutboxItem): void {
    const mailbox = this.#mailbox(item.spId), { generation } = mailbox;
    this.#timers.after(this.parts.settings.responseMs, () => mailbox.putBack([item], generation));
  }

  /** A refused item comes again a few times, unless it is too old. */
  #givesUp(item: OutboxItem): boolean {
    const refusals = (this.#refusals.get(item.id) ?? 0) + 1;
    this.#refusals.set(item.id, refusals);
    return refusals >= MAX_REFUSALS ||
      item.createdAt + this.parts.settings.outboxMs <= this.deps.clock.now();
  }

  #mailbox(spId: string): Mailbox {
    let mailbox = this.#mailboxes.get(spId);
    if (!mailbox) {
      mailbox = new Mailbox({
        load: (after, limit) => this.#load(spId, after, limit),
        leaving: (id) => this.#leaving.has(id),
        after: (ms, callback) => this.#timers.after(ms, callback),
      });
      this.#mailboxes.set(spId, mailbox);
    }
    return mailbox;
  }

  async #load(spId: string, after: number, limit: number): Promise<Page<OutboxItem>> {
    const { store, seal, unreadable } = this.parts;
    try {
      const rows = await store.outboxOf(spId, after, limit);
      return pageOfRows(
        rows,
        limit,
        (row) => unreadable.read(`outbox ${row.id}`, () => outboxItemOf(row, seal)),
      );
    } catch (error) {
      this.deps.log.error("what waits for a provider was not read", { spId, error: messageOf(error) });
      throw error;
    }
  }
}

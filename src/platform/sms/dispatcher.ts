/**
 * From the store to the short-message centre and to an end: every accepted message ends exactly once.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import { Stat } from "../../protocol/cmpp/mod.ts";
import { keyOf, messageRow, type Mt, mtOf } from "./message.ts";
import { OpenMessages } from "./open_messages.ts";
import type { Outlet, OutletListener, Receipt, TakenMessage } from "./outlet.ts";
import type { MessageRow } from "./schema.ts";
import type { SmsSettings } from "./settings.ts";
import type { SmsStore } from "./store.ts";
import { Timers } from "./timers.ts";
import { Handover } from "./handover.ts";
import type { Unreadable } from "./unreadable.ts";

/** What the dispatcher works with. */
export interface DispatcherParts {
  readonly store: SmsStore;
  readonly outlet: Outlet;
  readonly settings: Pick<SmsSettings, "outletWindow" | "maxBacklog" | "maxTaken">;
  readonly unreadable: Unreadable;
  /** Writes down how a message ended; resolves when it is on disk. */
  readonly end: (mt: Mt, stat: string, smscSequence: number) => Promise<void>;
}

/** How often messages are looked through for those whose time is over, in milliseconds. */
const SWEEP_MS = 10_000;
/** How long to wait before the disk is tried again, in milliseconds. */
const RETRY_MS = 1_000;
/** Messages left to the database at a time. */
const LEFT_AT_ONCE = 500;

/** Has messages handed to the outlet as their time comes, and ends them. */
export class Dispatcher implements AsyncDisposable {
  readonly #open = new OpenMessages();
  /** Those whose end is being written. */
  readonly #ending = new Set<bigint>();
  /** Reads from the database that are under way, and what has ended meanwhile: their rows are older than that. */
  #reads = 0;
  readonly #endedMeanwhile = new Set<bigint>();
  /** Messages that somebody else has and that only the database knows. */
  #left = 0;
  #leaving = false;
  /** Up to when an earlier run's messages were due, and the last of them that was read, where there was no room for all. */
  #unread: { readonly until: number; readonly after: MessageRow | undefined } | undefined;
  readonly #handover: Handover;
  readonly #timers: Timers;
  #wake: Timer | undefined;
  #wakeAt = Infinity;
  #stopped = false;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly parts: DispatcherParts,
  ) {
    this.#timers = new Timers(deps.clock);
    this.#handover = new Handover(deps.clock, parts.outlet, parts.settings.outletWindow, {
      waits: (mt) => this.#open.has(mt.msgId),
      expired: (mt) => void this.#end(mt, Stat.expired, 0),
      refused: (mt, stat) => void this.#end(mt, stat, 0),
      accepted: (mt, ref, held) => {
        if (!held) this.#taken(mt);
        this.#accepted(mt, ref);
      },
    });
  }

  /** Messages that wait here: for the centre, or for another gateway. */
  get backlog(): number {
    return this.#open.waiting;
  }

  /** Messages that the centre or another gateway has, and that were not reported on. */
  get unreported(): number {
    return this.#open.taken + this.#left;
  }

  /** Whether `count` more messages of a provider may wait. */
  hasRoom(spId: string, count: number): boolean {
    return this.#open.hasRoom(spId, count, this.parts.settings.maxBacklog);
  }

  /** When the longest waiting of the messages that the centre has not taken became due. */
  oldestWaiting(): number | undefined {
    let oldest: number | undefined;
    for (const { sent, dueAt } of this.#open.allWaiting()) {
      if (!sent && (oldest === undefined || dueAt < oldest)) oldest = dueAt;
    }
    return oldest;
  }

  /** Takes up what an earlier run has left, and begins. */
  async start(): Promise<void> {
    const { outlet } = this.parts;
    await this.#takeUpSent();
    this.#unread = { until: Number.MAX_SAFE_INTEGER, after: undefined };
    const waiting = await this.#takeUpWaiting();
    // What comes from now on is due later.
    if (this.#unread) this.#unread = { ...this.#unread, until: this.deps.clock.now() };
    outlet.listen({
      onReceipt: (receipt) => this.#onReceipt(receipt),
      findTaken: (refs) => this.#findTaken(refs),
      onMobileOriginated: (message) => this.onMobileOriginated(message),
    });
    for (const mt of waiting) this.#handover.add(mt);
    this.#timers.every(SWEEP_MS, () => this.#sweep());
    await this.#lookForDue();
    this.#handover.go();
  }

  /** Told of each message from a phone. */
  onMobileOriginated: OutletListener["onMobileOriginated"] = () => Promise.resolve(false);

  /** Takes a message that is in the store. */
  offer(mt: Mt): void {
    if (mt.dueAt > this.deps.clock.now()) return this.#wakeBy(mt.dueAt);
    this.#open.add(mt);
    this.#handover.add(mt);
    this.#handover.go();
  }

  /** Takes a message back that the centre has not got yet; false where that is too late, or it is not the provider's. */
  async cancel(msgId: bigint, spId: string, key: string): Promise<boolean> {
    const mt = this.#open.get(msgId) ?? await this.#reading(async () => {
      const row = await this.parts.store.message(key);
      const scheduled = row?.state === "scheduled" && row.sp_id === spId && !this.#endedMeanwhile.has(msgId);
      return this.#open.get(msgId) ?? (scheduled ? mtOf(row) : undefined); // its time may have come meanwhile
    });
    if (!mt || mt.spId !== spId || mt.sent || this.#ending.has(msgId)) return false;
    await this.#end(mt, Stat.deleted, 0);
    return true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timers.stop();
    this.#handover.stop();
    this.#wake?.cancel();
    return Promise.resolve();
  }

  /** Messages that the centre took in an earlier run. */
  async #takeUpSent(): Promise<void> {
    const { store, outlet, settings } = this.parts;
    let rows: MessageRow[] = [];
    do {
      rows = await store.due("sent", Number.MAX_SAFE_INTEGER, rows.at(-1));
      for (const row of rows) {
        const mt = this.#read(row);
        if (!mt) continue;
        if (this.#open.taken >= settings.maxTaken) {
          this.#left++;
          continue;
        }
        this.#open.addTaken(mt);
        if (row.outlet_ref === null) continue;
        const number = mt.submit.Dest_terminal_Id[0]!;
        outlet.restore([{ ref: row.outlet_ref, msgId: mt.msgId, number }]);
      }
    } while (rows.length > 0);
  }

  /** Messages that waited when an earlier run ended, as far as there is room for them. */
  async #takeUpWaiting(): Promise<Mt[]> {
    const { store, settings } = this.parts, taken: Mt[] = [];
    while (this.#unread && this.#open.waiting < settings.maxBacklog) {
      const { until, after }: { until: number; after: MessageRow | undefined } = this.#unread;
      const rows = await this.#reading(async () => {
        const rows = await store.due("waiting", until, after);
        for (const row of rows) taken.push(...this.#takeUp(row));
        return rows;
      });
      const last = rows.at(-1);
      this.#unread = last && { until, after: last };
    }
    return taken;
  }

  /** Does `work`, which reads from the database: see `#endedMeanwhile`. */
  async #reading<T>(work: () => Promise<T>): Promise<T> {
    this.#reads++;
    try {
      return await work();
    } finally {
      if (--this.#reads === 0) this.#endedMeanwhile.clear();
    }
  }

  /** The message of a row; undefined where it can't be read: it can't be sent, but it must not stop all others. */
  #read(row: MessageRow): Mt | undefined {
    return this.parts.unreadable.read(`message ${row.msg_id}`, () => mtOf(row));
  }

  /** The message of a row as one that waits here; none where it is here already, has ended, or can't be read. */
  #takeUp(row: MessageRow): Mt[] {
    const mt = this.#read(row);
    if (!mt || this.#isHere(mt.msgId)) return [];
    this.#open.add(mt);
    return [mt];
  }

  /** Whether a row tells nothing new of a message. */
  #isHere(msgId: bigint): boolean {
    return this.#open.has(msgId) || this.#ending.has(msgId) || this.#endedMeanwhile.has(msgId);
  }

  /** Keeps what the centre calls a message, so that a restart neither hands it over again nor misses its receipt. */
  #accepted(mt: Mt, ref: string): void {
    const { outlet, store } = this.parts;
    // Its receipt may have been quicker: the last word on a message is its end.
    if (!outlet.keepsRefs || ref === "" || !mt.kept || !this.#open.has(mt.msgId)) return;
    store.write({ moved: { msgId: mt.key, state: "sent", stat: null, at: null, ref } }).catch((error) =>
      // After a restart it is handed over again: a phone may get it twice, but it is not lost.
      this.deps.log.error("the centre's name of a message was not written", {
        msgId: mt.key,
        error: messageOf(error),
      })
    );
  }

  /** Somebody else has a message now: it needs no room here. */
  #taken(mt: Mt): void {
    if (!this.#open.take(mt) || this.#leaving || this.#unread) return;
    if (this.#open.taken >= this.parts.settings.maxTaken + LEFT_AT_ONCE) void this.#leave();
  }

  /** Leaves the longest taken to the database, so that memory is bounded however long phones are off. */
  async #leave(): Promise<void> {
    const { store, settings } = this.parts;
    this.#leaving = true;
    try {
      while (this.#open.taken > settings.maxTaken && !this.#stopped) {
        const some = this.#open.longestTaken(LEFT_AT_ONCE), fresh = some.filter(({ kept }) => !kept);
        // From here on its end is written to its row.
        for (const mt of fresh) mt.kept = true;
        const now = this.deps.clock.now();
        if (fresh.length > 0) await store.write({ messages: fresh.map((mt) => messageRow(mt, now)) });
        for (const mt of some) {
          if (!this.#open.has(mt.msgId)) continue; // has ended meanwhile
          this.#open.delete(mt);
          this.parts.outlet.forget(mt.msgId);
          this.#left++;
        }
      }
    } catch (error) {
      // They stay in memory, and are tried again with the next that is taken.
      this.deps.log.error("messages at the centre were not left to the disk", { error: messageOf(error) });
    } finally {
      this.#leaving = false;
    }
  }

  /** Messages that were left to the database, by what the centre calls them. */
  async #findTaken(refs: readonly string[]): Promise<TakenMessage[]> {
    if (this.#left === 0) return [];
    const rows = await this.parts.store.takenAs(refs);
    return rows.map((row) => ({
      ref: row.outlet_ref!,
      msgId: BigInt(`0x${row.msg_id}`),
      number: row.destination,
    }));
  }

  async #onReceipt({ msgId, stat, smscSequence, ref = "" }: Receipt): Promise<void> {
    const mt = this.#open.get(msgId) ?? (this.#left > 0 ? await this.#recall(msgId) : undefined);
    if (!mt || this.#ending.has(msgId)) return; // of a message that has ended: its provider has its report
    if (stat === Stat.accepted) { // not final (reference, table 1)
      this.#taken(mt);
      return this.#accepted(mt, ref);
    }
    await this.#end(mt, stat, smscSequence);
  }

  /** A message that was left to the database and has not ended. */
  #recall(msgId: bigint): Promise<Mt | undefined> {
    return this.#reading(async () => {
      const row = await this.parts.store.message(keyOf(msgId));
      const isOpen = row && (row.state === "waiting" || row.state === "sent");
      return this.#open.get(msgId) ?? (isOpen ? this.#recalled(row) : undefined);
    });
  }

  /** A row's message is here again, as one that somebody has taken; unless it is here, or has ended. */
  #recalled(row: MessageRow): Mt | undefined {
    const mt = this.#read(row);
    if (!mt || this.#isHere(mt.msgId)) return undefined;
    mt.sent = true;
    this.#left = Math.max(0, this.#left - 1);
    this.#open.addTaken(mt);
    return mt;
  }

  /** Ends a message: once, and for sure. Where the disk fails it is tried again until it does not. */
  async #end(mt: Mt, stat: string, smscSequence: number): Promise<void> {
    this.#ending.add(mt.msgId);
    this.#open.delete(mt);
    this.parts.outlet.forget(mt.msgId);
    try {
      await this.parts.end(mt, stat, smscSequence);
      this.#ending.delete(mt.msgId);
      if (this.#reads > 0) this.#endedMeanwhile.add(mt.msgId);
    } catch (error) {
      this.deps.log.error("the end of a message was not written, trying again", {
        msgId: mt.key,
        error: messageOf(error),
      });
      this.#timers.after(RETRY_MS, () => void this.#end(mt, stat, smscSequence));
    }
  }

  #sweep(): void {
    const now = this.deps.clock.now(), { receiptGraceMs } = this.parts.outlet;
    for (const mt of this.#open) {
      if (mt.expiresAt + (mt.sent ? receiptGraceMs : 0) <= now) void this.#end(mt, Stat.expired, 0);
    }
    if (this.#left > 0) void this.#sweepLeft(now - receiptGraceMs);
  }

  /** Ends what was left to the database and has expired by `until`. */
  async #sweepLeft(until: number): Promise<void> {
    try {
      let last: MessageRow | undefined;
      do {
        const expired = await this.#reading(async () => {
          const rows = await this.parts.store.expired(until, last);
          last = rows.at(-1);
          return rows.flatMap((row) => this.#recalled(row) ?? []);
        });
        await Promise.all(expired.map((mt) => this.#end(mt, Stat.expired, 0)));
      } while (last && !this.#stopped);
    } catch (error) {
      this.deps.log.error("expired messages were not read, trying again", { error: messageOf(error) });
    }
  }

  /** Takes messages whose time has come, as far as there is room for them. */
  async #lookForDue(): Promise<void> {
    const { settings } = this.parts, now = this.deps.clock.now();
    try {
      for (const mt of await this.#takeUpWaiting()) this.#handover.add(mt);
      this.#handover.go();
      // Half the room is left to what is to go at once.
      while (this.#open.waiting * 2 < settings.maxBacklog && await this.#takeDue(now) > 0);
      const next = this.#unread ? now : await this.parts.store.nextDue();
      // With no room, or nothing to be read: look again in a while.
      if (next !== undefined) this.#wakeBy(Math.max(next, now + RETRY_MS));
    } catch (error) {
      this.deps.log.error("scheduled messages were not read, trying again", { error: messageOf(error) });
      this.#wakeBy(now + RETRY_MS);
    }
  }

  /** A page of scheduled messages; gives how many there were to take. */
  async #takeDue(now: number): Promise<number> {
    const { store } = this.parts;
    const taken = await this.#reading(async () =>
      (await store.due("scheduled", now)).flatMap((row) => this.#stopped ? [] : this.#takeUp(row))
    );
    // Before any of them goes out: the last word on a message is its end.
    const written = Promise.all(
      taken.map(({ key }) => store.write({ moved: { msgId: key, state: "waiting", stat: null, at: null } })),
    );
    for (const mt of taken) this.#handover.add(mt);
    this.#handover.go();
    await written;
    return taken.length;
  }

  #wakeBy(at: number): void {
    if (at >= this.#wakeAt || this.#stopped) return;
    this.#wake?.cancel();
    this.#wakeAt = at;
    this.#wake = this.deps.clock.setTimer(() => {
      this.#wakeAt = Infinity;
      void this.#lookForDue();
    }, at - this.deps.clock.now());
  }
}

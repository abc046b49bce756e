/**
 * From the store to the short-message centre and to an end: every accepted message ends exactly once.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import { Stat } from "../../protocol/cmpp/mod.ts";
import { type Mt, mtOf } from "./message.ts";
import type { Outlet, OutletAnswer, OutletListener, Receipt } from "./outlet.ts";
import type { MessageRow } from "./schema.ts";
import type { SmsSettings } from "./settings.ts";
import type { SmsStore } from "./store.ts";

/** What the dispatcher works with. */
export interface DispatcherParts {
  readonly store: SmsStore;
  readonly outlet: Outlet;
  readonly settings: Pick<SmsSettings, "outletWindow" | "maxBacklog">;
  /** Writes down how a message ended; resolves when it is on disk. */
  readonly end: (mt: Mt, stat: string, smscSequence: number) => Promise<void>;
}

/** How often messages are looked through for those whose time is over, in milliseconds. */
const SWEEP_MS = 10_000;
/** How long to wait before the centre, or the disk, is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/** Hands messages to the outlet, in order for each number, and ends them. */
export class Dispatcher implements AsyncDisposable {
  /** Messages that wait or are at the centre, by Msg_Id. */
  readonly #open = new Map<bigint, Mt>();
  /** Those whose end is being written. */
  readonly #ending = new Set<bigint>();
  #ready: Mt[] = [];
  #at = 0;
  /** Numbers that the centre is just taking a message for, and those that wait behind it. */
  readonly #behind = new Map<string, Mt[]>();
  #inWork = 0;
  readonly #timers = new Set<Timer>();
  #retry: Timer | undefined;
  #wake: Timer | undefined;
  #wakeAt = Infinity;
  #stopped = false;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly parts: DispatcherParts,
  ) {}

  /** Messages that have not ended and are due. */
  get backlog(): number {
    return this.#open.size;
  }

  /** When the longest waiting of the messages that the centre has not taken became due. */
  oldestWaiting(): number | undefined {
    let oldest: number | undefined;
    for (const { sent, dueAt } of this.#open.values()) {
      if (!sent && (oldest === undefined || dueAt < oldest)) oldest = dueAt;
    }
    return oldest;
  }

  /** Takes up what an earlier run has left, and begins. */
  async start(): Promise<void> {
    const { outlet } = this.parts;
    await this.#all("sent", (row) => {
      const mt = this.#takeUp(row), number = mt?.submit.Dest_terminal_Id[0];
      if (mt && row.outlet_ref !== null) {
        outlet.restore([{ ref: row.outlet_ref, msgId: mt.msgId, number: number! }]);
      }
    });
    await this.#all("waiting", (row) => {
      const mt = this.#takeUp(row);
      if (mt) this.#ready.push(mt);
    });
    outlet.listen({
      onReceipt: (receipt) => this.#onReceipt(receipt),
      onMobileOriginated: (message) => this.onMobileOriginated(message),
    });
    for (const mt of this.#ready.splice(0)) this.#queue(mt);
    this.#every(SWEEP_MS, () => this.#sweep());
    await this.#lookForDue();
    this.#pump();
  }

  /** Told of each message from a phone. */
  onMobileOriginated: OutletListener["onMobileOriginated"] = () => Promise.resolve(false);

  /** Takes a message that is in the store. */
  offer(mt: Mt): void {
    if (mt.dueAt > this.deps.clock.now()) return this.#wakeBy(mt.dueAt);
    this.#open.set(mt.msgId, mt);
    this.#queue(mt);
    this.#pump();
  }

  /** Takes a message back that the centre has not got yet; false where that is too late, or it is not the provider's. */
  async cancel(msgId: bigint, spId: string, key: string): Promise<boolean> {
    let mt = this.#open.get(msgId);
    if (!mt) {
      const row = await this.parts.store.message(key);
      mt = this.#open.get(msgId); // its time may have come meanwhile
      if (!mt && row?.state === "scheduled" && row.sp_id === spId) mt = mtOf(row);
    }
    if (!mt || mt.spId !== spId || mt.sent || this.#ending.has(msgId)) return false;
    await this.#end(mt, Stat.deleted, 0);
    return true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#retry?.cancel();
    this.#wake?.cancel();
    return Promise.resolve();
  }

  /** Every message in a state, page by page. */
  async #all(state: "sent" | "waiting", each: (row: MessageRow) => void): Promise<void> {
    let after: MessageRow | undefined;
    do {
      const rows = await this.parts.store.due(state, Number.MAX_SAFE_INTEGER, after);
      for (const row of rows) each(row);
      after = rows.at(-1);
    } while (after);
  }

  /** The message of a row; undefined where it is here already, about to end, or can't be read. */
  #takeUp(row: MessageRow): Mt | undefined {
    try {
      const mt = mtOf(row);
      if (this.#open.has(mt.msgId) || this.#ending.has(mt.msgId)) return undefined;
      this.#open.set(mt.msgId, mt);
      return mt;
    } catch (error) {
      // Another key, or a changed row: it can't be sent, but it must not stop all others.
      this.deps.log.error("a kept message can't be read", { msgId: row.msg_id, error: messageOf(error) });
      return undefined;
    }
  }

  #pump(): void {
    const { outlet, settings } = this.parts;
    while (!this.#stopped && this.#retry === undefined && this.#at < this.#ready.length) {
      if (this.#inWork >= Math.min(outlet.window, settings.outletWindow)) break;
      const mt = this.#ready[this.#at++]!;
      if (!this.#open.has(mt.msgId) || this.#ending.has(mt.msgId)) continue; // taken back
      const number = mt.submit.Dest_terminal_Id[0]!, behind = this.#behind.get(number);
      if (behind) behind.push(mt);
      else this.#hand(mt, number);
    }
    if (this.#at > 1024 && this.#at * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#at);
      this.#at = 0;
    }
  }

  /** A message waits for its turn at the centre; one that needs nothing of it goes at once. */
  #queue(mt: Mt): void {
    const number = mt.submit.Dest_terminal_Id[0]!;
    if (this.parts.outlet.goesElsewhere?.(mt) && !this.#behind.has(number)) this.#hand(mt, number);
    else this.#ready.push(mt);
  }

  #hand(mt: Mt, number: string): void {
    if (mt.expiresAt <= this.deps.clock.now()) return void this.#end(mt, Stat.expired, 0);
    // Set first: the receipt of a quick centre may come before its answer.
    mt.sent = true;
    const answer = this.parts.outlet.submit(mt);
    if (!(answer instanceof Promise)) return this.#answered(mt, answer);
    this.#inWork++;
    this.#behind.set(number, []);
    answer.then((one) => {
      this.#inWork--;
      const behind = this.#behind.get(number) ?? [];
      this.#behind.delete(number);
      if (one.kind === "busy") this.#ready.splice(this.#at, 0, mt, ...behind);
      else this.#ready.splice(this.#at, 0, ...behind);
      this.#answered(mt, one, true);
      this.#pump();
    });
  }

  #answered(mt: Mt, answer: OutletAnswer, queued = false): void {
    if (answer.kind === "refused") return void this.#end(mt, answer.stat, 0);
    if (answer.kind === "accepted") return this.#accepted(mt, answer.ref);
    mt.sent = false;
    if (!queued) this.#ready.splice(this.#at, 0, mt);
    if (this.#stopped) return;
    this.#retry ??= this.deps.clock.setTimer(() => {
      this.#retry = undefined;
      this.#pump();
    }, RETRY_MS);
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

  async #onReceipt({ msgId, stat, smscSequence }: Receipt): Promise<void> {
    const mt = this.#open.get(msgId);
    // Not final (reference, table 1), or of a message that has ended: its provider has its report.
    if (stat === Stat.accepted || !mt) return;
    await this.#end(mt, stat, smscSequence);
  }

  /** Ends a message: once, and for sure. Where the disk fails it is tried again until it does not. */
  async #end(mt: Mt, stat: string, smscSequence: number): Promise<void> {
    this.#ending.add(mt.msgId);
    this.#open.delete(mt.msgId);
    this.parts.outlet.forget(mt.msgId);
    try {
      await this.parts.end(mt, stat, smscSequence);
      this.#ending.delete(mt.msgId);
    } catch (error) {
      this.deps.log.error("the end of a message was not written, trying again", {
        msgId: mt.key,
        error: messageOf(error),
      });
      this.#after(RETRY_MS, () => void this.#end(mt, stat, smscSequence));
    }
  }

  #sweep(): void {
    const now = this.deps.clock.now(), { receiptGraceMs } = this.parts.outlet;
    for (const mt of this.#open.values()) {
      if (mt.expiresAt + (mt.sent ? receiptGraceMs : 0) <= now) void this.#end(mt, Stat.expired, 0);
    }
  }

  /** Takes scheduled messages whose time has come, as far as there is room for them. */
  async #lookForDue(): Promise<void> {
    const { store, settings } = this.parts, now = this.deps.clock.now();
    try {
      while (this.#open.size < settings.maxBacklog) {
        const rows = await store.due("scheduled", now);
        if (this.#stopped || rows.length === 0) break;
        const taken = rows.flatMap((row) => this.#takeUp(row) ?? []);
        for (const mt of taken) this.#queue(mt);
        await Promise.all(
          taken.map(({ key }) =>
            store.write({ moved: { msgId: key, state: "waiting", stat: null, at: null } })
          ),
        );
        this.#pump();
        if (taken.length === 0) break; // all of them are being taken back
      }
      const next = await store.nextDue();
      // With no room, or nothing to be read: look again in a while.
      if (next !== undefined) this.#wakeBy(Math.max(next, now + RETRY_MS));
    } catch (error) {
      this.deps.log.error("scheduled messages were not read, trying again", { error: messageOf(error) });
      this.#wakeBy(now + RETRY_MS);
    }
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

  #after(ms: number, callback: () => void): void {
    if (this.#stopped) return;
    const timer = this.deps.clock.setTimer(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }

  #every(ms: number, callback: () => void): void {
    this.#after(ms, () => {
      callback();
      this.#every(ms, callback);
    });
  }
}

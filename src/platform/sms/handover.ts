/**
 * Handing messages to the short-message centre: in order for each number, as many at once as it takes.
 *
 * @module
 */
import type { Clock, Timer } from "../../base/mod.ts";
import type { Mt } from "./message.ts";
import type { Outlet, OutletAnswer } from "./outlet.ts";

/** Whose messages these are, and who is told how they were taken. */
export interface HandoverOwner {
  /** Whether a message is still to be handed over: it may have been taken back, or have expired. */
  waits(mt: Mt): boolean;
  /** A message's validity was over when its turn came. */
  expired(mt: Mt): void;
  refused(mt: Mt, stat: string): void;
  /** The centre calls it `ref`; `held`: see {@linkcode OutletAnswer}. */
  accepted(mt: Mt, ref: string, held: boolean): void;
}

/** How long to wait before a busy centre is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/** Hands messages to the outlet. What it has of a message is only its place in the queue. */
export class Handover {
  #ready: Mt[] = [];
  #at = 0;
  /** Numbers that the centre is just taking a message for, and those that wait behind it. */
  readonly #behind = new Map<string, Mt[]>();
  #inWork = 0;
  #retry: Timer | undefined;
  #stopped = false;

  /** `window`: messages at the centre and not answered, at most, whatever the outlet would take. */
  constructor(
    private readonly clock: Pick<Clock, "now" | "setTimer">,
    private readonly outlet: Pick<Outlet, "window" | "submit" | "goesElsewhere">,
    private readonly window: number,
    private readonly owner: HandoverOwner,
  ) {}

  /** A message waits for its turn at the centre; one that needs nothing of it goes at once. */
  add(mt: Mt): void {
    const number = mt.submit.Dest_terminal_Id[0]!;
    if (this.outlet.goesElsewhere?.(mt) && !this.#behind.has(number)) this.#hand(mt, number);
    else this.#ready.push(mt);
  }

  /** Hands over what the centre has room for. */
  go(): void {
    while (!this.#stopped && this.#retry === undefined && this.#at < this.#ready.length) {
      if (this.#inWork >= Math.min(this.outlet.window, this.window)) break;
      const mt = this.#ready[this.#at++]!;
      if (!this.owner.waits(mt)) continue;
      const number = mt.submit.Dest_terminal_Id[0]!, behind = this.#behind.get(number);
      if (behind) behind.push(mt);
      else this.#hand(mt, number);
    }
    if (this.#at > 1024 && this.#at * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#at);
      this.#at = 0;
    }
  }

  /** Hands over nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
  }

  #hand(mt: Mt, number: string): void {
    if (mt.expiresAt <= this.clock.now()) return this.owner.expired(mt);
    // Set first: the receipt of a quick centre may come before its answer.
    mt.sent = true;
    const answer = this.outlet.submit(mt);
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
      this.go();
    });
  }

  #answered(mt: Mt, answer: OutletAnswer, queued = false): void {
    if (answer.kind === "refused") return this.owner.refused(mt, answer.stat);
    if (answer.kind === "accepted") return this.owner.accepted(mt, answer.ref, answer.held ?? false);
    mt.sent = false;
    if (!queued) this.#ready.splice(this.#at, 0, mt);
    if (this.#stopped) return;
    this.#retry ??= this.clock.setTimer(() => {
      this.#retry = undefined;
      this.go();
    }, RETRY_MS);
  }
}

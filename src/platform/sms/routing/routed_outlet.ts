/**
 * The way out that knows routes: to the own centre, or to the gateway that serves the phone.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../../base/mod.ts";
import { Result, Stat, statWithCode } from "../../../protocol/cmpp/mod.ts";
import type {
  Outlet,
  OutletAnswer,
  OutletListener,
  OutletMessage,
  OutletStatus,
  Receipt,
  TakenMessage,
} from "../outlet.ts";
import { nationalNumber } from "./numbers.ts";
import type { Decision, Router } from "./router.ts";

/** Hands a message to another gateway's queue; the Stat where it can't go there. */
export type Forward = (message: OutletMessage, code: string) => string | undefined;

/** Taken, and nothing to be kept of it: after a restart it is handed out again, and its gateway knows it then. */
const ACCEPTED: OutletAnswer = { kind: "accepted", ref: "", held: true };
/** How long to wait before the name server, or the centre, is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/** Routes what the dispatcher hands out. Messages to one number keep their order, also while their route is asked for. */
export class RoutedOutlet implements Outlet {
  /** Messages whose route is being asked for, by number. */
  readonly #asking = new Map<string, OutletMessage[]>();
  readonly #timers = new Set<Timer>();
  #listener: OutletListener | undefined;
  #stopped = false;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly inner: Outlet,
    private readonly router: Router,
    private readonly forward: Forward,
  ) {}

  get name(): string {
    return this.inner.name;
  }

  get connected(): boolean {
    return this.inner.connected;
  }

  get keepsRefs(): boolean {
    return this.inner.keepsRefs;
  }

  get receiptGraceMs(): number {
    return this.inner.receiptGraceMs;
  }

  get window(): number {
    return this.inner.window;
  }

  status(): OutletStatus {
    return this.inner.status();
  }

  restore(messages: Iterable<TakenMessage>): void {
    this.inner.restore(messages);
  }

  forget(msgId: bigint): void {
    this.inner.forget(msgId);
  }

  listen(listener: OutletListener): void {
    this.#listener = listener;
    this.inner.listen(listener);
  }

  /** Tells what another gateway has reported. */
  tell(receipt: Receipt): void {
    this.#listener?.onReceipt(receipt).catch((error) =>
      this.deps.log.error("what another gateway said was not taken", { error: messageOf(error) })
    );
  }

  /** Finds another way for messages that were taken already, in their order. */
  again(messages: readonly OutletMessage[]): void {
    for (const message of messages) {
      const number = nationalNumber(message.submit.Dest_terminal_Id[0]!), behind = this.#asking.get(number);
      if (behind) behind.push(message);
      else {
        const waiting = [message];
        this.#asking.set(number, waiting);
        void this.#whenKnown(number, waiting, Promise.resolve(this.router.decide("mt", number)));
      }
    }
  }

  goesElsewhere({ submit }: OutletMessage): boolean {
    if (this.router.trivial || submit.Dest_terminal_type === 1) return false;
    const number = nationalNumber(submit.Dest_terminal_Id[0]!);
    if (this.#asking.has(number)) return true;
    const decision = this.router.decide("mt", number);
    return !(decision instanceof Promise) && decision.kind !== "local";
  }

  submit(message: OutletMessage): Promise<OutletAnswer> | OutletAnswer {
    const { submit } = message;
    // What is behind a pseudo code only the platform beside the own centre knows.
    if (this.router.trivial || submit.Dest_terminal_type === 1) return this.inner.submit(message);
    const number = nationalNumber(submit.Dest_terminal_Id[0]!), behind = this.#asking.get(number);
    if (behind) {
      behind.push(message);
      return ACCEPTED;
    }
    const decision = this.router.decide("mt", number);
    if (!(decision instanceof Promise)) return this.#go(message, decision);
    return decision.then((known) => {
      if (known.kind !== "unknown") return this.#safely(message, known);
      // Nobody can say now. Others must not wait for that, so it waits here.
      this.again([message]);
      return ACCEPTED;
    });
  }

  /** Stops what it does itself: the centre is stopped by whoever started it. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    return Promise.resolve();
  }

  /** Sends what has waited for a route, in its order. */
  async #whenKnown(number: string, waiting: OutletMessage[], first: Promise<Decision>): Promise<void> {
    let decision = await first;
    while (waiting.length > 0 && !this.#stopped) {
      const message = waiting[0]!;
      // Ended meanwhile: the dispatcher looks after what expires.
      if (message.expiresAt <= this.deps.clock.now()) {
        waiting.shift();
        continue;
      }
      const answer = decision.kind === "unknown"
        ? { kind: "busy" as const }
        : await this.#safely(message, decision);
      if (answer.kind === "busy") {
        await this.#pause();
        if (this.#stopped) return;
        decision = await this.router.decide("mt", number);
        continue;
      }
      waiting.shift();
      const { msgId } = message;
      if (answer.kind === "refused") this.tell({ msgId, stat: answer.stat, smscSequence: 0 });
      else if (!answer.held) this.tell({ msgId, stat: Stat.accepted, smscSequence: 0, ref: answer.ref });
    }
    this.#asking.delete(number);
  }

  async #safely(message: OutletMessage, decision: Decision): Promise<OutletAnswer> {
    try {
      return await this.#go(message, decision);
    } catch (error) {
      this.deps.log.error("a message could not be handed out", { error: messageOf(error) });
      return { kind: "refused", stat: Stat.undeliverable };
    }
  }

  #go(message: OutletMessage, decision: Decision): Promise<OutletAnswer> | OutletAnswer {
    if (decision.kind === "local") return this.inner.submit(message);
    const stat = decision.kind === "gateway"
      ? this.forward(message, decision.code)
      : statWithCode("IA", Result.noRoute);
    return stat === undefined ? ACCEPTED : { kind: "refused", stat };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.deps.clock.setTimer(() => {
        this.#timers.delete(timer);
        resolve();
      }, RETRY_MS);
      this.#timers.add(timer);
    });
  }
}

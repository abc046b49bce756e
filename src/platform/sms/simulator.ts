/**
 * A short-message centre and its phones, played: for tests, demonstrations and load. Repeatable from a seed.
 *
 * @module
 */
import type { Clock, Random, Timer } from "../../base/mod.ts";
import { fmtFor, splitMessage, Stat } from "../../protocol/cmpp/mod.ts";
import type {
  MobileOriginated,
  Outlet,
  OutletAnswer,
  OutletListener,
  OutletMessage,
  OutletStatus,
  Receipt,
} from "./outlet.ts";

/** How the centre behaves; it can be changed while it runs. */
export interface SimulatorBehaviour {
  /** From acceptance to receipt, in milliseconds: anything between the two. */
  latencyMs: readonly [number, number];
  /** Stat to its share of all messages; the rest is DELIVRD. `ACCEPTD`: that first, and DELIVRD after it. */
  outcomes: Readonly<Record<string, number>>;
  /** Share of messages that never get a receipt: they expire. */
  silent: number;
  /** Share of messages refused at once, with this Stat. */
  refused: { readonly share: number; readonly stat: string };
  /** Says that it can't take messages now. */
  busy: boolean;
}

/** A centre that delivers everything at once. */
export const DEFAULT_BEHAVIOUR: SimulatorBehaviour = {
  latencyMs: [0, 0],
  outcomes: {},
  silent: 0,
  refused: { share: 0, stat: "MB:0001" },
  busy: false,
};

const ACCEPTED_REF: OutletAnswer = { kind: "accepted", ref: "sim" };

/** The played centre. */
export class Simulator implements Outlet {
  readonly name = "simulator";
  readonly connected = true;
  /** Its messages are gone with the process: what it had not reported on is handed over again. */
  readonly keepsRefs = false;
  readonly receiptGraceMs = 0;
  readonly window = Infinity;
  behaviour: SimulatorBehaviour;
  #listener: OutletListener | undefined;
  readonly #since: number;
  #sequence = 0;
  #reference = 0;
  /** Receipts by the millisecond that they are due in: one timer serves all of it. */
  readonly #due = new Map<number, Receipt[]>();
  readonly #timers = new Set<Timer>();

  constructor(
    private readonly clock: Clock,
    private readonly random: Pick<Random, "float">,
    behaviour: Partial<SimulatorBehaviour> = {},
  ) {
    this.behaviour = { ...DEFAULT_BEHAVIOUR, ...behaviour };
    this.#since = clock.now();
  }

  status(): OutletStatus {
    let unreported = 0;
    for (const receipts of this.#due.values()) unreported += receipts.length;
    const { name, connected } = this;
    return { name, connected, since: this.#since, unanswered: 0, unreported, lastError: undefined };
  }

  restore(): void {}

  forget(): void {}

  listen(listener: OutletListener): void {
    this.#listener = listener;
  }

  submit(message: OutletMessage): OutletAnswer {
    const { behaviour } = this;
    if (behaviour.busy) return { kind: "busy" };
    if (behaviour.refused.share > 0 && this.random.float() < behaviour.refused.share) {
      return { kind: "refused", stat: behaviour.refused.stat };
    }
    if (behaviour.silent > 0 && this.random.float() < behaviour.silent) return ACCEPTED_REF;
    const smscSequence = this.#sequence = (this.#sequence + 1) >>> 0;
    const stat = this.#outcome(), [least, most] = behaviour.latencyMs;
    const delay = Math.floor(least + (most > least ? this.random.float() * (most - least) : 0));
    const { msgId } = message;
    if (stat === Stat.accepted) {
      this.#at(delay, { msgId, stat, smscSequence });
      this.#at(delay + 1, { msgId, stat: Stat.delivered, smscSequence });
    } else this.#at(delay, { msgId, stat, smscSequence });
    return ACCEPTED_REF;
  }

  /** A phone writes: cut into parts as a phone would. Gives how many. */
  injectMo(from: string, to: string, text: string, fmt: number = fmtFor(text)): number {
    const parts = splitMessage(text, fmt, { reference: this.#reference = (this.#reference + 1) & 0xff });
    for (const { TP_udhi, Msg_Content } of parts) {
      const message: MobileOriginated = { from, to, TP_pid: 0, TP_udhi, Msg_Fmt: fmt, content: Msg_Content };
      // Nobody sends it again: where it can't be kept, the service says so in its log.
      this.#listener?.onMobileOriginated(message).catch(() => {});
    }
    return parts.length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#due.clear();
    this.#listener = undefined;
    return Promise.resolve();
  }

  #outcome(): string {
    const { outcomes } = this.behaviour;
    let point: number | undefined;
    for (const stat in outcomes) {
      point ??= this.random.float();
      point -= outcomes[stat]!;
      if (point < 0) return stat;
    }
    return Stat.delivered;
  }

  #at(delayMs: number, receipt: Receipt): void {
    const due = Math.floor(this.clock.monotonic()) + delayMs;
    const waiting = this.#due.get(due);
    if (waiting) return void waiting.push(receipt);
    this.#due.set(due, [receipt]);
    const timer = this.clock.setTimer(() => {
      this.#timers.delete(timer);
      const receipts = this.#due.get(due) ?? [];
      this.#due.delete(due);
      for (const one of receipts) void this.#listener?.onReceipt(one);
    }, delayMs);
    this.#timers.add(timer);
  }
}

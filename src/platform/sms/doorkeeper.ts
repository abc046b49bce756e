/**
 * Who is let in at all: addresses that send wrong secrets at speed are not, for a while.
 *
 * @module
 */
import { type Clock, KeyedRate } from "../../base/mod.ts";

/** How long an address that was wrong too often is kept out, in milliseconds. */
const KEPT_OUT_MS = 60_000;
/** Addresses remembered at most, so that made-up ones cost bounded memory. */
const MOST_ADDRESSES = 100_000;

/** Counts wrong secrets by address, and connections that have not said who they are. */
export class Doorkeeper {
  readonly #wrong: KeyedRate<string>;
  /** Until when, the soonest first. */
  readonly #blocked = new Map<string, number>();
  readonly #strangers = new Map<string, number>();

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    wrongSecretsPerMinute: number,
    private readonly most: { readonly strangers?: number; readonly addresses?: number } = {},
  ) {
    this.#wrong = new KeyedRate(clock, wrongSecretsPerMinute, 60_000, this.#mostAddresses);
  }

  /** Addresses that are kept out, as far as is known. */
  get blocked(): number {
    return this.#blocked.size;
  }

  /** Whether connections from an address are let in: not after too many wrong secrets, nor behind many strangers. */
  welcome(address: string): boolean {
    if ((this.#strangers.get(address) ?? 0) >= (this.most.strangers ?? Infinity)) return false;
    const until = this.#blocked.get(address);
    if (until === undefined) return true;
    if (until > this.clock.monotonic()) return false;
    this.#blocked.delete(address);
    return true;
  }

  /** Counts a CONNECT that did not prove who it is from. */
  countWrong(address: string): void {
    if (this.#wrong.take(address)) return;
    const now = this.clock.monotonic();
    this.#blocked.delete(address);
    for (const [other, until] of this.#blocked) {
      // Where there are too many, the one that is let in soonest anyway goes.
      if (until > now && this.#blocked.size < this.#mostAddresses) break;
      this.#blocked.delete(other);
    }
    this.#blocked.set(address, now + KEPT_OUT_MS);
  }

  /** A connection has come that has not said who it is. */
  strangerCame(address: string): void {
    this.#strangers.set(address, (this.#strangers.get(address) ?? 0) + 1);
  }

  /** It has said so, or is gone. */
  strangerLeft(address: string): void {
    const left = (this.#strangers.get(address) ?? 0) - 1;
    if (left > 0) this.#strangers.set(address, left);
    else this.#strangers.delete(address);
  }

  get #mostAddresses(): number {
    return this.most.addresses ?? MOST_ADDRESSES;
  }
}

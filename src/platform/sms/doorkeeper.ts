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

/** Counts wrong secrets by address. */
export class Doorkeeper {
  readonly #wrong: KeyedRate<string>;
  readonly #blocked = new Map<string, number>();

  constructor(private readonly clock: Pick<Clock, "monotonic">, wrongSecretsPerMinute: number) {
    this.#wrong = new KeyedRate(clock, wrongSecretsPerMinute, 60_000, MOST_ADDRESSES);
  }

  /** Whether connections from an address are let in: not after too many wrong secrets. */
  welcome(address: string): boolean {
    const until = this.#blocked.get(address);
    if (until === undefined) return true;
    if (until > this.clock.monotonic()) return false;
    this.#blocked.delete(address);
    return true;
  }

  /** Counts a CONNECT that did not prove who it is from. */
  countWrong(address: string): void {
    if (this.#wrong.take(address) || this.#blocked.size >= MOST_ADDRESSES) return;
    this.#blocked.set(address, this.clock.monotonic() + KEPT_OUT_MS);
  }
}

/**
 * A brake on guessing passwords, whoever guesses: after some wrong ones nobody's is looked at for a while, and each
 * further wrong one doubles that while.
 *
 * @module
 */
import { type Clock, GatehouseError } from "../../base/mod.ts";
import type { Passwords } from "./passwords.ts";

/** How patient a {@linkcode Lockout} is. */
export interface LockoutOptions {
  /** Wrong ones that cost nothing. */
  readonly free: number;
  readonly firstMs: number;
  readonly longestMs: number;
  /** Keys remembered; past that, the oldest is forgotten. */
  readonly maxKeys: number;
}

/** Failures by key, and until when each key is locked. */
export class Lockout {
  readonly #entries = new Map<string, { failures: number; until: number }>();

  constructor(private readonly clock: Pick<Clock, "monotonic">, private readonly options: LockoutOptions) {}

  /** Milliseconds until `key` may try again; 0: now. */
  lockedFor(key: string): number {
    const entry = this.#entries.get(key);
    return entry ? Math.max(0, entry.until - this.clock.monotonic()) : 0;
  }

  failed(key: string): void {
    const { free, firstMs, longestMs, maxKeys } = this.options;
    const failures = (this.#entries.get(key)?.failures ?? 0) + 1;
    const locked = failures < free ? 0 : Math.min(longestMs, firstMs * 2 ** Math.min(failures - free, 30));
    this.#entries.delete(key);
    if (this.#entries.size >= maxKeys) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { failures, until: this.clock.monotonic() + locked });
  }

  succeeded(key: string): void {
    this.#entries.delete(key);
  }
}

/** The reason that apps know for a wrong password (reference §7). */
export const WRONG_PASSWORD = "password err!";

/** Checks passwords under a brake of its own, which holds however many addresses a guesser has. */
export class PasswordGuard {
  readonly #lockout: Lockout;

  constructor(clock: Pick<Clock, "monotonic">, private readonly passwords: Pick<Passwords, "check">) {
    this.#lockout = new Lockout(clock, { free: 20, firstMs: 10_000, longestMs: 600_000, maxKeys: 1 });
  }

  /** Resolves where the candidate is the user's or the administrator's password. Throws `password`. */
  async check(candidate: string): Promise<void> {
    const locked = this.#lockout.lockedFor("");
    if (locked > 0) throw refused(`too many wrong passwords: try again in ${Math.ceil(locked / 1000)} s`);
    const found = await this.passwords.check(candidate);
    if (found.ok) return this.#lockout.succeeded("");
    if (found.reason === "unset") throw refused("no password is set");
    this.#lockout.failed("");
    throw refused(WRONG_PASSWORD);
  }
}

function refused(reason: string): GatehouseError {
  return new GatehouseError("password", reason);
}

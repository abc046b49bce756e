/**
 * A brake on guessing passwords, whoever guesses: after some wrong ones nobody's is looked at for a while, and each
 * further wrong one doubles that while.
 *
 * @module
 */
import { type Clock, GatehouseError } from "../../base/mod.ts";
import { Lockout } from "./lockout.ts";
import type { Passwords } from "./passwords.ts";

/** The reason that apps know for a wrong password (reference §7). */
export const WRONG_PASSWORD = "password err!";

/** How patient the brake for all is. */
export const GUARD_LOCKOUT = {
  free: 20,
  firstMs: 10_000,
  longestMs: 600_000,
  maxKeys: 1,
  forgetMs: 86_400_000,
} as const;

/** Checks passwords under a brake of its own, which holds however many addresses a guesser has. */
export class PasswordGuard {
  readonly #lockout: Lockout;

  /** `lockout`: one that survives a restart; default: one that does not. */
  constructor(
    clock: Pick<Clock, "monotonic">,
    private readonly passwords: Pick<Passwords, "check">,
    lockout?: Lockout,
  ) {
    this.#lockout = lockout ?? new Lockout(clock, GUARD_LOCKOUT);
  }

  /** Resolves where the candidate is the user's or the administrator's password. Throws `password`. */
  async check(candidate: string): Promise<void> {
    const locked = this.#lockout.lockedFor("");
    if (locked > 0) throw refused(lockedReason(locked));
    // Counted before it is known: many attempts at the same time are many attempts.
    const attempt = this.#lockout.attempt("");
    const found = await this.passwords.check(candidate).catch((error) => {
      attempt.takeBack();
      throw error;
    });
    if (found.ok) return attempt.right();
    if (found.reason === "unset") {
      attempt.takeBack();
      throw refused("no password is set");
    }
    attempt.wrong();
    throw refused(WRONG_PASSWORD);
  }
}

/** What a guesser is told who is locked out for `ms` milliseconds. */
export function lockedReason(ms: number): string {
  return `too many wrong passwords: try again in ${Math.ceil(ms / 1000)} s`;
}

function refused(reason: string): GatehouseError {
  return new GatehouseError("password", reason);
}

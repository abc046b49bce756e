/**
 * The local user's and the administrator's password (CHECK_PASSWD_PARAM, reference §7): kept only as scrypt
 * hashes, and there is none until somebody sets one.
 *
 * @module
 */
import { GatehouseError, type Random } from "../../base/mod.ts";
import type { StateStore } from "./state_store.ts";

/** Whose password. */
export type Account = "user" | "admin";
/** In the order in which CHECK_PASSWD_PARAM tries them. */
export const ACCOUNTS: readonly Account[] = ["user", "admin"];

/** What a check found. */
export type PasswordCheck =
  | { readonly ok: true; readonly account: Account }
  | { readonly ok: false; readonly reason: "wrong" | "unset" };

/** Cost of one hash: 16 MiB for some tens of milliseconds. One at a time, so that guessers can't fill the memory. */
const COST = { N: 16384, r: 8, p: 1 };
const KEY_BYTES = 32;
/** The longest password in characters; a longer guess is wrong without being hashed. */
export const MAX_PASSWORD = 64;
/** The shortest that can be set. */
export const MIN_PASSWORD = 4;

/** Sets and checks the two passwords. */
export class Passwords {
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly state: Pick<StateStore, "get" | "update">,
    private readonly random: Random,
  ) {}

  /** Which are set. */
  configured(): Record<Account, boolean> {
    const { userPassword, adminPassword } = this.state.get();
    return { user: userPassword !== undefined, admin: adminPassword !== undefined };
  }

  /**
   * Sets one, or with undefined clears it; resolves when that is on the disk.
   * Throws {@linkcode GatehouseError} `bad_password` where it is too short, too long or not printable.
   */
  async set(account: Account, password: string | undefined): Promise<void> {
    if (password !== undefined) {
      if (
        password.length < MIN_PASSWORD || password.length > MAX_PASSWORD || !/^[^\p{C}]+$/u.test(password)
      ) {
        throw new GatehouseError(
          "bad_password",
          `the ${account}'s password needs ${MIN_PASSWORD} to ${MAX_PASSWORD} printable characters`,
        );
      }
    }
    const hash = password === undefined ? undefined : await this.#inTurn(() => this.#hash(password));
    await this.state.update(account === "user" ? { userPassword: hash } : { adminPassword: hash });
  }

  /** Tries the user's, then the administrator's password. */
  check(candidate: string): Promise<PasswordCheck> {
    return this.#inTurn(async () => {
      const { userPassword: user, adminPassword: admin } = this.state.get();
      const hashes = { user, admin };
      let any = false;
      for (const account of ACCOUNTS) {
        const hash = hashes[account];
        if (hash === undefined) continue;
        any = true;
        if (candidate.length <= MAX_PASSWORD && await verify(candidate, hash)) return { ok: true, account };
      }
      return { ok: false, reason: any ? "wrong" : "unset" };
    });
  }

  async #hash(password: string): Promise<string> {
    const salt = this.random.bytes(16);
    const key = await derive(password, salt, COST);
    return ["scrypt", COST.N, COST.r, COST.p, salt.toBase64(), key.toBase64()].join("$");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}

async function verify(password: string, stored: string): Promise<boolean> {
  const [scheme, n, r, p, salt, key] = stored.split("$");
  if (scheme !== "scrypt" || salt === undefined || key === undefined) return false;
  const expected = Uint8Array.fromBase64(key);
  const derived = await derive(password, Uint8Array.fromBase64(salt), {
    N: Number(n),
    r: Number(r),
    p: Number(p),
  });
  const { timingSafeEqual } = await import("node:crypto");
  return derived.length === expected.length && timingSafeEqual(derived, expected);
}

/** Loaded on first use: most gateways check a password once in their life. */
async function derive(password: string, salt: Uint8Array, cost: typeof COST): Promise<Uint8Array> {
  const { scrypt } = await import("node:crypto");
  return await new Promise((resolve, reject) => {
    scrypt(
      password.normalize("NFC"),
      salt,
      KEY_BYTES,
      { ...cost, maxmem: 64 * 1024 * 1024 },
      (error, key) => {
        if (error) reject(error);
        else resolve(new Uint8Array(key));
      },
    );
  });
}

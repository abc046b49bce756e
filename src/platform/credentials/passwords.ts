/**
 * Passwords: which ones are taken, how they are kept (scrypt), and how many are worked on at once.
 *
 * @module
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { problem } from "../../control/mod.ts";

/** Cost of a hash: memory is 128 * `n` * `r` bytes, time grows with `n` * `r` * `p`. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about a fifth of a second: one of OWASP's equivalent minimum settings for scrypt. */
export const DEFAULT_COST: ScryptCost = { n: 2 ** 15, r: 8, p: 3 };

/** Hashes computed at once, and waiting for their turn: more are refused, so that a flood costs bounded memory. */
const AT_ONCE = 2;
const WAITING = 32;
const KEY_BYTES = 32;

/** Shortest password, in characters after normalization. */
export const MIN_PASSWORD = 8;
/** Longest password, in characters after normalization. */
export const MAX_PASSWORD = 128;

/** What everybody tries first; compared without case, and with digits around it cut off. */
const COMMON = new Set([
  "password",
  "passwort",
  "passw0rd",
  "p@ssword",
  "p@ssw0rd",
  "qwertyui",
  "qwertyuiop",
  "qwerty",
  "asdfghjkl",
  "zxcvbnm",
  "abcdefgh",
  "abcdefg",
  "abcd",
  "abc",
  "iloveyou",
  "woaini",
  "woaiwojia",
  "admin",
  "administrator",
  "telecomadmin",
  "useradmin",
  "letmein",
  "welcome",
  "sunshine",
  "football",
  "baseball",
  "monkey",
  "dragon",
  "princess",
  "superman",
  "master",
  "gatehouse",
]);

/** One form for what different keyboards write for the same characters. */
function normalizePassword(password: string): string {
  return password.normalize("NFKC");
}

/** Why a password is not taken, or undefined where it is. `name` is the user's. */
export function weakness(password: string, name: string): string | undefined {
  const text = normalizePassword(password), lower = text.toLowerCase();
  const length = [...text].length;
  if (length < MIN_PASSWORD) return `it needs at least ${MIN_PASSWORD} characters`;
  if (length > MAX_PASSWORD) return `it may have at most ${MAX_PASSWORD} characters`;
  if (new Set(text).size < 5) return "it needs at least 5 different characters";
  if (lower.includes(name) || name.includes(lower)) return "it must not contain the name";
  if (isRow(lower)) return "it must not be a row of neighbouring characters";
  if (COMMON.has(lower) || COMMON.has(lower.replace(/^[\d\W_]+|[\d\W_]+$/g, ""))) return "it is too common";
  return undefined;
}

/** Whether every character is the successor (or predecessor) of the one before: 12345678, hgfedcba. */
function isRow(text: string): boolean {
  const steps = new Set<number>();
  for (let i = 1; i < text.length; i++) steps.add((text.charCodeAt(i) - text.charCodeAt(i - 1) + 10) % 10);
  return /^\d+$/.test(text) ? steps.size === 1 : steps.size === 1 && (steps.has(1) || steps.has(9));
}

/** Hashes and verifies passwords, a few at a time. */
export class Passwords {
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #dummy: Promise<string> | undefined;

  constructor(private readonly cost: ScryptCost = DEFAULT_COST) {}

  /** The text to keep: `scrypt$n$r$p$salt$key`, salt and key as hex. Throws the 503 where too many wait. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(16), { n, r, p } = this.cost;
    const key = await this.#inTurn(() => derive(normalizePassword(password), salt, this.cost));
    return `scrypt$${n}$${r}$${p}$${salt.toString("hex")}$${key.toString("hex")}`;
  }

  /**
   * Whether `password` is the one behind `kept`. With `kept` undefined (no such user) it takes as long and is
   * false, so that the time of an answer does not tell which names exist.
   */
  async verify(password: string, kept: string | undefined): Promise<boolean> {
    const [, n, r, p, salt, key] = (kept ?? await (this.#dummy ??= this.hash("no password at all"))).split(
      "$",
    );
    const expected = hex(key!), cost = { n: Number(n), r: Number(r), p: Number(p) };
    const given = await this.#inTurn(() => derive(normalizePassword(password), hex(salt!), cost));
    return timingSafeEqual(given, expected) && kept !== undefined;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= WAITING) {
        throw problem(503, "busy", "too many sign-ins at once", { retryAfterSeconds: 5 });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

function derive(password: string, salt: Uint8Array, { n, r, p }: ScryptCost) {
  return new Promise<Uint8Array & { toString(encoding: "hex"): string }>((resolve, reject) =>
    scrypt(
      password,
      salt,
      KEY_BYTES,
      { N: n, r, p, maxmem: 256 * n * r },
      (error, key) => error ? reject(error) : resolve(key),
    )
  );
}

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}

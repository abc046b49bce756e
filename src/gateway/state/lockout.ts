/**
 * Wrong attempts by key, and until when each key is locked out: a while that doubles with each further wrong attempt.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";

/** How patient a {@linkcode Lockout} is. */
export interface LockoutOptions {
  /** Wrong ones that cost nothing. */
  readonly free: number;
  readonly firstMs: number;
  readonly longestMs: number;
  /** Keys remembered; past that, the oldest is forgotten. */
  readonly maxKeys: number;
  /** Without a wrong attempt for this long, a key begins anew. Default: a day. */
  readonly forgetMs?: number;
}

/** An entry as it is kept over a restart; durations in milliseconds, for a wall clock may start at any time. */
export interface KeptLock {
  readonly key: string;
  readonly failures: number;
  /** What was left of the lock, and how long ago its last attempt was, when it was kept. */
  readonly leftMs: number;
  readonly agoMs: number;
}

/** One attempt whose end is not known yet: it counts as wrong until that is. Say its end once. */
export interface Attempt {
  right(): void;
  wrong(): void;
  /** It was no attempt at all. */
  takeBack(): void;
}

interface Entry {
  failures: number;
  until: number;
  at: number;
}

/** Failures by key, and until when each key is locked. */
export class Lockout {
  readonly #entries = new Map<string, Entry>();
  readonly #forgetMs: number;

  /** `kept`: entries of before a restart. `changed`: told when there is something new to keep. */
  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly options: LockoutOptions,
    kept: readonly KeptLock[] = [],
    private readonly changed: () => void = () => {},
  ) {
    this.#forgetMs = options.forgetMs ?? 86_400_000;
    const now = clock.monotonic();
    for (const { key, failures, leftMs, agoMs } of kept.slice(-options.maxKeys)) {
      if (agoMs >= this.#forgetMs) continue;
      const until = now + Math.min(leftMs, options.longestMs);
      this.#entries.set(key, { failures, until, at: now - agoMs });
    }
  }

  /** Milliseconds until `key` may try again; 0: now. */
  lockedFor(key: string): number {
    const entry = this.#entries.get(key);
    return entry ? Math.max(0, entry.until - this.clock.monotonic()) : 0;
  }

  /** Begins an attempt. */
  attempt(key: string): Attempt {
    const before = this.#entries.has(key), entry = this.#count(key);
    return {
      right: () => {
        const kept = before || entry.failures > 1;
        if (this.#entries.delete(key) && kept) this.changed();
      },
      wrong: () => this.changed(),
      takeBack: () => {
        // Forgotten meanwhile: what is counted there now is others'.
        if (this.#entries.get(key) !== entry) return;
        if (--entry.failures <= 0) this.#entries.delete(key);
        else entry.until = Math.min(entry.until, this.clock.monotonic() + this.#lockOf(entry.failures));
      },
    };
  }

  /** Counts a wrong attempt. */
  failed(key: string): void {
    this.attempt(key).wrong();
  }

  /** Forgets the wrong attempts of a key. */
  succeeded(key: string): void {
    if (this.#entries.delete(key)) this.changed();
  }

  /** Everything that is to be kept. */
  snapshot(): KeptLock[] {
    const now = this.clock.monotonic();
    return [...this.#entries].map(([key, { failures, until, at }]) => ({
      key,
      failures,
      leftMs: Math.max(0, Math.round(until - now)),
      agoMs: Math.max(0, Math.round(now - at)),
    }));
  }

  #count(key: string): Entry {
    const now = this.clock.monotonic(), known = this.#entries.get(key);
    // One entry for as long as it is remembered: attempts that end late find it by that.
    const entry = known && now - known.at < this.#forgetMs ? known : { failures: 0, until: 0, at: 0 };
    this.#entries.delete(key); // the youngest is the last
    if (this.#entries.size >= this.options.maxKeys) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    entry.failures++;
    entry.until = now + this.#lockOf(entry.failures);
    entry.at = now;
    this.#entries.set(key, entry);
    return entry;
  }

  #lockOf(failures: number): number {
    const { free, firstMs, longestMs } = this.options;
    return failures < free ? 0 : Math.min(longestMs, firstMs * 2 ** Math.min(failures - free, 30));
  }
}

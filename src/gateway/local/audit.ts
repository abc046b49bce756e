/**
 * Who asked what at the local port, and what came of it: for people who look later. No fields of requests and replies,
 * so no secrets.
 *
 * @module
 */
import { type Clock, type Log, TokenBucket } from "../../base/mod.ts";

/**
 * What came of it:
 * - `done`: Status "0"
 * - `failed`: another status or result; the reason says which
 * - `locked`: not asked on, after too many wrong passwords
 * - `unreadable`: bytes that are no Post1
 * - `refused`: the connection was not let in
 * - `dropped`: the connection was ended: too slow, too long, or broken
 */
export const AUDIT_OUTCOMES = ["done", "failed", "locked", "unreadable", "refused", "dropped"] as const;
/** One of {@linkcode AUDIT_OUTCOMES}. */
export type AuditOutcome = typeof AUDIT_OUTCOMES[number];

/** What happened. */
export interface AuditEvent {
  /** The peer's address. */
  readonly from: string;
  readonly via: "tcp" | "http";
  readonly outcome: AuditOutcome;
  readonly command?: string;
  readonly plugin?: string;
  readonly result?: number;
  readonly reason?: string;
}

/** An event that was noted; the same one several times in a row is one entry. */
export interface AuditEntry extends AuditEvent {
  /** Milliseconds since 1970, of the last time. */
  readonly at: number;
  readonly times: number;
}

const MAX_ENTRIES = 500;
const MAX_TEXT = 100;

/** The last 500 entries in memory; each also goes to the log, ten a second at most. */
export class LocalAudit {
  readonly #entries: AuditEntry[] = [];
  readonly #lines: TokenBucket;
  #withheld = 0;

  constructor(
    private readonly deps: { readonly clock: Pick<Clock, "now" | "monotonic">; readonly log: Log },
  ) {
    this.#lines = new TokenBucket(deps.clock, 10, 50);
  }

  /** The entries, the youngest first. */
  entries(limit = MAX_ENTRIES): AuditEntry[] {
    return this.#entries.slice(-limit).reverse();
  }

  note(event: AuditEvent): void {
    const at = this.deps.clock.now(), entry = short(event), last = this.#entries.at(-1);
    if (last && same(last, entry)) {
      this.#entries[this.#entries.length - 1] = { ...last, at, times: last.times + 1 };
    } else {
      this.#entries.push({ ...entry, at, times: 1 });
      if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    }
    if (!this.#lines.take()) return void this.#withheld++;
    this.deps.log.info("local port", {
      ...entry,
      ...(this.#withheld > 0 && { withheld: this.#withheld }),
    });
    this.#withheld = 0;
  }
}

const TEXTS = ["from", "command", "plugin", "reason"] as const;

function short(event: AuditEvent): AuditEvent {
  const cut: Record<string, unknown> = { ...event };
  for (const name of TEXTS) {
    const text = event[name];
    if (text === undefined || text === "") delete cut[name];
    else if (text.length > MAX_TEXT) cut[name] = text.slice(0, MAX_TEXT) + "…";
  }
  return cut as unknown as AuditEvent;
}

function same(a: AuditEvent, b: AuditEvent): boolean {
  return a.via === b.via && a.outcome === b.outcome && a.result === b.result &&
    TEXTS.every((name) => a[name] === b[name]);
}

/**
 * Telling a database that is away from a statement that is wrong: what drivers throw, sorted.
 *
 * @module
 */
import { messageOf } from "../base/mod.ts";
import { StorageError, type StorageErrorCode } from "./errors.ts";

/** What befalls a database while the program runs. */
export type Fault = Extract<StorageErrorCode, "away" | "slow" | "full" | "broken">;

/** What a driver's error means. */
export interface Diagnosis {
  readonly fault: Fault;
  /** The database itself is unwell; false where only this statement met another one and may be tried again. */
  readonly outage: boolean;
}

/** PostgreSQL's SQLSTATEs (its manual, appendix A), by their beginnings. */
const SQLSTATES: readonly (readonly [beginning: string, Diagnosis])[] = [
  ["08", { fault: "away", outage: true }], // connection exception
  ["57P", { fault: "away", outage: true }], // shutting down, starting up, database dropped
  ["28", { fault: "away", outage: true }], // not let in any more
  ["3D000", { fault: "away", outage: true }], // no such database any more
  ["53100", { fault: "full", outage: true }],
  ["53", { fault: "away", outage: true }], // no memory, too many connections
  ["58030", { fault: "broken", outage: true }], // input/output error
  ["25006", { fault: "broken", outage: true }], // read-only: a standby, or one that was made so
  ["57014", { fault: "slow", outage: true }], // a statement took too long
  ["25P0", { fault: "slow", outage: true }], // a transaction idled, or took too long
  ["40", { fault: "slow", outage: false }], // deadlock, serialization
  ["55P03", { fault: "slow", outage: false }], // a lock was not to be had
];

/** SQLite's primary result codes, for runtimes that give them, and its words for those that don't. */
const SQLITE: Readonly<Record<number, Diagnosis>> = {
  5: { fault: "slow", outage: true }, // busy: another process holds it
  6: { fault: "slow", outage: true }, // locked
  7: { fault: "broken", outage: true }, // no memory
  8: { fault: "broken", outage: true }, // read-only
  10: { fault: "broken", outage: true }, // input/output error
  11: { fault: "broken", outage: true }, // corrupt
  13: { fault: "full", outage: true },
  14: { fault: "broken", outage: true }, // can't open a file
  26: { fault: "broken", outage: true }, // not a database
};

const SQLITE_WORDS: readonly (readonly [words: RegExp, code: number])[] = [
  [/database or disk is full/, 13],
  [/disk I\/O error/, 10],
  [/database( table| schema)? is locked/, 5],
  [/readonly database/, 8],
  [/unable to open database file/, 14],
  [/malformed/, 11],
  [/not a database/, 26],
  [/^out of memory/, 7],
];

/** What the system says of connections. */
const SYSTEM =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_\w+|EADDRNOTAVAIL|EMFILE|ENFILE)$/;

/** What the PostgreSQL client says in words only. */
const WORDS: readonly (readonly [words: RegExp, Diagnosis])[] = [
  [/timeout exceeded when trying to connect|due to connection timeout|query read timeout/i, {
    fault: "slow",
    outage: true,
  }],
  [
    /connection terminated|connection ended|not queryable|has been discarded|failed to lookup address|dns error/i,
    { fault: "away", outage: true },
  ],
];

/** What `error` says of the database; undefined where it is about the statement itself. */
export function diagnose(error: unknown): Diagnosis | undefined {
  if (!(error instanceof Error) || error instanceof StorageError) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code === "ERR_SQLITE_ERROR") {
    const number = typeof errcode === "number"
      ? errcode & 0xff
      : SQLITE_WORDS.find(([words]) => words.test(error.message))?.[1];
    return number === undefined ? undefined : SQLITE[number];
  }
  if (typeof code === "string") {
    if (/^[0-9A-Z]{5}$/.test(code)) {
      const known = SQLSTATES.find(([beginning]) => code.startsWith(beginning));
      if (known) return known[1];
    }
    if (SYSTEM.test(code)) return { fault: "away", outage: true };
  }
  return WORDS.find(([words]) => words.test(error.message))?.[1];
}

const SAID: Readonly<Record<Fault, string>> = {
  away: "the database is away",
  slow: "the database does not answer in time",
  full: "the database's disk is full",
  broken: "the database can't be read or written",
};

/** The error that the floors above see. */
export function faultError(fault: Fault, cause: unknown): StorageError {
  return new StorageError(fault, `${SAID[fault]}: ${messageOf(cause)}`, { cause });
}

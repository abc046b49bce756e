/**
 * What the store is told to write: each change whole, or not at all.
 *
 * @module
 */
import type { Transaction } from "kysely";
import type { CounterRow, MessageRow, MessageState, OutboxRow, ReceivedRow, SmsTables } from "./schema.ts";

/** The counters of a day. */
export const COUNTERS = [
  "mt_messages",
  "mt_users",
  "mt_sent",
  "mt_failed",
  "mo_taken",
  "mo_delivered",
  "mo_failed",
] as const satisfies readonly (keyof CounterRow)[];

/** What counters a change moves. */
export interface Count extends Partial<Omit<CounterRow, "day" | "sp_id" | "service_id">> {
  readonly day: string;
  readonly sp_id: string;
  readonly service_id: string;
}

/** Where a message stands now. */
export interface Move {
  readonly msgId: string;
  readonly state: MessageState;
  readonly stat: string | null;
  readonly at: number | null;
  /** What the centre calls it. */
  readonly ref?: string;
}

/** How something that a phone wrote ended. */
export interface ReceivedEnd {
  readonly id: number;
  readonly state: "delivered" | "failed";
  /** Of DELIVER_RESP. */
  readonly result: number | null;
  readonly at: number;
}

/** A change: all of it is written, or nothing. */
export interface Change {
  /** New messages. */
  readonly messages?: readonly MessageRow[];
  readonly moved?: Move;
  /** What a provider is to get. */
  readonly outbox?: OutboxRow;
  /** What it took, or what is given up. */
  readonly taken?: { readonly spId: string; readonly id: number };
  /** What a phone wrote, and how that ended. */
  readonly received?: ReceivedRow;
  readonly receivedEnd?: ReceivedEnd;
  readonly count?: Count;
  /** What else goes with it, in the same transaction: the tables of routing are not this store's. */
  readonly also?: (transaction: Transaction<SmsTables>) => Promise<void>;
}

/** The counts of many changes, added up by day, provider and service. */
export function addUp(counts: Iterable<Count>): Required<Count>[] {
  const sums = new Map<string, Required<Count>>();
  for (const count of counts) {
    const key = `${count.day}\0${count.sp_id}\0${count.service_id}`;
    let total = sums.get(key);
    if (!total) {
      total = { ...count, ...Object.fromEntries(COUNTERS.map((n) => [n, 0])) } as Required<Count>;
      sums.set(key, total);
    }
    for (const name of COUNTERS) total[name] += count[name] ?? 0;
  }
  return [...sums.values()];
}

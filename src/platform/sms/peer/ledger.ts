/**
 * What is kept of the traffic between gateways: FWDs that wait for a peer, and those that peers have sent.
 *
 * @module
 */
import type { Kysely, Transaction } from "kysely";
import { encodeMessage, type Fwd, FwdType, msgIdHex } from "../../../protocol/cmpp/mod.ts";
import type { ForwardRow, ReceivedRow, RoutingTables } from "../routing/mod.ts";
import type { SmsTables } from "../schema.ts";
import { type Page, pageOfRows } from "../mailbox.ts";
import type { Seal } from "../../credentials/mod.ts";
import type { Unreadable } from "../unreadable.ts";
import { type ForwardItem, forwardItemOf, forwardRow, fwdOf } from "./item.ts";

/** A change to be written with others: see `Change.also`. */
export type Also = (transaction: Transaction<SmsTables>) => Promise<void>;

/** A message that a peer has sent. */
export interface Received {
  readonly peer: string;
  /** What it is called here. */
  readonly localId: bigint;
  readonly createdAt: number;
  readonly fwd: Fwd;
}

/** What tells a received message from all others. */
export type ReceivedKey = Pick<ReceivedRow, "kind" | "msg_id" | "pk_number" | "source_id">;

const PAGE = 500;

/** The tables of this part. Everything that changes them is written by the service's store, with what it belongs to. */
export class Ledger {
  #lastId: number;

  private constructor(
    private readonly db: Kysely<RoutingTables>,
    private readonly seal: Seal,
    private readonly unreadable: Unreadable,
    private readonly keptMs: number,
    lastId: number,
  ) {
    this.#lastId = lastId;
  }

  /** `keptMs`: how long an item is tried. */
  static async open(
    db: Kysely<RoutingTables>,
    seal: Seal,
    unreadable: Unreadable,
    keptMs: number,
  ): Promise<Ledger> {
    const row = await db.selectFrom("sms_forward").select((eb) => eb.fn.max("id").as("id"))
      .executeTakeFirst();
    return new Ledger(db, seal, unreadable, keptMs, Number(row?.id ?? 0));
  }

  /** A new item for a peer. */
  item(peer: string, fwd: Fwd, now: number): ForwardItem {
    return { id: ++this.#lastId, peer, fwd, createdAt: now, expiresAt: now + this.keptMs };
  }

  /** Keeps an item until the peer has it. */
  keep(item: ForwardItem): Also {
    const row = forwardRow(item, this.seal);
    return async (transaction) => void await own(transaction).insertInto("sms_forward").values(row).execute();
  }

  /** Done with an item. */
  drop({ peer, id }: Pick<ForwardItem, "peer" | "id">): Also {
    return async (transaction) =>
      void await own(transaction).deleteFrom("sms_forward").where("peer", "=", peer).where("id", "=", id)
        .execute();
  }

  /** The peer has it; it waits for its report. */
  accepted({ peer, id }: Pick<ForwardItem, "peer" | "id">): Also {
    return async (transaction) =>
      void await own(transaction).updateTable("sms_forward").set({ state: "accepted" })
        .where("peer", "=", peer).where("id", "=", id).execute();
  }

  /** What waits for a peer, behind `after`, in order. */
  async queued(peer: string, after: number, limit: number): Promise<Page<ForwardItem>> {
    const rows = await this.db.selectFrom("sms_forward").selectAll().where("peer", "=", peer)
      .where("id", ">", after).where("state", "=", "queued").orderBy("id").limit(limit).execute();
    return pageOfRows(rows, limit, (row) => this.#item(row));
  }

  /** The message of a phone with this Msg_Id that was not reported on yet. */
  async openMo(msgId: bigint): Promise<ForwardItem | undefined> {
    const row = await this.db.selectFrom("sms_forward").selectAll().where("msg_id", "=", msgIdHex(msgId))
      .where("kind", "=", FwdType.mo).executeTakeFirst();
    return row && this.#item(row);
  }

  /** Peers that something waits for, and how much. */
  async sizes(): Promise<{ peer: string; state: string; count: number }[]> {
    const rows = await this.db.selectFrom("sms_forward")
      .select((eb) => ["peer" as const, "state" as const, eb.fn.countAll<number>().as("count")])
      .groupBy(["peer", "state"]).orderBy("peer").orderBy("state").execute();
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }

  /** A page of what was kept before `before`; behind an id, where it is given. */
  async stale(before: number, after = 0): Promise<Page<ForwardItem>> {
    const rows = await this.db.selectFrom("sms_forward").selectAll().where("created_at", "<", before)
      .where("id", ">", after).orderBy("id").limit(PAGE).execute();
    return pageOfRows(rows, PAGE, (row) => this.#item(row));
  }

  /** Keeps what a peer has sent. */
  receive(key: ReceivedKey, received: Received, state: ReceivedRow["state"]): Also {
    const row: ReceivedRow = {
      ...key,
      peer: received.peer,
      local_id: msgIdHex(received.localId),
      state,
      created_at: received.createdAt,
      pdu: this.seal.seal(encodeMessage(received.fwd, 3)),
    };
    return async (transaction) =>
      void await own(transaction).insertInto("sms_received").values(row).execute();
  }

  /** Its report is on its way. */
  reported(localId: bigint, kind: number, pkNumber: number): Also {
    return async (transaction) =>
      void await own(transaction).updateTable("sms_received").set({ state: "done" })
        .where("local_id", "=", msgIdHex(localId)).where("kind", "=", kind).where("pk_number", "=", pkNumber)
        .execute();
  }

  /** Who sent this very message, where it was sent before. */
  async senderOf(key: ReceivedKey): Promise<string | undefined> {
    const row = await this.db.selectFrom("sms_received").select("peer").where("msg_id", "=", key.msg_id)
      .where("kind", "=", key.kind).where("pk_number", "=", key.pk_number)
      .where("source_id", "=", key.source_id).executeTakeFirst();
    return row?.peer;
  }

  /** What peers sent under this Msg_Id, with whether it waits for its report. */
  async received(kind: number, msgId: bigint): Promise<(Received & { open: boolean })[]> {
    const rows = await this.db.selectFrom("sms_received").selectAll().where("msg_id", "=", msgIdHex(msgId))
      .where("kind", "=", kind).execute();
    return rows.flatMap((row) => this.#received(row).map((one) => ({ ...one, open: row.state === "open" })));
  }

  /** All that peers sent and wait for reports on. */
  async open(kind: number, before = Number.MAX_SAFE_INTEGER): Promise<Received[]> {
    const rows = await this.db.selectFrom("sms_received").selectAll().where("state", "=", "open")
      .where("kind", "=", kind).where("created_at", "<", before).execute();
    return rows.flatMap((row) => this.#received(row));
  }

  /** Forgets what was reported on and came before `before`; gives how much. */
  async forget(before: number): Promise<number> {
    const result = await this.db.deleteFrom("sms_received").where("state", "=", "done")
      .where("created_at", "<", before).executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  #item(row: ForwardRow): ForwardItem | undefined {
    return this.unreadable.read(`forward ${row.id}`, () => forwardItemOf(row, this.seal, this.keptMs));
  }

  #received(row: ReceivedRow): Received[] {
    const fwd = this.unreadable.read(`received ${row.local_id}`, () => fwdOf(this.seal.open(row.pdu)));
    if (!fwd) return [];
    return [{ peer: row.peer, localId: BigInt(`0x${row.local_id}`), createdAt: row.created_at, fwd }];
  }
}

/** The transaction of the service's tables as one of this part's: they are in one database. */
function own(transaction: Transaction<SmsTables>): Transaction<RoutingTables> {
  return transaction as unknown as Transaction<RoutingTables>;
}

/**
 * The gateways that operators have preset: look-up, listing, editing, and what registration learns of them.
 *
 * @module
 */
import {
  type Expression,
  type ExpressionBuilder,
  type Insertable,
  type Kysely,
  sql,
  type SqlBool,
  type Updateable,
} from "kysely";
import type { Clock } from "../../base/mod.ts";
import { onServer, Statement, stillIs } from "../../storage/mod.ts";
import type { Outbox } from "../outbox/mod.ts";
import type { PlatformEvents } from "../subjects.ts";
import { type CommandOwner, orphanCommands, type ORPHANED } from "./commands.ts";
import type { GatewayResetRow, GatewayRow, RegistryTables } from "./schema.ts";

/** What an operator says of a gateway when presetting it. */
export interface GatewayPreset {
  readonly mac: string;
  readonly sn: string;
  readonly loid: string;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly region?: string | undefined;
}

/** Which gateways a listing asks for: all that is given must hold. `after` is the last MAC of the page before. */
export interface GatewayQuery {
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly region?: string | undefined;
  readonly loid?: string | undefined;
  readonly online?: boolean | undefined;
  /** A further condition on the row. */
  readonly where?: GatewayCondition | undefined;
  /** Those that were removed instead of those that are there. */
  readonly removed?: boolean | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A condition on the row `gateway`, perhaps with other tables of the same database in it. */
// deno-lint-ignore no-explicit-any -- which tables those are is the business of whoever made it
export type GatewayCondition = (eb: ExpressionBuilder<any, "gateway">) => Expression<SqlBool>;

/** What presence hands over to be kept. `lastSeenAt` is null where this process has heard nothing yet. */
export interface LastSeen {
  readonly mac: string;
  readonly address: string | null;
  readonly lastSeenAt: number | null;
  readonly online: boolean;
}

/** Gateways as rows. */
export class GatewayStore {
  readonly #find: Statement<GatewayRow>;
  readonly #seen: Statement<unknown>;

  /** `outbox`: where it is written what happened to gateways and their commands, together with that. */
  constructor(
    private readonly db: Kysely<RegistryTables>,
    private readonly clock: Pick<Clock, "now">,
    private readonly outbox?: Outbox,
  ) {
    this.#find = new Statement(() =>
      db.selectFrom("gateway").selectAll().where("mac", "=", "").where("deleted_at", "is", null)
    );
    this.#seen = new Statement(() =>
      db.updateTable("gateway")
        .set({ address: "", online: 0, last_seen_at: sql<number>`coalesce(${0}, last_seen_at)` })
        .where("mac", "=", "")
    );
  }

  async find(mac: string): Promise<GatewayRow | undefined> {
    return (await this.#find.run(this.db, [mac]))[0];
  }

  byLoid(loid: string, limit: number): Promise<GatewayRow[]> {
    return this.db.selectFrom("gateway").selectAll().where("loid", "=", loid)
      .where("deleted_at", "is", null).limit(limit).execute();
  }

  /** Every gateway that has registered, in pages, for presence to start from. */
  async *registered(page = 5000): AsyncGenerator<GatewayRow[]> {
    for (let after = "";;) {
      const rows = await this.db.selectFrom("gateway").selectAll()
        .where("mac", ">", after).where("registered_at", "is not", null).where("deleted_at", "is", null)
        .orderBy("mac").limit(page).execute();
      if (rows.length === 0) return;
      yield rows;
      after = rows.at(-1)!.mac;
    }
  }

  list(query: GatewayQuery): Promise<GatewayRow[]> {
    // SQLite takes no index for a column with a sign: nearly all rows are there, and would have to be sorted. PostgreSQL
    // knows how many are, unless a sign hides the column.
    const there = onServer(this.db) ? sql<boolean>`deleted_at is null` : sql<boolean>`+deleted_at is null`;
    let select = this.db.selectFrom("gateway").selectAll().orderBy("mac").limit(query.limit)
      .where(query.removed ? sql<boolean>`deleted_at is not null` : there);
    const { where: condition } = query;
    // What it needs beyond the gateway's own row is in tables of the same database.
    if (condition) select = select.where((eb) => condition(eb as Parameters<GatewayCondition>[0]));
    if (query.vendor !== undefined) select = select.where("vendor", "=", query.vendor);
    if (query.model !== undefined) select = select.where("model", "=", query.model);
    if (query.region !== undefined) select = select.where("region", "=", query.region);
    if (query.loid !== undefined) select = select.where("loid", "=", query.loid);
    if (query.online !== undefined) select = select.where("online", "=", query.online ? 1 : 0);
    if (query.after !== undefined) select = select.where("mac", ">", query.after);
    return select.execute();
  }

  /**
   * Adds gateways, all or none. A MAC or SN that is there already is left alone: `there` has the rows that have it, by
   * the MAC that was not preset for them. One that was removed makes way.
   */
  preset(gateways: readonly GatewayPreset[]): Promise<{ created: number; there: Map<string, GatewayRow[]> }> {
    const now = this.clock.now(), there = new Map<string, GatewayRow[]>();
    let created = 0;
    return this.db.transaction().execute(async (tx) => {
      for (const gateway of gateways) {
        const row: Insertable<GatewayRow> = {
          mac: gateway.mac,
          sn: gateway.sn,
          loid: gateway.loid,
          vendor: gateway.vendor ?? null,
          model: gateway.model ?? null,
          region: gateway.region ?? null,
          ...UNREGISTERED,
          created_at: now,
          updated_at: now,
          deleted_at: null,
        };
        await tx.deleteFrom("gateway").where("deleted_at", "is not", null)
          .where((where) => where.or([where("mac", "=", gateway.mac), where("sn", "=", gateway.sn)]))
          .execute();
        const { numInsertedOrUpdatedRows } = await tx.insertInto("gateway").values(row)
          .onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
        if (numInsertedOrUpdatedRows) {
          created++;
          continue;
        }
        const rows = await tx.selectFrom("gateway").selectAll()
          .where((where) => where.or([where("mac", "=", gateway.mac), where("sn", "=", gateway.sn)]))
          .execute();
        there.set(gateway.mac, rows);
      }
      return { created, there };
    });
  }

  /** Of these gateways those whose LOID another one has too, with the MAC of one that has it. */
  async sharingLoid(macs: readonly string[]): Promise<Map<string, string>> {
    // One probe of the index each, however many have that LOID.
    const rows = await this.db.selectFrom("gateway as g").select((eb) => [
      "g.mac",
      eb.selectFrom("gateway as o").select("o.mac").whereRef("o.loid", "=", "g.loid")
        .whereRef("o.mac", "!=", "g.mac").where("o.deleted_at", "is", null).limit(1).as("other"),
    ]).where("g.mac", "in", macs).where("g.deleted_at", "is", null).execute();
    return new Map(rows.flatMap(({ mac, other }) => other === null ? [] : [[mac, other]]));
  }

  /** Changes a gateway; false where there is none of that MAC, or it is not as `was` says any more. */
  update(
    mac: string,
    change: Updateable<Omit<GatewayRow, "mac">>,
    was?: Partial<GatewayRow>,
  ): Promise<boolean> {
    return this.#update(this.db, mac, change, was);
  }

  /** Keeps what was learned of a gateway that has registered; false where it was removed. */
  noteRegistered(
    change: Updateable<Omit<GatewayRow, "mac">>,
    event: PlatformEvents["gateway.registered"],
  ): Promise<boolean> {
    const { outbox } = this;
    if (!outbox?.wants("gateway.registered", event)) return this.#update(this.db, event.mac, change);
    return this.db.transaction().execute(async (tx) => {
      const there = await this.#update(tx, event.mac, change);
      if (there) await outbox.put(tx, "gateway.registered", event);
      return there;
    });
  }

  async #update(
    db: Kysely<RegistryTables>,
    mac: string,
    change: Updateable<Omit<GatewayRow, "mac">>,
    was?: Partial<GatewayRow>,
  ): Promise<boolean> {
    const { numUpdatedRows } = await db.updateTable("gateway")
      .set({ ...change, updated_at: this.clock.now() }).where("mac", "=", mac).where("deleted_at", "is", null)
      .where(stillIs(was)).executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /**
   * Changes a gateway that gets another LOID, so another customer: its registration ends, and what waits for it is
   * cancelled. False where there is none of that MAC, or not as `was` says.
   */
  reassign(
    mac: string,
    change: Updateable<Omit<GatewayRow, "mac">>,
    was?: Partial<GatewayRow>,
  ): Promise<boolean> {
    return this.#leave(mac, "gateway_reassigned", { ...change, registered_at: null, online: 0 }, was);
  }

  /**
   * Removes a gateway, so that it can be restored; what waits for it is cancelled. False where there is none of that
   * MAC, or not as `was` says.
   */
  remove(mac: string, was?: Partial<GatewayRow>): Promise<boolean> {
    return this.#leave(mac, "gateway_removed", {
      deleted_at: this.clock.now(),
      online: 0,
      registered_at: null,
      dev_rnd: null,
      previous_dev_rnd: null,
    }, was);
  }

  #leave(
    mac: string,
    why: keyof typeof ORPHANED,
    change: Updateable<Omit<GatewayRow, "mac">>,
    was: Partial<GatewayRow> | undefined,
  ): Promise<boolean> {
    const now = this.clock.now();
    return this.db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx.updateTable("gateway").set({ ...change, updated_at: now })
        .where("mac", "=", mac).where("deleted_at", "is", null).where(stillIs(was)).executeTakeFirst();
      if (numUpdatedRows > 0n) await orphanCommands(tx, mac, why, now, this.outbox);
      return numUpdatedRows > 0n;
    });
  }

  /** Takes a removal back: the gateway has to register anew. False where none of that MAC was removed. */
  async restore(mac: string): Promise<boolean> {
    const { numUpdatedRows } = await this.db.updateTable("gateway")
      .set({ deleted_at: null, updated_at: this.clock.now() })
      .where("mac", "=", mac).where("deleted_at", "is not", null).executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /**
   * Takes the order to begin anew off a gateway that is told so now, and notes that it goes back to its factory presets:
   * both, or neither.
   */
  async renewed(mac: string): Promise<void> {
    await this.db.transaction().execute(async (tx) => {
      await tx.updateTable("gateway").set({ renew: 0, updated_at: this.clock.now() }).where("mac", "=", mac)
        .execute();
      await noteReset(tx, mac, this.clock.now());
    });
  }

  /** Gateways that were reset, and of which {@linkcode GatewayStore.resetDone} has not been said. */
  resets(limit: number): Promise<GatewayResetRow[]> {
    return this.db.selectFrom("gateway_reset").selectAll().orderBy("mac").limit(limit).execute();
  }

  /** All that has to follow a reset at `at` is done; a later one stays. */
  async resetDone(mac: string, at: number): Promise<void> {
    await this.db.deleteFrom("gateway_reset").where("mac", "=", mac).where("at", "<=", at).execute();
  }

  /** Gives up what was removed before `before`, with all that belongs to it. */
  async purge(before: number): Promise<void> {
    await this.db.deleteFrom("gateway").where("deleted_at", "<", before).execute();
  }

  /**
   * Keeps what presence knows, as one transaction. Where an `owner` is named only what that node holds is kept; answers
   * the MACs that it does not.
   */
  async saveLastSeen(batch: readonly LastSeen[], owner?: CommandOwner): Promise<string[]> {
    if (batch.length === 0) return [];
    if (onServer(this.db)) return await this.#saveTogether(batch, owner);
    await this.db.transaction().execute(async (tx) => {
      for (const { mac, address, lastSeenAt, online } of batch) {
        await this.#seen.run(tx, [address, online ? 1 : 0, lastSeenAt, mac]);
      }
    });
    return [];
  }

  /** All of them in one statement: on a server each one is a way there and back. */
  async #saveTogether(batch: readonly LastSeen[], owner?: CommandOwner): Promise<string[]> {
    const macs = batch.map(({ mac }) => mac);
    // Rows are locked in one order, so that nodes that write at the same time don't wait in a circle.
    const { rows } = await sql<{ mac: string }>`
      with seen as (
        select * from unnest(${macs}::text[], ${batch.map(({ address }) => address)}::text[],
          ${batch.map(({ lastSeenAt }) => lastSeenAt)}::bigint[], ${
      batch.map(({ online }) => online ? 1 : 0)
    }::int[])
          as s (mac, address, last_seen_at, online)
      ), held as (
        select mac from gateway where mac = any(${macs}::text[]) ${owner ? heldBy(owner) : sql``}
        order by mac for update
      )
      update gateway g set address = s.address, online = s.online,
        last_seen_at = coalesce(s.last_seen_at, g.last_seen_at)
      from seen s join held h on h.mac = s.mac where g.mac = s.mac returning g.mac`.execute(this.db);
    if (!owner || rows.length === batch.length) return [];
    const kept = new Set(rows.map(({ mac }) => mac));
    return macs.filter((mac) => !kept.has(mac));
  }

  async count(): Promise<number> {
    const { count } = await this.db.selectFrom("gateway").where("deleted_at", "is", null)
      .select((e) => e.fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
    return Number(count);
  }
}

/** That a node, in that life of it, hears a gateway's heartbeats. */
function heldBy({ node, epoch }: CommandOwner) {
  return sql`and exists (
    select 1 from gateway_owner o join cluster_node n on n.node = o.node and n.epoch = o.epoch
    where o.mac = gateway.mac and o.node = ${node} and o.epoch = ${epoch}
  )`;
}

/** Notes that a gateway went back to its factory presets at `at`; the latest time counts. */
export async function noteReset(
  db: Pick<Kysely<Pick<RegistryTables, "gateway_reset">>, "insertInto">,
  mac: string,
  at: number,
): Promise<void> {
  await db.insertInto("gateway_reset").values({ mac, at })
    .onConflict((conflict) => conflict.column("mac").doUpdateSet({ at }).where("gateway_reset.at", "<", at))
    .execute();
}

/** What is known of a gateway that has never spoken. */
const UNREGISTERED = {
  pinned_operations: null,
  renew: 0,
  firmware: null,
  hardware: null,
  os_version: null,
  app_version: null,
  card: null,
  wan_ip: null,
  address: null,
  dev_rnd: null,
  previous_dev_rnd: null,
  registered_at: null,
  last_seen_at: null,
  online: 0,
} as const;

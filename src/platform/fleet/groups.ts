/**
 * Groups of gateways as rows: with members that were put in, or with a filter that finds them.
 *
 * @module
 */
import { type Kysely, sql, type SqlBool } from "kysely";
import type { Clock } from "../../base/mod.ts";
import { stillIs } from "../../storage/mod.ts";
import { type Filter, parseFilter } from "./filter.ts";
import type { FleetTables, GroupRow } from "./schema.ts";

/** Members in one statement. */
const CHUNK = 500;

/** Groups as rows. */
export class GroupStore {
  constructor(private readonly db: Kysely<FleetTables>, private readonly clock: Pick<Clock, "now">) {}

  find(name: string): Promise<GroupRow | undefined> {
    return this.db.selectFrom("gateway_group").selectAll().where("name", "=", name).executeTakeFirst();
  }

  /** Groups by name, from behind `after`; of `only` where it is given. */
  list(limit: number, after = "", only?: readonly string[]): Promise<GroupRow[]> {
    let select = this.db.selectFrom("gateway_group").selectAll().where("name", ">", after).orderBy("name")
      .limit(limit);
    if (only) select = select.where("name", "in", only.length > 0 ? only : [""]);
    return select.execute();
  }

  /** Adds a group; undefined where the name is taken. */
  async create(
    group: Pick<GroupRow, "name" | "description" | "filter" | "created_by">,
  ): Promise<GroupRow | undefined> {
    const now = this.clock.now(), row: GroupRow = { ...group, created_at: now, updated_at: now };
    const { numInsertedOrUpdatedRows } = await this.db.insertInto("gateway_group").values(row)
      .onConflict((conflict) => conflict.column("name").doNothing()).executeTakeFirst();
    return numInsertedOrUpdatedRows ? row : undefined;
  }

  /** Changes a group; false where there is none, or it is not as `was` says any more. */
  async update(
    name: string,
    change: Partial<Pick<GroupRow, "description" | "filter">>,
    was?: Partial<GroupRow>,
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.db.updateTable("gateway_group")
      .set({ ...change, updated_at: this.clock.now() })
      .where("name", "=", name).where(stillIs(was)).executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Removes a group; its gateways stay. False where there is none, or it is not as `was` says any more. */
  async remove(name: string, was?: Partial<GroupRow>): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("gateway_group").where("name", "=", name)
      .where(stillIs(was)).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Puts gateways into a group; answers how many were not in it. Those that are not preset are left out. */
  async add(name: string, macs: readonly string[]): Promise<number> {
    let added = 0;
    for (let at = 0; at < macs.length; at += CHUNK) {
      const { numInsertedOrUpdatedRows } = await this.db.insertInto("gateway_group_member")
        .columns(["group_name", "mac"])
        .expression((eb) =>
          eb.selectFrom("gateway").select([sql.lit(name).as("group_name"), "gateway.mac"])
            .where("gateway.mac", "in", macs.slice(at, at + CHUNK))
        )
        .onConflict((conflict) => conflict.columns(["group_name", "mac"]).doNothing())
        .executeTakeFirst();
      added += Number(numInsertedOrUpdatedRows ?? 0);
    }
    return added;
  }

  /** Takes gateways out of a group; answers how many were in it. */
  async take(name: string, macs: readonly string[]): Promise<number> {
    let taken = 0;
    for (let at = 0; at < macs.length; at += CHUNK) {
      const { numDeletedRows } = await this.db.deleteFrom("gateway_group_member")
        .where("group_name", "=", name).where("mac", "in", macs.slice(at, at + CHUNK)).executeTakeFirst();
      taken += Number(numDeletedRows);
    }
    return taken;
  }

  /** Who is in one of these groups. A name that is no group has no members. */
  async membersOf(names: readonly string[]): Promise<Filter> {
    const rows = names.length === 0 ? [] : await this.db.selectFrom("gateway_group").selectAll()
      .where("name", "in", names).execute();
    const filters = rows.map((row): Filter =>
      row.filter === null ? inGroup(row.name) : parseFilter(row.filter, this.clock.now())
    );
    return filters.length === 0 ? NOBODY : (eb) => eb.or(filters.map((filter) => filter(eb)));
  }
}

const NOBODY: Filter = () => sql<SqlBool>`1 = 0`;

function inGroup(name: string): Filter {
  return (eb) =>
    eb.exists(
      eb.selectFrom("gateway_group_member").select("gateway_group_member.mac")
        .whereRef("gateway_group_member.mac", "=", "gateway.mac")
        .where("gateway_group_member.group_name", "=", name),
    );
}

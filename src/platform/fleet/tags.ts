/**
 * Tags as rows.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";
import type { Filter } from "./filter.ts";
import type { FleetTables } from "./schema.ts";

/** Most tags on one gateway. */
export const MAX_TAGS = 50;

/** Tags as rows. */
export class TagStore {
  constructor(private readonly db: Kysely<FleetTables>) {}

  /** The tags of each of these gateways. */
  async of(macs: readonly string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    if (macs.length === 0) return found;
    const rows = await this.db.selectFrom("gateway_tag").selectAll().where("mac", "in", macs).orderBy("tag")
      .execute();
    for (const { mac, tag } of rows) {
      const tags = found.get(mac);
      if (tags) tags.push(tag);
      else found.set(mac, [tag]);
    }
    return found;
  }

  /** Gives a gateway exactly these tags. */
  async replace(mac: string, tags: readonly string[]): Promise<void> {
    await this.db.transaction().execute(async (tx) => {
      await tx.deleteFrom("gateway_tag").where("mac", "=", mac).execute();
      if (tags.length > 0) {
        await tx.insertInto("gateway_tag").values([...new Set(tags)].map((tag) => ({ mac, tag }))).execute();
      }
    });
  }

  /** Puts a tag on every gateway that the filter finds; answers how many did not have it. */
  async add(tag: string, filter: Filter): Promise<number> {
    const { numInsertedOrUpdatedRows } = await this.db.insertInto("gateway_tag").columns(["mac", "tag"])
      .expression((eb) =>
        eb.selectFrom("gateway").select(["gateway.mac", sql.lit(tag).as("tag")])
          .where("gateway.deleted_at", "is", null).where((inner) => filter(inner))
      )
      .onConflict((conflict) => conflict.columns(["mac", "tag"]).doNothing()).executeTakeFirst();
    return Number(numInsertedOrUpdatedRows ?? 0);
  }

  /** Takes a tag from every gateway that the filter finds; answers how many had it. */
  async take(tag: string, filter: Filter): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("gateway_tag").where("tag", "=", tag)
      .where(
        "mac",
        "in",
        (eb) => eb.selectFrom("gateway").select("gateway.mac").where((inner) => filter(inner)),
      ).executeTakeFirst();
    return Number(numDeletedRows);
  }

  /** Every tag that is in use, and on how many gateways; of those that the filter finds, where there is one. */
  async all(limit: number, filter?: Filter): Promise<{ tag: string; gateways: number }[]> {
    let select = this.db.selectFrom("gateway_tag")
      .select((e) => ["tag", e.fn.countAll<number>().as("gateways")])
      .groupBy("tag").orderBy("tag").limit(limit);
    if (filter) {
      select = select.where(
        "mac",
        "in",
        (eb) => eb.selectFrom("gateway").select("gateway.mac").where((inner) => filter(inner)),
      );
    }
    const rows = await select.execute();
    return rows.map(({ tag, gateways }) => ({ tag, gateways: Number(gateways) }));
  }
}

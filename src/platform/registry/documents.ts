/**
 * Documents of settings that operators edit while the platform runs, such as the distribution policy.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Clock } from "../../base/mod.ts";
import type { DocumentRow, RegistryTables } from "./schema.ts";

/** Named JSON documents, each with who changed it last and when. */
export class DocumentStore {
  constructor(private readonly db: Kysely<RegistryTables>, private readonly clock: Pick<Clock, "now">) {}

  async read(name: string): Promise<DocumentRow | undefined> {
    return await this.db.selectFrom("document").selectAll().where("name", "=", name).executeTakeFirst();
  }

  async write(name: string, body: string, by: string): Promise<DocumentRow> {
    const row = { name, body, updated_at: this.clock.now(), updated_by: by };
    await this.db.insertInto("document").values(row)
      .onConflict((conflict) => conflict.column("name").doUpdateSet(row)).execute();
    return row;
  }
}

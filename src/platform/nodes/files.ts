/**
 * The plug-ins' files of all nodes, in the database: whichever node a gateway is sent to can hand them out.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { NodeTables } from "./schema.ts";

/** Files under their SHA-256. */
export class FilesOfNodes {
  constructor(private readonly db: Kysely<NodeTables>) {}

  async read(sha256: string): Promise<Uint8Array | undefined> {
    const row = await this.db.selectFrom("plugin_file").select("content").where("sha256", "=", sha256)
      .executeTakeFirst();
    return row && new Uint8Array(row.content);
  }

  async write(sha256: string, content: Uint8Array): Promise<void> {
    await this.db.insertInto("plugin_file").values({ sha256, content })
      .onConflict((conflict) => conflict.doNothing()).execute();
  }

  async remove(sha256: string): Promise<void> {
    await this.db.deleteFrom("plugin_file").where("sha256", "=", sha256).execute();
  }
}

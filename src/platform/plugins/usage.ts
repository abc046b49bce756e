/**
 * Which gateways have a version of a plug-in, as far as the commands tell: it was installed by one, and nothing else
 * of that name was installed or removed since.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { OPEN_STATUSES, type RegistryTables } from "../registry/mod.ts";

/** MACs of gateways that have a version or are about to get it, at most `limit` of them. */
export async function gatewaysWith(
  db: Kysely<RegistryTables>,
  plugin: string,
  version: string,
  limit: number,
): Promise<string[]> {
  const rows = await db.selectFrom("command as installed").select("installed.mac").distinct()
    .where("installed.kind", "=", "install")
    .where("installed.plugin", "=", plugin).where("installed.version", "=", version)
    .where((eb) =>
      eb.or([
        eb("installed.status", "in", OPEN_STATUSES),
        eb.and([
          eb("installed.status", "=", "succeeded"),
          eb.not(eb.exists(
            // Ids are in the order of time.
            eb.selectFrom("command as later").select("later.id")
              .whereRef("later.mac", "=", "installed.mac").whereRef("later.id", ">", "installed.id")
              .where("later.plugin", "=", plugin).where("later.status", "=", "succeeded")
              .where("later.kind", "in", ["install", "uninstall", "factory"]),
          )),
        ]),
      ])
    )
    .orderBy("installed.mac").limit(limit).execute();
  return rows.map(({ mac }) => mac);
}

import { assertEquals, assertMatch } from "@std/assert";
import { CompiledQuery, type RootOperationNode, sql } from "kysely";
import { FakeClock } from "../../base/mod.ts";
import { onServer } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { GatewayStore, registryMigrations } from "../registry/mod.ts";
import { fleetMigrations, type FleetTables } from "./schema.ts";
import { beginning } from "./search.ts";

const FLEET = 20_000;

/** A fleet that the database knows the figures of, and how it would go about each query that was put to it. */
async function withFleet() {
  const db = await testDatabase<FleetTables>({ ...registryMigrations, ...fleetMigrations });
  await db.sql.insertInto("gateway").columns([
    ...["mac", "sn", "loid", "region", "model", "online", "created_at", "updated_at"] as const,
  ]).expression((eb) =>
    eb.selectFrom(
      sql<{ n: number }>`(with recursive numbers(n) as
        (select 1 union all select n + 1 from numbers where n < ${sql.lit(FLEET)}) select n from numbers)`.as(
        "of",
      ),
    ).select(() => {
      // Twelve and thirteen digits in the order of `n`, on either database.
      const digits = (letter: string) => sql<string>`${sql.lit(letter)} || (100000000000 + n * 7)`;
      return [
        digits("").as("mac"),
        digits("S").as("sn"),
        digits("l").as("loid"),
        sql<string>`'region' || (n % 20)`.as("region"),
        sql<string>`'model' || (n % 3)`.as("model"),
        sql<number>`n % 2`.as("online"),
        sql<number>`n`.as("created_at"),
        sql<number>`n`.as("updated_at"),
      ];
    })
  ).execute();
  // The embedded database is given no figures, here as in life.
  if (onServer(db.sql)) await sql`analyze`.execute(db.sql);
  const asked: RootOperationNode[] = [];
  const watched = db.sql.withPlugin({
    transformQuery: ({ node }) => (asked.push(node), node),
    transformResult: ({ result }) => Promise.resolve(result),
  });
  const explain = onServer(db.sql) ? "explain" : "explain query plan";
  const plans = async () => {
    const lines: string[] = [];
    for (const node of asked.splice(0)) {
      const query = db.sql.getExecutor().compileQuery(node, { queryId: "plan" });
      const { rows } = await db.sql.executeQuery<Record<string, string>>(
        CompiledQuery.raw(`${explain} ${query.sql}`, [...query.parameters]),
      );
      lines.push(...rows.map((row) => (row["QUERY PLAN"] ?? row["detail"])!));
    }
    return lines;
  };
  return { db, watched, plans, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() };
}

/** What goes through all gateways, or puts more of them in order than a page has. */
const SLOW = /Seq Scan on gateway(?!_)|^SCAN gateway$|Sort|TEMP B-TREE/;

Deno.test("a search looks at what it finds, not at the fleet", async () => {
  await using fleet = await withFleet();
  for (const [text, found] of [["S1000000000", 14], ["l1000000000", 14], ["1000000000", 14]] as const) {
    const filter = await beginning(fleet.watched, text);
    assertEquals((await fleet.plans()).filter((line) => SLOW.test(line)), [], text);
    const { n } = await fleet.db.sql.selectFrom("gateway").select(({ fn }) => fn.countAll<number>().as("n"))
      .where((eb) => filter(eb as Parameters<typeof filter>[0])).executeTakeFirstOrThrow();
    assertEquals(Number(n), found);
  }
});

Deno.test("a page by conditions that many meet goes by MAC from where it begins, and sorts nothing", async () => {
  await using fleet = await withFleet();
  const gateways = new GatewayStore(fleet.watched, new FakeClock());
  for (const query of [{}, { region: "region3" }, { region: "region3", online: true }, { model: "model1" }]) {
    const page = await gateways.list({ limit: 50, after: "100000050000", ...query });
    assertEquals(page.length, 50);
    const plans = await fleet.plans();
    assertEquals(plans.filter((line) => SLOW.test(line)), [], plans.join("\n"));
    assertMatch(plans.join(" "), /gateway_pkey|autoindex_gateway_1|INDEX gateway_mac/);
  }
});

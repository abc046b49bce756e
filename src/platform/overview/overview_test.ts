import { assertEquals } from "@std/assert";
import { CompiledQuery, type RootOperationNode } from "kysely";
import { FakeClock } from "../../base/mod.ts";
import { openDatabase } from "../../storage/mod.ts";
import { fleetMigrations, type FleetTables } from "../fleet/mod.ts";
import { type CommandRow, CommandStore, registryMigrations } from "../registry/mod.ts";
import { Overview } from "./mod.ts";

const DAY = 86_400_000;

async function setUp() {
  const clock = new FakeClock(), now = clock.now();
  const db = await openDatabase<FleetTables>("sqlite::memory:", {
    ...registryMigrations,
    ...fleetMigrations,
  });
  const commands = new CommandStore(db.sql);
  const add = (id: string, status: CommandRow["status"], finished_at: number | null, mac = "64D954000001") =>
    commands.insert({
      ...{
        id,
        mac,
        kind: "post",
        plugin: "",
        version: "",
        parameter: "{}",
        actor: "a",
        status,
        result: null,
      },
      ...{
        reply: null,
        error_code: null,
        error: null,
        progress: null,
        attempt: 1,
        created_at: now - 30 * DAY,
      },
      ...{ deadline_at: now, sent_at: null, acked_at: null, finished_at, exclusive: 1, repeatable: 0 },
      ...{ max_attempts: 3, retry_delay_ms: null },
    });
  return { clock, db, add, now };
}

Deno.test("the overview counts open commands, and of the ended ones those of the last day", async () => {
  const { clock, db, add, now } = await setUp();
  await add("1", "queued", null);
  await add("2", "acked", null);
  await add("3", "succeeded", now - 1000);
  await add("4", "succeeded", now - DAY + 1000, "64D954000002");
  await add("5", "succeeded", now - DAY - 1000);
  await add("6", "failed", now - 30 * DAY);
  const { commands } = await new Overview(db.sql, clock).figures();
  assertEquals(commands, { queued: 1, acked: 1, succeeded: 2 });
  await db[Symbol.asyncDispose]();
});

Deno.test("the overview looks through none of the many old commands", async () => {
  const { clock, db } = await setUp();
  const asked: RootOperationNode[] = [];
  const watched = db.sql.withPlugin({
    transformQuery: ({ node }) => {
      asked.push(node);
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  await new Overview(watched, clock).figures();
  await new Overview(watched, clock).figures({ name: "x", filter: (eb) => eb("region", "=", "north") });
  const plans: string[] = [];
  for (const node of asked) {
    const { sql, parameters } = db.sql.getExecutor().compileQuery(node, { queryId: "plan" });
    const { rows } = await db.sql.executeQuery<{ detail: string }>(
      CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]),
    );
    plans.push(...rows.map(({ detail }) => detail));
  }
  const looks = plans.filter((line) => /\bcommand\b/.test(line));
  assertEquals(looks.length, 4);
  assertEquals(looks.filter((line) => !/^SEARCH .*(status=\?\)$|finished_at>\?\))/.test(line)), []);
  await db[Symbol.asyncDispose]();
});

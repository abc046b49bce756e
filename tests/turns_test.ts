/**
 * What takes long lets others have their turn: the embedded database never waits by itself, and a platform that works
 * on one request for seconds hears no heartbeat meanwhile.
 *
 * Turns are counted, not timed: on a machine of any speed a piece of the work must not grow with the whole of it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { AuditLog } from "../src/platform/people/audit.ts";
import { peopleMigrations, type PeopleTables } from "../src/platform/people/mod.ts";
import { FakeClock } from "../src/base/mod.ts";
import { openDatabase } from "../src/storage/mod.ts";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

const ROWS = 10_000;
const mac = (n: number) => `64D954${n.toString(16).toUpperCase().padStart(6, "0")}`;
const gateways = Array.from(
  { length: ROWS },
  (_, n) => ({
    mac: mac(n),
    sn: `64D954-S${n}`,
    loid: `L${n}`,
    vendor: "ZTE",
    model: "F450",
    region: "north",
  }),
);

/** How often something else got its turn while `work` went on. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ turns: number; result: T }> {
  let turns = 0, over = false;
  const others = (async () => {
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turns++;
    }
  })();
  try {
    return { result: await work(), turns };
  } finally {
    over = true;
    await others;
  }
}

/** The same, of twice as much work: turns that only come with the request don't grow with it. */
function assertInPieces(name: string, turns: number, rows: number, most: number): void {
  assert(
    turns >= rows / most,
    `${name}: ${turns} turns for ${rows} rows, a turn at least every ${most} were needed`,
  );
}

Deno.test("presets, rollouts and dry runs over many gateways are done in pieces", async () => {
  await using platform = await testPlatform();
  const json = await turnsDuring(() => platform.call("POST", "/api/v1/gateways", gateways));
  assertEquals(json.result.body["created"], ROWS);
  // Checked in pieces of 1000, and written in pieces of 500.
  assertInPieces("JSON", json.turns, ROWS, 400);

  const rule = (n: number) => ({
    name: `r${n}`,
    match: { model: `M${n}` },
    targets: [{ address: "ops.example:12113", weight: 1 }],
  });
  const policy = { rules: Array.from({ length: 10 }, (_, n) => rule(n)) };
  const dry = await turnsDuring(() => platform.call("POST", "/api/v1/distribution/dry-run", policy));
  assertEquals(
    [dry.result.status, dry.result.body["gateways"]],
    [200, ROWS],
    JSON.stringify(dry.result.body),
  );
  assertInPieces("dry run", dry.turns, ROWS, 1000);

  const rollout = { name: "all", action: { kind: "post", parameter: { CmdType: "X" } } };
  const made = await turnsDuring(() => platform.call("POST", "/api/v1/rollouts", rollout));
  assertEquals([made.result.status, made.result.body["total"]], [201, ROWS]);
  assertInPieces("rollout", made.turns, ROWS, 500);
  const path = `/api/v1/rollouts/${made.result.body["id"]}`;
  const aborted = await turnsDuring(() => platform.call("POST", `${path}/abort`));
  assertEquals((aborted.result.body["counts"] as Record<string, number>)["skipped"], ROWS);
  assertInPieces("abort", aborted.turns, ROWS, 2500);
});

Deno.test("CSV is read and written in pieces, and each line is told by its own number", async () => {
  await using platform = await testPlatform();
  const lines = gateways.map(({ mac, sn, loid }, n) =>
    `${mac},${sn},"${n % 7000 === 6999 ? "bad loid" : loid}"\r\n`
  );
  const csv = await turnsDuring(async () => {
    const response = await fetch(`${platform.url}/api/v1/gateways`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "text/csv" },
      body: `mac,sn,loid\r\n${lines.join("")}`,
    });
    return await response.json();
  });
  assertEquals([csv.result.created, csv.result.faults.length], [ROWS - 1, 1]);
  assertEquals(csv.result.faults[0].line, 7001);
  // Written in pieces of 500, and read in pieces of 64 KiB.
  assertInPieces("CSV", csv.turns, ROWS, 450);
});

Deno.test("of a long list in a request the wrong element is told by its own place", async () => {
  await using platform = await testPlatform();
  const wrong = gateways.with(4321, { ...gateways[4321]!, loid: "" });
  const { status, body } = await platform.call("POST", "/api/v1/gateways", wrong);
  assertEquals([status, (body["faults"] as { path: string }[])[0]!.path], [400, "$[4321].loid"]);
  const many = Array.from({ length: 100_001 }, () => gateways[0]!);
  const long = await platform.call("POST", "/api/v1/gateways", many);
  assertEquals([long.status, (long.body["faults"] as { path: string }[])[0]!.path], [400, "$"]);
});

Deno.test("dry runs are done one at a time, and only a few wait", async () => {
  await using platform = await testPlatform();
  await platform.call("POST", "/api/v1/gateways", gateways.slice(0, 3000));
  const answers = await Promise.all(
    Array.from({ length: 15 }, () => platform.call("POST", "/api/v1/distribution/dry-run")),
  );
  const statuses = answers.map(({ status }) => status).sort();
  assertEquals(new Set(statuses), new Set([200, 429]));
  assertEquals(statuses.filter((status) => status === 200).length >= 9, true);
  assertEquals((await platform.call("POST", "/api/v1/distribution/dry-run")).status, 200);
});

Deno.test("the audit is checked in pieces", async () => {
  await using db = await openDatabase<PeopleTables>("sqlite::memory:", peopleMigrations);
  const audit = new AuditLog(db.sql, new FakeClock());
  const entry = {
    actor: "a",
    actor_name: "a",
    action: "x",
    target: "y",
    status: 200,
    address: "",
    request_id: "",
  };
  await Promise.all(Array.from({ length: 5000 }, () => audit.add(entry)));
  const { turns, result } = await turnsDuring(() => audit.verify());
  assertEquals([result.entries, result.intact], [5000, true]);
  assertInPieces("audit", turns, 5000, 1000);
});

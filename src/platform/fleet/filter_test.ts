import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { testDatabase } from "../../storage/testing.ts";
import { registryMigrations } from "../registry/mod.ts";
import { FILTER_FIELDS, FilterError, parseFilter } from "./filter.ts";
import { fleetMigrations, type FleetTables } from "./schema.ts";

const NOW = Date.UTC(2026, 10, 23, 8), DAY = 86_400_000;

/** Five gateways, and what a filter finds among them: the last digits of their MACs. */
async function stage() {
  const database = await testDatabase<FleetTables>({
    ...registryMigrations,
    ...fleetMigrations,
  });
  const { sql } = database;
  const gateways = [
    { n: 1, vendor: "ZTE", model: "F450", region: "north", online: 1, last_seen_at: NOW - 60_000 },
    { n: 2, vendor: "ZTE", model: "F650", region: "south", online: 1, last_seen_at: NOW - 2 * DAY },
    { n: 3, vendor: "Huawei", model: "HG_8145", region: "north", online: 0, last_seen_at: NOW - 20 * DAY },
    { n: 4, vendor: null, model: "HGX8145", region: null, online: 0, last_seen_at: null },
    { n: 5, vendor: "zte", model: "50%", region: "", online: 0, last_seen_at: null },
  ];
  for (const { n, ...rest } of gateways) {
    await sql.insertInto("gateway").values({
      mac: `64D95400000${n}`,
      sn: `64D954-S${n}`,
      loid: `L${n}`,
      renew: 0,
      registered_at: rest.last_seen_at,
      created_at: NOW,
      updated_at: NOW,
      ...rest,
    } as never).execute();
  }
  await sql.insertInto("gateway_tag").values([
    { mac: "64D954000001", tag: "pilot" },
    { mac: "64D954000002", tag: "pilot" },
    { mac: "64D954000002", tag: "vip" },
  ]).execute();
  await sql.insertInto("gateway_plugin").values([
    { mac: "64D954000001", name: "com.example.a", version: "1.0", running: 1, seen_at: NOW },
    { mac: "64D954000003", name: "com.example.a", version: "2.0", running: 1, seen_at: NOW },
  ]).execute();
  const found = async (text: string) => {
    const filter = parseFilter(text, NOW);
    const rows = await sql.selectFrom("gateway").select("mac").where((eb) => filter(eb)).orderBy("mac")
      .execute();
    return rows.map(({ mac }) => mac.slice(-1)).join("");
  };
  return { found, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

Deno.test("filters find what they say", async () => {
  await using s = await stage();
  const expected: Record<string, string> = {
    "vendor==ZTE": "12",
    "vendor==zte*": "125",
    "vendor!=ZTE": "345",
    'vendor==""': "4",
    'vendor!=""': "1235",
    'region==""': "45",
    "vendor=in=(ZTE,Huawei)": "123",
    "vendor=out=(ZTE,Huawei)": "45",
    "model==F*": "12",
    "model==*50*": "125",
    "model==HG_8145": "3",
    "model==HG_*": "3",
    'model=="50%"': "5",
    'model=="*%"': "5",
    "online==true": "12",
    "online!=true": "345",
    "registered==false": "45",
    "lastSeen=gt=-1d": "1",
    "lastSeen<-7d": "3",
    "lastSeen>=2026-11-21T08:00:00Z": "12",
    "tag==pilot": "12",
    "tag!=pilot": "345",
    "tag=in=(vip,other)": "2",
    "tag==pilot;tag!=vip": "1",
    "plugin==com.example.a": "13",
    "plugin=='com.example.a:2.0'": "3",
    "plugin!='com.example.a:2.0'": "1245",
    "vendor==ZTE;(region==south,model==F450)": "12",
    "region==south,region==north;online==false": "23",
    "vendor==ZTE and region==north or loid==L4": "14",
  };
  for (const [text, macs] of Object.entries(expected)) assertEquals(await s.found(text), macs, text);
});

Deno.test("a filter that can't be used is told why", () => {
  const faults: Record<string, string> = {
    "vendor": "not a filter",
    "vendor==": "not a filter",
    "colour==red": 'unknown field "colour": there are mac, ',
    "constructor==x": "unknown field",
    "vendor=lt=5": "takes ==, !=, =in= and =out=",
    "vendor==(a,b)": "one value, not a list",
    "vendor=re=x": "unknown operator",
    "online==maybe": "==true or ==false",
    "lastSeen==-7d": "takes <, <=, > and >=",
    "lastSeen>yesterday": "takes a time as",
    ["x".repeat(3000)]: "at most 2000 characters",
    [Array(60).fill("loid==x").join(",")]: "at most 50 comparisons",
    [`loid=in=(${Array(300).fill("x").join(",")})`]: "at most 200 values",
    ["(".repeat(1900)]: "not a filter",
  };
  for (const [text, reason] of Object.entries(faults)) {
    assertThrows(() => parseFilter(text, NOW), FilterError, reason, text.slice(0, 60));
  }
});

Deno.test("whatever is written, the answer is a filter or a reason, and values never become SQL", async () => {
  await using s = await stage();
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.tuple(
      fc.constantFrom(...FILTER_FIELDS),
      fc.constantFrom("==", "!=", "=in=", "=lt=", ">"),
      fc.string({ maxLength: 30 }),
    ).map(([field, operator, value]) => `${field}${operator}${JSON.stringify(value)}`),
  );
  await fc.assert(
    fc.asyncProperty(text, async (filter) => {
      try {
        await s.found(filter);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
      }
    }),
    { numRuns: 500, seed: 7 },
  );
  assertEquals(await s.found(`vendor=="x' or '1'='1"`), "");
});

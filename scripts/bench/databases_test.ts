import { assertEquals } from "@std/assert";
import type { FleetTables } from "../../src/platform/fleet/mod.ts";
import { platformMigrations } from "../../src/platform/mod.ts";
import { GatewayStore } from "../../src/platform/registry/mod.ts";
import { systemClock } from "../../src/base/mod.ts";
import { testDatabase } from "../../src/storage/testing.ts";
import { identityOf } from "../load/gateway.ts";
import { fill, gatewayRow } from "./databases.ts";

Deno.test("a table is filled with every row once, also where the last statement has fewer of them", async () => {
  await using database = await testDatabase<FleetTables>(platformMigrations);
  await fill(database.sql, "gateway", 0, 10, gatewayRow);
  await fill(database.sql, "gateway", 10, 2345, gatewayRow);
  const store = new GatewayStore(database.tables(), systemClock);
  assertEquals(await store.count(), 2345);
  for (const n of [0, 9, 10, 1009, 1010, 2344]) {
    const { mac, sn, loid, region, online, deleted_at } = (await store.find(identityOf(n).mac))!;
    assertEquals({ mac, sn, loid }, identityOf(n));
    assertEquals([region, online, deleted_at], [`region-${n % 31}`, 1, null]);
  }
});

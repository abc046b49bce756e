import { assertEquals } from "@std/assert";
import { Metrics, seededRandom, silentLog } from "../../../base/mod.ts";
import { FwdType } from "../../../protocol/cmpp/mod.ts";
import { testDatabase } from "../../../storage/testing.ts";
import { smsMigrations } from "../migrations.ts";
import type { RoutingTables } from "../routing/mod.ts";
import type { SmsTables } from "../schema.ts";
import { Seal } from "../../credentials/mod.ts";
import { SUBMIT } from "../testing_stage.ts";
import { Unreadable } from "../unreadable.ts";
import { fwdOfSubmit } from "./fwd.ts";
import { Ledger } from "./ledger.ts";

Deno.test("what waits for a gateway and can't be read keeps nothing else from it, and is told of once", async () => {
  await using db = await testDatabase<SmsTables & RoutingTables>(smsMigrations);
  const seal = new Seal(new Uint8Array(32).fill(7), seededRandom(5));
  const unreadable = new Unreadable({ log: silentLog, metrics: new Metrics() });
  const ledger = await Ledger.open(db.tables<RoutingTables>(), seal, unreadable, 1_000);
  const ways = { from: "001001", to: "002001", expiresAt: 1e9, utcOffsetMinutes: 480 };
  for (let i = 0; i < 3; i++) {
    const fwd = { ...fwdOfSubmit(SUBMIT, ways), Msg_Fwd_Type: FwdType.mo };
    const item = ledger.item("002001", fwd, 10 + i);
    await db.sql.transaction().execute((transaction) => ledger.keep(item)(transaction as never));
  }
  await db.sql.updateTable("sms_forward").set({ pdu: new Uint8Array(300) }).where("id", "=", 2).execute();
  for (let i = 0; i < 2; i++) {
    const page = await ledger.queued("002001", 0, 3);
    assertEquals([page.items.map(({ id }) => id), page.last], [[1, 3], 3]);
    const stale = await ledger.stale(1e9);
    assertEquals([stale.items.map(({ id }) => id), stale.last], [[1, 3], undefined]);
  }
  assertEquals(unreadable.size, 1);
});

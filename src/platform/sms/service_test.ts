import { assertEquals, assertRejects } from "@std/assert";
import { HoldError } from "../../storage/mod.ts";
import { Stage } from "./testing_stage.ts";

Deno.test("a second service over the same database is told so, and the first goes on", async () => {
  await using stage = await Stage.open();
  const { sms } = stage;
  const second = assertRejects(() => stage.start(), HoldError, "another process runs short messages");
  await stage.clock.advance(6_000);
  await second;
  assertEquals(stage.sms, sms);
  assertEquals((await stage.submit(await stage.connect())).Result, 0);
});

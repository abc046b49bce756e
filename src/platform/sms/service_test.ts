import { assertEquals, assertRejects } from "@std/assert";
import { HoldError } from "../../storage/mod.ts";
import { Stage } from "./testing_stage.ts";

Deno.test("a second service over the same database is told so, and the first goes on", async () => {
  await using stage = await Stage.open();
  const { sms } = stage;
  let told = false;
  const second = assertRejects(() => stage.start(), HoldError, "another process runs short messages")
    .finally(() => told = true);
  // Each try is at a real file: time passes step by step until it gives up.
  for (let tries = 0; !told && tries < 1_000; tries++) await stage.clock.advance(250);
  await second;
  assertEquals(stage.sms, sms);
  assertEquals((await stage.submit(await stage.connect())).Result, 0);
});

import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../base/mod.ts";
import { killLoop } from "./testing/kill.ts";

Deno.test("killing the process in the middle of writes loses nothing that was acknowledged", async () => {
  const { faults, kills, acknowledged } = await killLoop(6, seededRandom(11));
  assertEquals(faults, []);
  assertEquals(kills, 6);
  assert(acknowledged > 0);
});

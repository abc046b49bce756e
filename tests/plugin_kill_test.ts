/**
 * The short form of the rounds of `scripts/kill_loop.ts` with a gateway's process.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { pluginKillLoop } from "./support/plugin_kill.ts";

Deno.test("a gateway that is killed while it installs, restores or removes has every plug-in whole again", async () => {
  const { rounds, acknowledged, after, before, broken } = await pluginKillLoop(6);
  assertEquals(broken, []);
  assertEquals([rounds, acknowledged + after + before], [6, 6]);
});

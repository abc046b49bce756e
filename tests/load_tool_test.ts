/**
 * The load tool against a platform of its own: what it counts is what was there.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { runLoad } from "../scripts/load.ts";
import { readOptions } from "../scripts/load/options.ts";

Deno.test("sixty gateways on twenty sockets register, stay, follow triggers, answer commands and an app", async () => {
  const options = readOptions(
    "--gateways 60 --sockets 20 --arrive 0 --for 2 --channels 10 --commands 10 --apps 1 --app-calls 2 --heartbeat 2"
      .split(" "),
  );
  if (options === "help") throw new Error("no help was asked for");
  const { counts, times, registered, channels, stretches } = await runLoad(options);
  assertEquals([registered, channels, counts.refused, counts.forged, counts.httpFailed], [60, 10, 0, 0, 0]);
  assert(counts.registered >= 60 && counts.acks >= 60);
  assertEquals(counts.heartbeats, counts.acks + counts.lost + counts.strangers);
  assertEquals([times.command.count, times.appPost.count > 0], [counts.posts - times.appPost.count, true]);
  assert(stretches.every(({ seconds, platformMiB }) => seconds > 0 && platformMiB > 0));
});

Deno.test("gateways whose NAT gives them other ports go on, and are called at the new ones", async () => {
  const options = readOptions(
    "--gateways 40 --sockets 10 --arrive 0 --for 3 --rebind 600 --channels 0 --commands 10 --heartbeat 1"
      .split(" "),
  );
  if (options === "help") throw new Error("no help was asked for");
  const { counts, times, registered } = await runLoad(options);
  assertEquals([registered, counts.strangers, counts.refused, counts.httpFailed], [40, 0, 0, 0]);
  assert(counts.rebinds >= 10, JSON.stringify(counts));
  // Nobody had a channel: each of these was called over UDP, at the port of its last heartbeat.
  assert(times.command.count > 0 && counts.posts > 0, JSON.stringify(counts));
});

Deno.test("the load tool's command line says what is wrong with it", () => {
  assertThrows(() => readOptions(["--gatewys", "5"]), Error, 'unknown option "--gatewys"');
  assertThrows(() => readOptions(["--gateways", "many"]), Error, "--gateways must be a number");
  assertThrows(() => readOptions(["--apps", "2", "--processes", "2"]), Error, "--apps needs --processes 1");
  assertThrows(() => readOptions(["--platform", "http://127.0.0.1:1"]), Error, "--access-port is needed");
});

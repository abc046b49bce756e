import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { Recorder } from "./history.ts";

Deno.test("levels are kept as they are and totals as what came per second, for so many samples", async () => {
  const clock = new FakeClock();
  let online = 5, beats = 1000;
  using recorder = new Recorder(
    clock,
    [
      { name: "online", kind: "level", read: () => online },
      { name: "beats", kind: "total", read: () => beats },
    ],
    60_000,
    3,
  );
  assertEquals(recorder.read().series, { online: [5], beats: [0] });
  [online, beats] = [7, 1600];
  await clock.advance(60_000);
  // A counter that began anew is no negative rate.
  [online, beats] = [6, 100];
  await clock.advance(60_000);
  await clock.advance(60_000);
  assertEquals(recorder.read().series, { online: [7, 6, 6], beats: [10, 0, 0] });
  assertEquals(recorder.read().until, clock.now());
});

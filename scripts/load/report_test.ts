import { assert, assertEquals } from "@std/assert";
import { comparison, reportOf, slopeOf, textOf } from "./report.ts";
import { Tally } from "./tally.ts";

const sample = (second: number, platformMiB: number) => ({ second, platformMiB });

Deno.test("the slope of memory is that of what comes after the warming up", () => {
  const flat = Array.from({ length: 20 }, (_, i) => sample(i * 60, i < 4 ? 100 + 20 * i : 180));
  assertEquals(slopeOf(flat), 0);
  const growing = Array.from({ length: 20 }, (_, i) => sample(i * 60, 100 + i));
  assertEquals(Math.round(slopeOf(growing)!), 60); // a MiB a minute
  assertEquals([slopeOf([]), slopeOf(flat.slice(0, 2))], [undefined, undefined]);
});

Deno.test("two runs stand side by side, with the ratio of what changed", () => {
  const report = (ms: number, cpu: number) => {
    const tally = new Tally();
    for (let i = 0; i < 100; i++) tally.times.heartbeat.add(ms);
    tally.counts.heartbeats = 100;
    tally.counts.lost = cpu > 1 ? 3 : 0;
    return reportOf(tally, {
      options: {},
      stretches: [{
        ...{ name: "traffic", seconds: 10, platformCpu: cpu, toolCpu: 1, othersShare: 0 },
        ...{ platformMiB: 100, toolMiB: 50 },
      }],
      ...{ registered: 1, channels: 0, dropped: 0, samples: [] },
    });
  };
  const text = comparison(report(10, 1), report(20, 2));
  assert(/heartbeat: p50 ms .*x2\.0/.test(text), text);
  assert(/traffic: platform, share of a core .*0\.10 -> .*0\.20 .*x2\.00/.test(text), text);
  assert(/lost +0 -> +3/.test(text), text);
  assert(!/heartbeats /.test(text), "what is the same is left out");
  assert(textOf(report(10, 1)).includes("traffic"));
});

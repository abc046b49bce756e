// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * How a million gateways come back after an outage: `deno run scripts/return_simulation.ts [GATEWAYS]`.
 *
 * @module
 */
import { seededRandom } from "../src/base/mod.ts";
import { DEFAULT_TIMING } from "../src/gateway/registration/mod.ts";
import { type Outage, type Return, simulateReturn } from "./lib/return_model.ts";

const OUTAGES: readonly Outage[] = [
  { name: "platforms silent for 90 s", kind: "silence", seconds: 90 },
  { name: "platforms silent for 10 minutes", kind: "silence", seconds: 600 },
  { name: "platforms silent for 6 hours", kind: "silence", seconds: 6 * 3600 },
  { name: "power cut of all gateways, --start-spread 0", kind: "power", seconds: 3600 },
  { name: "power cut, --start-spread 60", kind: "power", seconds: 3600, startSpreadSeconds: 60 },
  {
    name: "power cut, --start-spread 0, platform takes 20,000/s",
    kind: "power",
    seconds: 3600,
    capacity: 20_000,
  },
  { name: "power cut, then no name service for 30 minutes", kind: "names", seconds: 1800 },
];

const count = Number(Deno.args[0] ?? 1_000_000);
if (!Number.isInteger(count) || count < 1 || count > 10_000_000) {
  console.error("the number of gateways must be from 1 to 10000000");
  Deno.exit(2);
}
const number = (n: number) => Math.round(n).toLocaleString("en");
console.log(`${number(count)} gateways, heartbeats every ${DEFAULT_TIMING.heartbeatMs / 1000} s`);
for (const outage of OUTAGES) {
  const back = simulateReturn(outage, DEFAULT_TIMING, count, seededRandom(1));
  const later = (each: Return) => each.triesPerSecond.slice(180).reduce((most, n) => Math.max(most, n), 0);
  const rigid = simulateReturn(outage, DEFAULT_TIMING, count, seededRandom(1), () => 0);
  console.log(`\n${outage.name}`);
  console.log(
    `  busiest second ${number(back.peak)}, mean ${number(back.mean)}/s, ratio ${
      (back.peak / back.mean).toFixed(2)
    }; ` +
      `99 % back after ${number(back.secondsTo99)} s; without random waits the busiest second had ${
        number(rigid.peak)
      }`,
  );
  if (outage.capacity) {
    console.log(
      `  datagrams in the busiest second, three minutes on: ${number(later(back))}; ` +
        `without random waits ${number(later(rigid))}`,
    );
  }
  histogram(back);
}

/** Gateways taken in, in twenty pieces of the time from the first one until 99 % were back. */
function histogram({ perSecond, secondsTo99 }: Return): void {
  const first = perSecond.findIndex((n) => n > 0), width = Math.ceil((secondsTo99 - first) / 20);
  const bars: number[] = [];
  perSecond.slice(first, secondsTo99).forEach((n, i) => {
    const at = Math.floor(i / width);
    bars[at] = (bars[at] ?? 0) + n / width;
  });
  const most = Math.max(...bars);
  bars.forEach((n, i) => {
    const at = String(first + i * width).padStart(6);
    console.log(`  ${at} s ${number(n).padStart(9)}/s ${"#".repeat(Math.round(50 * n / most))}`);
  });
}

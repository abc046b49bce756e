// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Kills (`kill -9`) a process that writes parameters, again and again on the same folder, and looks each time whether
 * everything that it had acknowledged is there.
 *
 * `deno run --allow-read --allow-write --allow-env --allow-run scripts/parameter_kill_loop.ts [KILLS]` (default 1000)
 *
 * @module
 */
import { systemRandom } from "../src/base/mod.ts";
import { killLoop } from "../src/gateway/parameters/testing/kill.ts";

const kills = Number(Deno.args[0] ?? 1000), begun = performance.now();
const result = await killLoop(kills, systemRandom, ({ kills, acknowledged, faults }) => {
  if (kills % 50 === 0) {
    console.log(`${kills} kills, ${acknowledged} writes acknowledged, ${faults.length} faults`);
  }
});
for (const line of result.faults) console.log(`fault: ${line}`);
console.log(
  `${result.kills} kills, ${result.acknowledged} writes acknowledged, ${result.ahead} times more was on the disk ` +
    `than was acknowledged, ${result.faults.length} faults, ${
      Math.round((performance.now() - begun) / 1000)
    } s`,
);
Deno.exit(result.faults.length === 0 ? 0 : 1);

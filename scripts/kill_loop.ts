// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Cuts installations, upgrades, rollbacks and removals of plug-ins off by `kill -9` at every step on the disk, and
 * looks each time whether the plug-in is whole: as before, or as after. Then kills a whole gateway while its control API
 * installs, restores and removes.
 *
 * `deno run -A scripts/kill_loop.ts [CUTS] [ROUNDS] [SEED]` (default 300, 60, 1)
 *
 * @module
 */
import { cutLoop } from "../src/sandbox/testing/cut.ts";
import { pluginKillLoop } from "../tests/support/plugin_kill.ts";

const [cuts, rounds, seed] = [300, 60, 1].map((usual, i) => Number(Deno.args[i] ?? usual)) as [
  number,
  number,
  number,
];
let begun = performance.now();
const result = await cutLoop(cuts, 1, ({ cuts, broken }) => {
  if (cuts % 50 === 0) console.log(`${cuts} cuts, ${broken.length} broken`);
});
for (const line of result.broken) console.log(`broken: ${line}`);
console.log(
  `${result.cuts} changes cut off (${result.after} of them in force, ${
    result.cuts - result.after
  } as before), ` +
    `${result.complete} complete, ${result.broken.length} broken states, ` +
    `${Math.round((performance.now() - begun) / 1000)} s`,
);
begun = performance.now();
const killed = await pluginKillLoop(rounds, seed, ({ rounds, broken }) => {
  if (rounds % 10 === 9) console.log(`${rounds + 1} gateways killed, ${broken.length} broken`);
});
for (const line of killed.broken) console.log(`broken: ${line}`);
console.log(
  `${killed.rounds} gateways killed: ${killed.acknowledged} changes acknowledged before, ${killed.after} in force, ` +
    `${killed.before} as before, ${killed.broken.length} broken states, ` +
    `${Math.round((performance.now() - begun) / 1000)} s`,
);
Deno.exit(result.broken.length + killed.broken.length === 0 ? 0 : 1);

// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Cuts installations, upgrades, rollbacks and removals of plug-ins off by `kill -9` at every step on the disk, and
 * looks each time whether the plug-in is whole: as before, or as after.
 *
 * `deno run --allow-read --allow-write --allow-env --allow-run scripts/kill_loop.ts [CUTS]` (default 300)
 *
 * @module
 */
import { cutLoop } from "../src/sandbox/testing/cut.ts";

const cuts = Number(Deno.args[0] ?? 300), begun = performance.now();
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
Deno.exit(result.broken.length === 0 ? 0 : 1);

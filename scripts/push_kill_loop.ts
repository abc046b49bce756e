// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Kills a gateway (`kill -9`) in the middle of what its plug-ins push, again and again, every tenth time the platform
 * too, and looks afterwards whether everything that was acknowledged is there, once and in order.
 *
 * `deno run -A scripts/push_kill_loop.ts [KILLS] [SEED] [inline|process]` (default 1000, 1, inline)
 *
 * @module
 */
import { pushKillLoop } from "../tests/support/push_kill.ts";

const [kills = "1000", seed = "1", isolation = "inline"] = Deno.args, begun = performance.now();
const result = await pushKillLoop({
  kills: Number(kills),
  seed: Number(seed),
  isolation: isolation === "process" ? "process" : "inline",
  onKill: ({ kills, acknowledged, inDoubt, faults }) => {
    if (kills % 25 === 0) {
      console.log(
        `${kills} kills, ${acknowledged} acknowledged, ${inDoubt} in doubt, ${faults.length} faults`,
      );
    }
  },
});
for (const fault of result.faults) console.log(`fault: ${fault}`);
console.log(
  `${result.kills} kills of the gateway (${result.startKills} while it started) and ${result.platformKills} of the ` +
    `platform: ${result.acknowledged} pushes acknowledged, ${result.inDoubt} in doubt; ${result.listed} listed, ` +
    `${result.streamed} streamed (resumed ${result.resumed} times), ${result.own} of the gateway's own; ` +
    `${result.faults.length} faults, ${Math.round((performance.now() - begun) / 1000)} s`,
);
Deno.exit(result.faults.length === 0 ? 0 : 1);

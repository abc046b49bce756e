// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * All benchmarks in one run: `deno task bench [NAME …]`, the names as below.
 *
 * What is compared is measured side by side in the same run, in rounds; ratios tell more than figures, which belong to
 * the machine of the day.
 *
 * @module
 */
import { benchCmpp } from "./cmpp.ts";
import { benchCommands } from "./commands.ts";
import { benchGateway } from "./gateway.ts";
import { benchHeartbeats } from "./heartbeats.ts";
import { benchMemory } from "./memory.ts";
import { benchMessaging } from "./messaging.ts";
import { type BenchRow, printRows } from "./rows.ts";
import { benchPlugins } from "./plugins.ts";
import { benchSandbox } from "./sandbox.ts";
import { benchSync } from "./sync.ts";
import { benchTimers } from "./timers.ts";

const BENCHES: Readonly<Record<string, { title: string; run: () => Promise<BenchRow[]> }>> = {
  heartbeats: { title: "Heartbeats answered", run: benchHeartbeats },
  sandbox: { title: "Plug-in calls", run: benchSandbox },
  plugins: { title: "Life of plug-ins", run: benchPlugins },
  commands: { title: "Remote commands, start and memory", run: benchCommands },
  messaging: { title: "Remote commands beside bare messages", run: benchMessaging },
  gateway: { title: "A gateway on its box", run: benchGateway },
  memory: { title: "A gateway's memory over time", run: benchMemory },
  timers: { title: "WiFi timers", run: benchTimers },
  cmpp: { title: "Short messages (CMPP 3.0, window 16)", run: benchCmpp },
  sync: { title: "What it costs to survive a power cut (--database-sync)", run: benchSync },
};

const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(BENCHES);
const unknown = wanted.find((name) => !(name in BENCHES));
if (unknown !== undefined) {
  console.error(`unknown benchmark "${unknown}": ${Object.keys(BENCHES).join(", ")} are there`);
  Deno.exit(2);
}
console.log(
  `${
    new Date().toISOString().slice(0, 10)
  }, Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores`,
);
for (const name of wanted) printRows(BENCHES[name]!.title, await BENCHES[name]!.run());
Deno.exit(0);

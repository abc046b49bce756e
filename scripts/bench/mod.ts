// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * All benchmarks in one run: `deno task bench [NAME[=SIZE,…] …]`, the names as below.
 *
 * What is compared is measured side by side in the same run, in rounds; ratios tell more than figures, which belong to
 * the machine of the day. Sizes are told by the benchmarks that take some.
 *
 * @module
 */
import { benchCmpp } from "./cmpp.ts";
import { benchCommands } from "./commands.ts";
import { benchConsole } from "./console.ts";
import { benchFleet } from "./fleet.ts";
import { benchGateway } from "./gateway.ts";
import { benchHeartbeats } from "./heartbeats.ts";
import { benchMemory } from "./memory.ts";
import { benchMessaging } from "./messaging.ts";
import { type BenchRow, printRows } from "./rows.ts";
import { benchPlugins } from "./plugins.ts";
import { benchSandbox } from "./sandbox.ts";
import { benchSize } from "./size.ts";
import { benchSync } from "./sync.ts";
import { benchTimers } from "./timers.ts";

interface Bench {
  readonly title: string;
  run(...sizes: number[]): Promise<BenchRow[]>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  heartbeats: { title: "Heartbeats answered", run: benchHeartbeats },
  sandbox: { title: "Plug-in calls", run: benchSandbox },
  plugins: { title: "Life of plug-ins", run: benchPlugins },
  commands: { title: "Remote commands, start and memory", run: benchCommands },
  messaging: { title: "Remote commands beside bare messages", run: benchMessaging },
  fleet: { title: "A fleet on one node", run: benchFleet },
  console: { title: "Console and listings", run: benchConsole },
  size: { title: "As the fleet grows: gateways by column, and the last to the first", run: benchSize },
  gateway: { title: "A gateway on its box", run: benchGateway },
  memory: { title: "A gateway's memory over time", run: benchMemory },
  timers: { title: "WiFi timers", run: benchTimers },
  cmpp: { title: "Short messages (CMPP 3.0, window 16)", run: benchCmpp },
  sync: { title: "What it costs to survive a power cut (--database-sync)", run: benchSync },
};

const wanted = (Deno.args.length > 0 ? Deno.args : Object.keys(BENCHES)).map((text) => {
  const [name = "", sizes] = text.split("=", 2);
  return { name, sizes: sizes?.split(",").map(Number) ?? [] };
});
for (const { name, sizes } of wanted) {
  if (!Object.hasOwn(BENCHES, name)) {
    console.error(`unknown benchmark "${name}": ${Object.keys(BENCHES).join(", ")} are there`);
    Deno.exit(2);
  }
  if (sizes.some((size) => !(size > 0))) {
    console.error(`the sizes of "${name}" must be numbers above 0: NAME=SIZE,…`);
    Deno.exit(2);
  }
}
console.log(
  `${
    new Date().toISOString().slice(0, 10)
  }, Deno ${Deno.version.deno}, ${navigator.hardwareConcurrency} cores`,
);
for (const { name, sizes } of wanted) {
  const { title, run } = BENCHES[name]!;
  printRows(title, await run(...sizes));
}
Deno.exit(0);

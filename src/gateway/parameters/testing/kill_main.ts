/**
 * A process that writes parameters as fast as it can, several writers at once, until it is killed. A line `ack NAME
 * VALUE` on its standard output says that a write was acknowledged; `add N` and `remove N`, that an instance was;
 * `replace N`, that a table has the rows of generation N and no others.
 *
 * Argument: the folder.
 *
 * @module
 */
import { silentLog, systemClock } from "../../../base/mod.ts";
import { openParameters } from "../open.ts";
import { COUNTERS, generationIn, REPLACED, rowsOf, TABLE } from "./kill.ts";

const tree = await openParameters({ clock: systemClock, log: silentLog }, Deno.args[0]);
const encoder = new TextEncoder();
// At once, not behind a promise: what was acknowledged must be known although the process dies in the next moment.
const say = (line: string) => void Deno.stdout.writeSync(encoder.encode(line + "\n"));

async function count(name: string, source: "itms" | "app"): Promise<never> {
  for (let value = Number(tree.peek(name)) + 1;; value++) {
    await tree.set({ [name]: value }, source);
    say(`ack ${name} ${value}`);
  }
}

async function rows(): Promise<never> {
  for (;;) {
    const index = await tree.add(TABLE, "app", { values: { UsBandwidth: 7 } });
    say(`add ${index}`);
    // All that are too many: a kill may have left one more each time.
    for (const row of tree.instances(TABLE).filter((row) => row > 3).slice(0, -20)) {
      await tree.remove(`${TABLE}${row}.`, "itms");
      say(`remove ${row}`);
    }
  }
}

async function replacements(): Promise<never> {
  for (let generation = generationIn(tree) + 1;; generation++) {
    await tree.replace(REPLACED, rowsOf(generation), "app");
    say(`replace ${generation}`);
  }
}

say("ready");
await Promise.all([
  ...COUNTERS.map((name, i) => count(name, i % 2 ? "app" : "itms")),
  rows(),
  replacements(),
]);

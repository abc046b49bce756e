/**
 * Killing a process (SIGKILL) in the middle of writing parameters, again and again on the same folder, and looking
 * each time whether everything that it had acknowledged is there.
 *
 * @module
 */
import { type Random, silentLog, systemClock } from "../../../base/mod.ts";
import type { ParameterValue } from "../definition.ts";
import { openParameters } from "../open.ts";
import type { ParameterTree } from "../tree.ts";

/** Parameters that only ever grow, one writer each. */
export const COUNTERS: readonly string[] = [
  "InternetGatewayDevice.ManagementServer.PeriodicInformInterval",
  ...[1, 2, 3].map((i) => `InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.${i}.DsBandwidth`),
];
/** A table that instances are added to and removed from. */
export const TABLE = "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.";

/** A table that is given other rows as a whole. */
export const REPLACED = "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.Entry.";
const DAY_MINUTES = 1440;

/** One to five rows that name their generation, all of them the same; it begins anew after a day's minutes. */
export function rowsOf(generation: number): { readonly Time: string; readonly Weekday: number }[] {
  const minute = generation % DAY_MINUTES, two = (number: number) => String(number).padStart(2, "0");
  const Time = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
  return Array.from({ length: minute % 5 + 1 }, () => ({ Time, Weekday: minute % 7 + 1 }));
}

/** The generation that the table's rows are of. */
export function generationIn(tree: ParameterTree): number {
  const [hours = 0, minutes = 0] = String(tree.peek(`${REPLACED}1.Time`)).split(":").map(Number);
  return 60 * hours + minutes;
}

/** What a {@linkcode killLoop} came to. */
export interface KillResult {
  kills: number;
  /** Writes that were acknowledged in all. */
  acknowledged: number;
  /** Kills after which more was on the disk than was acknowledged: they hit between the disk and the word of it. */
  ahead: number;
  /** What was wrong, a line each. */
  readonly faults: string[];
}

/** Kills so often, each time some 0 to 60 ms after the first word. `onKill` is told how far it is. */
export async function killLoop(
  kills: number,
  random: Random,
  onKill: (result: KillResult) => void = () => {},
): Promise<KillResult> {
  const result: KillResult = { kills: 0, acknowledged: 0, ahead: 0, faults: [] };
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-kill-" });
  try {
    await prepare(folder);
    while (result.kills < kills) {
      await round(folder, random.float() * 60, result);
      onKill(result);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return result;
}

function open(folder: string) {
  return openParameters({ clock: systemClock, log: silentLog }, folder);
}

/** The instances that the counters are in. These are never removed: only such as came later are. */
async function prepare(folder: string): Promise<void> {
  const tree = await open(folder);
  for (let i = 0; i < 3; i++) await tree.add(TABLE, "app");
  await tree.replace(REPLACED, rowsOf(0), "app");
}

async function round(folder: string, delayMs: number, result: KillResult): Promise<void> {
  const main = new URL("./kill_main.ts", import.meta.url).pathname;
  const before = await open(folder), sequence = before.sequence;
  const rows = new Map(before.instances(TABLE).map((row) => [row, true]));
  let replaced = generationIn(before);
  const acknowledged = new Map(COUNTERS.map((name) => [name, Number(valueIn(before, name))]));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--cached-only", "--allow-read", "--allow-write", main, folder],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let timer: ReturnType<typeof setTimeout> | undefined, text = "", count = 0;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    // The moment has to be a real one of the other process: there is nothing to fake here.
    timer ??= setTimeout(() => child.kill("SIGKILL"), delayMs);
    text += part;
  }
  clearTimeout(timer);
  const { signal } = await child.status;
  if (signal !== "SIGKILL") throw new Error(`it ended by itself: ${await errors}`);
  await errors;
  result.kills++;
  // What comes after the last line break was cut off in the pipe: not acknowledged as far as anybody knows.
  for (const line of text.split("\n").slice(0, -1)) {
    const [what, name, value] = line.split(" ");
    if (what === "ack") acknowledged.set(name!, Number(value));
    else if (what === "replace") replaced = Number(name);
    else if (what === "add" || what === "remove") rows.set(Number(name), what === "add");
    if (what !== "ready") count++;
  }
  result.acknowledged += count;

  const after = await open(folder);
  const fault = (text: string) => void result.faults.push(`kill ${result.kills}: ${text}`);
  let ahead = false;
  for (const [name, least] of acknowledged) {
    const found = valueIn(after, name);
    // One more may be on the disk that was not acknowledged any more.
    if (found !== least && found !== least + 1) fault(`${name} is ${found}, acknowledged was ${least}`);
    ahead ||= found === least + 1;
  }
  const there = after.instances(TABLE), newest = Math.max(...rows.keys());
  for (const [row, kept] of rows) {
    if (kept && !there.includes(row) && row !== oldestOf(rows)) {
      fault(`instance ${row} was added and is not there`);
    }
    if (!kept && there.includes(row)) fault(`instance ${row} was removed and is there`);
    if (there.includes(row) && row > 3 && valueIn(after, `${TABLE}${row}.UsBandwidth`) !== 7) {
      fault(`instance ${row} is half there`);
    }
  }
  for (const row of there) {
    if (!rows.has(row) && row !== newest + 1) fault(`instance ${row} came from nowhere`);
  }
  const generation = generationIn(after);
  if (generation !== replaced % DAY_MINUTES && generation !== (replaced + 1) % DAY_MINUTES) {
    fault(`the replaced table is of generation ${generation}, acknowledged was ${replaced}`);
  }
  const replacedRows = after.instances(REPLACED).map((row) => ({
    Time: after.peek(`${REPLACED}${row}.Time`),
    Weekday: after.peek(`${REPLACED}${row}.Weekday`),
  }));
  if (JSON.stringify(replacedRows) !== JSON.stringify(rowsOf(generation))) {
    fault(`the replaced table is half there: ${JSON.stringify(replacedRows)}`);
  }
  ahead ||= generation === (replaced + 1) % DAY_MINUTES;
  if (after.sequence < sequence) fault(`the sequence went back from ${sequence} to ${after.sequence}`);
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
  if (left.some((name) => name.endsWith(".broken"))) fault("the file could not be read");
  if (ahead) result.ahead++;
}

/** Undefined where even the instance that it is in is missing. */
function valueIn(tree: ParameterTree, name: string): ParameterValue | undefined {
  try {
    return tree.peek(name);
  } catch {
    return undefined;
  }
}

/** The instance whose removal may have been under way. */
function oldestOf(rows: ReadonlyMap<number, boolean>): number {
  return Math.min(...[...rows].filter(([row, kept]) => kept && row > 3).map(([row]) => row));
}

// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Three nodes under load, of which one is killed, paused past its lease or drained, and whose NATS and PostgreSQL are
 * killed; looks afterwards whether every command that was acknowledged is there and true, and none was done twice.
 *
 * `deno run -A scripts/cluster_chaos.ts [--beat SECONDS] [kill=20] [pause=5] [drain=3] [nats=3] [postgres=3]`
 *
 * Load are operators' commands, phone apps' posts and rollouts. Gateways send a heartbeat each half second and so find
 * another node at once; with `--beat 60`, as in life, they stay with the one that they had.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { clusterChaos, type Fault } from "../tests/support/cluster_chaos.ts";

const KINDS: readonly Fault[] = ["kill", "pause", "drain", "nats", "postgres"];
const { _: words, beat } = parseArgs(Deno.args, { string: ["beat", "_"], default: { beat: "0.5" } });
const beatMs = Number(beat) * 1000;
if (!(beatMs >= 100 && beatMs <= 600_000)) throw new Error(`--beat "${beat}": give 0.1 to 600 seconds`);
const wanted: string[] = words.length > 0
  ? words.map(String)
  : ["kill=20", "pause=5", "drain=3", "nats=3", "postgres=3"];
const faults = wanted.flatMap((text) => {
  const [name, times = "1"] = text.split("="), kind = KINDS.find((kind) => kind === name);
  if (!kind || !/^\d+$/.test(times)) throw new Error(`"${text}": give ${KINDS.join("=N, ")}=N`);
  return Array<Fault>(Number(times)).fill(kind);
});
const begun = performance.now();
const result = await clusterChaos({
  faults,
  beatMs,
  onFault: (fault, { windowMs, errors }) =>
    console.log(`${fault}: ${errors} answers failed, the last ${windowMs} ms after it`),
});
for (const breach of result.breaches) console.log(`breach: ${breach}`);
for (const [fault, { times, worstWindowMs, errors }] of Object.entries(result.faults)) {
  console.log(`${fault}: ${times} times, ${errors} answers failed, at worst ${worstWindowMs} ms after it`);
}
for (const [kind, count] of Object.entries(result.kinds)) console.log(`  ${count} times: ${kind}`);
const ended = Object.entries(result.ended).map(([end, count]) => `${count} ${end}`).join(", ");
console.log(
  `${result.acknowledged} commands acknowledged, ${result.byApps} of them by apps (${ended}); ${result.rollouts} ` +
    `rollouts, ${result.rolledOut} gateways; ${result.cutOff} questions cut off, ${result.refused} ` +
    `refused; ${result.breaches.length} breaches, ${Math.round((performance.now() - begun) / 1000)} s`,
);
Deno.exit(result.breaches.length === 0 ? 0 : 1);

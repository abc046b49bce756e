// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Three nodes under load, of which one is killed, paused past its lease or drained, and whose NATS and PostgreSQL are
 * killed; looks afterwards whether every command that was acknowledged is there and true, and none was done twice.
 *
 * `deno run -A scripts/cluster_chaos.ts [kill=20] [pause=5] [drain=3] [nats=3] [postgres=3]`
 *
 * @module
 */
import { clusterChaos, type Fault } from "../tests/support/cluster_chaos.ts";

const KINDS: readonly Fault[] = ["kill", "pause", "drain", "nats", "postgres"];
const wanted = Deno.args.length > 0 ? Deno.args : ["kill=20", "pause=5", "drain=3", "nats=3", "postgres=3"];
const faults = wanted.flatMap((text) => {
  const [name, times = "1"] = text.split("="), kind = KINDS.find((kind) => kind === name);
  if (!kind || !/^\d+$/.test(times)) throw new Error(`"${text}": give ${KINDS.join("=N, ")}=N`);
  return Array<Fault>(Number(times)).fill(kind);
});
const begun = performance.now();
const result = await clusterChaos({
  faults,
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
  `${result.acknowledged} commands acknowledged (${ended}); ${result.cutOff} questions cut off, ${result.refused} ` +
    `refused; ${result.breaches.length} breaches, ${Math.round((performance.now() - begun) / 1000)} s`,
);
Deno.exit(result.breaches.length === 0 ? 0 : 1);

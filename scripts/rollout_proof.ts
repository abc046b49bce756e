// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * A rollout to many simulated gateways through the real API, with installations that fail, brakes that act, and the
 * platform's process killed in between; afterwards what the platform says of every gateway is held against what that
 * gateway did.
 *
 * `deno run -A scripts/rollout_proof.ts [--gateways 20000] [--kills 2] [--fail 0.03] [--database URL] [--json FILE]`
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type ProofOptions, proveRollout } from "./load/rollout.ts";

const parsed = parseArgs(Deno.args, {
  string: ["gateways", "kills", "fail", "database", "json", "in-flight"],
});
const options: ProofOptions = {
  gateways: Number(parsed.gateways ?? 20_000),
  kills: Number(parsed.kills ?? 2),
  failShare: Number(parsed.fail ?? 0.03),
  maxInFlight: Number(parsed["in-flight"] ?? 500),
  database: parsed.database,
};
const result = await proveRollout(options, (line) => console.log(line));
console.log(JSON.stringify({ ...result, wrong: result.wrong.slice(0, 20) }, null, 2));
if (parsed.json) await Deno.writeTextFile(parsed.json, JSON.stringify(result, null, 2));
console.log(
  result.wrong.length === 0
    ? `all ${result.gateways} gateways are in a truthful state`
    : `${result.wrong.length} gateways are NOT in a truthful state`,
);
Deno.exit(result.wrong.length === 0 ? 0 : 1);

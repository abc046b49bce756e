// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Fuzzes a platform's API from its own OpenAPI document, for as long as one likes: `scripts/api_fuzz.ts [RUNS] [SEED]`
 * asks RUNS (default 200) requests of each operation. Ends with 1 where an answer was not in the document.
 *
 * `deno run -A scripts/api_fuzz.ts 1000`
 *
 * @module
 */
import { fuzzApi } from "../tests/support/api_fuzz.ts";
import { fuzzPlatform } from "../tests/support/api_fuzz_platform.ts";

if (import.meta.main) {
  const [runs = 200, seed = Date.now() % 1_000_000] = Deno.args.map(Number);
  await using stage = await fuzzPlatform();
  const { operations } = stage, started = performance.now();
  const report = await fuzzApi({ ...stage, runs, seed });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${report.requests} requests to ${operations.length} operations in ${seconds} s, seed ${seed}`);
  console.log(`answers: ${JSON.stringify(report.statuses)}`);
  console.log(`did what was asked at least once: ${report.succeeded.size} of ${operations.length}`);
  for (const breach of report.breaches) console.log(`breach: ${breach}`);
  console.log(`${report.breaches.length} breaches`);
  if (report.breaches.length > 0) Deno.exitCode = 1;
}

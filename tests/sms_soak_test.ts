/**
 * The long soak's short form: the same program, fewer messages. `deno run -A scripts/sms_soak.ts` is the long one.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { soak } from "../scripts/sms_soak.ts";

Deno.test("a hundred thousand messages are all reported on, and memory settles", async () => {
  const { messages, reports, residentMiB } = await soak(100_000, 4);
  assertEquals([messages, reports], [100_000, 100_000]);
  // The heap finds its size in the first half; what leaks would go on growing in the second: a message is about 1 KiB.
  const [half, end] = [residentMiB[4]!, residentMiB.at(-1)!];
  assert(end < half + 40, `${half.toFixed(0)} MiB half way, ${end.toFixed(0)} MiB at the end`);
});

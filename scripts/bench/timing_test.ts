import { assertEquals } from "@std/assert";
import { inTurns, load } from "./timing.ts";

Deno.test("works have their turns one after the other, and each keeps its own times", async () => {
  const turns: string[] = [];
  const times = await inTurns(3, {
    ours: (round) => Promise.resolve(turns.push(`ours ${round}`)),
    bare: (round) => Promise.resolve(turns.push(`bare ${round}`)),
  });
  assertEquals(turns, ["ours 0", "bare 0", "ours 1", "bare 1", "ours 2", "bare 2"]);
  assertEquals(times, { ours: [1, 3, 5], bare: [2, 4, 6] });
});

Deno.test("a load keeps so many under way, and no more", async () => {
  let under = 0, most = 0;
  const { times } = await load(
    async () => {
      most = Math.max(most, ++under);
      await Promise.resolve();
      under--;
    },
    4,
    50,
  );
  assertEquals([most, times.length], [4, 50]);
});

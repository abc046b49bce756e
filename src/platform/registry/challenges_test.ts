import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { Challenges } from "./mod.ts";

Deno.test("a challenge is forgotten after 130 s, and setting it anew gives it a new life", async () => {
  const clock = new FakeClock(), challenges = new Challenges<string>(clock);
  challenges.set("a", "1");
  await clock.advance(129_000);
  assertEquals(challenges.get("a"), "1");
  challenges.set("a", "2");
  await clock.advance(129_999);
  assertEquals(challenges.get("a"), "2");
  await clock.advance(1);
  assertEquals(challenges.get("a"), undefined);
});

Deno.test("a flood of challenges pushes out the oldest and what has expired, and stays within its capacity", async () => {
  const clock = new FakeClock(), challenges = new Challenges<number>(clock, 1000, 3);
  for (let i = 0; i < 100; i++) challenges.set(String(i), i);
  assertEquals([challenges.size, challenges.get("96"), challenges.get("99")], [3, undefined, 99]);
  await clock.advance(1000);
  challenges.set("new", 1);
  assertEquals(challenges.size, 1);
});

import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { Doorkeeper } from "./doorkeeper.ts";

Deno.test("an address that is wrong too often is kept out for a minute, however many others are", async () => {
  const clock = new FakeClock(0), door = new Doorkeeper(clock, 1, { addresses: 10 });
  const guess = (address: string) => {
    for (let i = 0; i < 3; i++) door.countWrong(address);
  };
  for (let i = 0; i < 30; i++) guess(`10.0.0.${i}`);
  assertEquals(door.blocked, 10);
  assertEquals([door.welcome("10.0.0.0"), door.welcome("10.0.0.29")], [true, false]);
  await clock.advance(60_000);
  // None of them comes back: the next one that is kept out takes their places.
  guess("10.0.1.1");
  assertEquals([door.blocked, door.welcome("10.0.1.1")], [1, false]);
});

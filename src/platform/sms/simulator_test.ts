import { assertEquals } from "@std/assert";
import { FakeClock, seededRandom } from "../../base/mod.ts";
import type { Receipt } from "./outlet.ts";
import { Simulator, type SimulatorBehaviour } from "./simulator.ts";
import { SUBMIT } from "./testing_stage.ts";

async function run(behaviour: Partial<SimulatorBehaviour>, seed = 1, count = 1000) {
  const clock = new FakeClock(), simulator = new Simulator(clock, seededRandom(seed), behaviour);
  const receipts: (Receipt & { at: number })[] = [];
  simulator.listen({
    onReceipt: (receipt) => {
      receipts.push({ ...receipt, at: clock.monotonic() });
      return Promise.resolve();
    },
    onMobileOriginated: () => Promise.resolve(true),
  });
  const answers = Array.from(
    { length: count },
    (_, i) => simulator.submit({ msgId: BigInt(i), submit: SUBMIT, expiresAt: Infinity }).kind,
  );
  await clock.advance(10_000);
  await simulator[Symbol.asyncDispose]();
  assertEquals(clock.pendingTimers, 0);
  return { receipts, answers };
}

Deno.test("the played centre repeats itself from a seed, and differs with another", async () => {
  const behaviour = { latencyMs: [5, 500] as const, outcomes: { UNDELIV: 0.2, EXPIRED: 0.1 }, silent: 0.1 };
  const [one, same, other] = [await run(behaviour), await run(behaviour), await run(behaviour, 2)];
  assertEquals(one.receipts, same.receipts);
  assertEquals(JSON.stringify(one, text) === JSON.stringify(other, text), false);
});

Deno.test("shares of outcomes, refusals and silence are about what they are set to", async () => {
  const { receipts, answers } = await run(
    {
      outcomes: { UNDELIV: 0.3 },
      silent: 0.2,
      refused: { share: 0.1, stat: "MB:0001" },
    },
    1,
    10_000,
  );
  const near = (count: number, of: number) =>
    assertEquals(Math.abs(count - of) < of * 0.1, true, `${count} ~ ${of}`);
  near(answers.filter((kind) => kind === "refused").length, 1000);
  near(receipts.length, 10_000 * 0.9 * 0.8);
  near(receipts.filter(({ stat }) => stat === "UNDELIV").length, 10_000 * 0.9 * 0.8 * 0.3);
});

Deno.test("receipts come within the latency, and what is stopped tells nothing more", async () => {
  const { receipts } = await run({ latencyMs: [100, 200] });
  assertEquals(receipts.every(({ at }) => at >= 100 && at <= 200), true);
  const clock = new FakeClock(), simulator = new Simulator(clock, seededRandom(1), { latencyMs: [50, 50] });
  let told = 0;
  simulator.listen({
    onReceipt: () => {
      told++;
      return Promise.resolve();
    },
    onMobileOriginated: () => Promise.resolve(true),
  });
  simulator.submit({ msgId: 1n, submit: SUBMIT, expiresAt: Infinity });
  await simulator[Symbol.asyncDispose]();
  await clock.advance(1000);
  assertEquals(told, 0);
});

function text(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

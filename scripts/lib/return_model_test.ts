import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/mod.ts";
import { DEFAULT_TIMING } from "../../src/gateway/registration/mod.ts";
import { DISTRIBUTION, OPERATIONS, Stage } from "../../src/gateway/registration/testing.ts";
import { type Outage, type Return, simulateReturn, Unanswered } from "./return_model.ts";

/** Moments at which a real registration sends something (or looks a name up), while nobody answers. */
async function realMoments(
  step: "heartbeats" | "operations" | "distribution",
  random: () => number,
  forMs: number,
): Promise<number[]> {
  await using stage = await Stage.open();
  if (step !== "distribution") await stage.state.update({ operations: OPERATIONS });
  const access = stage.access;
  stage.distribution = () => undefined;
  stage.access = (message, at) =>
    step === "heartbeats" && (message.method !== "Hb" || message.flag === "1")
      ? access(message, at)
      : undefined;
  stage.start(DISTRIBUTION, { random: { float: random, bytes: (length) => new Uint8Array(length) } });
  await stage.settle();
  const from = step === "heartbeats" ? stage.heard.length : 0;
  await stage.advance(forMs);
  return stage.heard.slice(from).map(({ at }) => at);
}

Deno.test("the model of a gateway without answers agrees with the real registration to the millisecond", async () => {
  for (const step of ["heartbeats", "operations", "distribution"] as const) {
    for (let seed = 1; seed <= 2; seed++) {
      // The start draws one number before any wait does.
      const drawn = seededRandom(seed),
        real = await realMoments(step, seededRandom(seed).float, 6_000_000);
      drawn.float();
      const model = new Unanswered(DEFAULT_TIMING, 60_000, drawn.float, step), moments: number[] = [];
      for (let at = step === "heartbeats" ? 60_000 : 0; moments.length < real.length; at = model.next(at)) {
        moments.push(at);
      }
      assert(real.length > 30, `${real.length} datagrams`);
      const same = real.every((at, i) => Math.abs(at - moments[i]!) < 1);
      assert(same, `${step}, seed ${seed}:\n${real.join(" ")}\n${moments.join(" ")}`);
    }
  }
});

const COUNT = 30_000;

function lived(outage: Omit<Outage, "name">, waits?: () => number): Return {
  return simulateReturn({ name: "", ...outage }, DEFAULT_TIMING, COUNT, seededRandom(5), waits);
}

/** The busiest second, measured by what a second would get if all came evenly in one interval. */
const crowd = ({ peak }: Return) => peak / (COUNT / 60);

Deno.test("after any outage the busiest second sees a small part of all gateways", () => {
  const outages: readonly (readonly [Omit<Outage, "name">, crowd: number, secondsTo99: number])[] = [
    [{ kind: "silence", seconds: 90 }, 1.5, 61],
    [{ kind: "silence", seconds: 600 }, 1.5, 700],
    [{ kind: "silence", seconds: 6 * 3600 }, 1.5, 700],
    [{ kind: "power", seconds: 3600, startSpreadSeconds: 60 }, 1.5, 110],
    [{ kind: "names", seconds: 1800 }, 2, 80],
  ];
  for (const [outage, most, seconds] of outages) {
    const back = lived(outage), what = JSON.stringify(outage);
    assertEquals(back.perSecond.reduce((sum, n) => sum + n), COUNT, what);
    assert(crowd(back) < most, `${what}: ${crowd(back).toFixed(2)} times an even share`);
    assert(back.secondsTo99 <= seconds, `${what}: ${back.secondsTo99} s`);
  }
});

Deno.test("without the random waits it is another matter: that is what they are for", () => {
  assert(crowd(lived({ kind: "power", seconds: 3600 })) > 10);
  assert(crowd(lived({ kind: "names", seconds: 1800 }, () => 0)) > 5);
});

Deno.test("gateways that began together part, even at a platform that can take few of them", () => {
  const outage = { kind: "power", seconds: 3600, capacity: COUNT / 100 } as const;
  const apart = lived(outage), together = lived(outage, () => 0);
  const tail = ({ triesPerSecond }: Return) => Math.max(...triesPerSecond.slice(180));
  assert(
    tail(apart) < tail(together) / 2,
    `${tail(apart)} and ${tail(together)} tries in the busiest second`,
  );
});

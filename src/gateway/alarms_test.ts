import { assertEquals } from "@std/assert";
import { FakeClock } from "../base/mod.ts";
import { ALARM_LOOK_MS, type AlarmCondition, alarmConditions, AlarmWatch } from "./alarms.ts";

/** Remembers what is raised, and everything that was said. */
class Told {
  readonly codes = new Set<string>();
  readonly said: string[] = [];

  raised(code: string): boolean {
    return this.codes.has(code);
  }

  raise(code: string, severity: string, text: string): void {
    this.codes.add(code);
    this.said.push(`${severity} ${code}: ${text}`);
  }

  clear(code: string): void {
    this.codes.delete(code);
    this.said.push(`cleared ${code}`);
  }
}

Deno.test("an alarm is raised when it was seen twice, cleared when it was gone twice, and what is not told changes nothing", async () => {
  const clock = new FakeClock(), told = new Told();
  let answer: string | null | undefined = null, asked = 0;
  const condition: AlarmCondition = {
    code: "a",
    severity: "warning",
    look: () => (asked++, answer === "fail" ? Promise.reject(new Error("no")) : Promise.resolve(answer)),
  };
  const rare: AlarmCondition = { code: "b", severity: "info", every: 3, look: () => Promise.resolve("so") };
  const watch = new AlarmWatch(clock, told, [condition, rare]);
  for (
    const next of ["bad", null, "bad", undefined, "fail", "worse", "bad", undefined, null, "bad", null, null]
  ) {
    answer = next;
    await clock.advance(ALARM_LOOK_MS);
  }
  assertEquals(asked, 12);
  assertEquals(told.said, ["info b: so", "warning a: worse", "cleared a"]);
  await watch[Symbol.asyncDispose]();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("conditions say what the machine says, with a threshold of their own for the way back", async () => {
  const clock = new FakeClock(0);
  let percent = 80,
    optics: { rxPower?: number; temperature?: number } | undefined,
    nextTry: "name" | "heartbeat" = "name";
  const conditions = alarmConditions({
    clock,
    dataDir: await Deno.makeTempDir(),
    registration: () => ({ nextTry }),
    driver: {
      memory: () => Promise.resolve({ totalKb: 1, availableKb: 1, percent }),
      pon: {
        optics: () => optics ? Promise.resolve(optics) : Promise.reject(new Error("there is no fibre")),
      },
    } as unknown as Parameters<typeof alarmConditions>[0]["driver"],
  });
  const look = (code: string, raised = false) =>
    conditions.find((one) => one.code === code)!.look(raised).then((text) => text, () => undefined);
  assertEquals(await look("clock_not_set"), "the clock is not set: no timer switches anything");
  clock.jump(Date.UTC(2026, 0, 1));
  assertEquals(await look("clock_not_set"), null);
  assertEquals(await look("name_not_found"), "the platform's name can't be looked up");
  nextTry = "heartbeat";
  assertEquals(await look("name_not_found"), null);
  assertEquals(await look("memory_low"), null);
  percent = 93;
  assertEquals([await look("memory_low"), await look("memory_low", true)], [
    null,
    "93 % of memory is in use",
  ]);
  percent = 96;
  assertEquals(await look("memory_low"), "96 % of memory is in use");
  assertEquals([await look("optical_power_low"), await look("optical_temperature_high")], [
    undefined,
    undefined,
  ]);
  optics = { rxPower: -27.5 };
  assertEquals([await look("optical_power_low"), await look("optical_power_low", true)], [
    null,
    "-27.5 dBm arrive by fibre",
  ]);
  assertEquals(await look("optical_temperature_high"), undefined, "it does not tell");
  optics = { temperature: 71 };
  assertEquals(await look("optical_temperature_high"), "the optical module has 71 °C");
  assertEquals(typeof await look("disk_full"), "object", "null: the tests' own disk has room");
});

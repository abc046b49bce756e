import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { GatewayStore } from "../registry/mod.ts";
import { RolloutError } from "./mod.ts";
import { macOf, ok, refused, Stage, WANTED } from "./testing_stage.ts";

Deno.test("a rollout reaches each of its gateways once, never more at a time than it may", async () => {
  await using stage = await Stage.open(40);
  stage.answer = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return ok;
  };
  const { id } = await stage.rollouts.create({ ...WANTED, filter: "region==a", maxInFlight: 4 });
  assertEquals(stage.asked.length, 0, "a draft does nothing");
  await stage.rollouts.submit(id);
  await stage.until(id, "finished");
  assertEquals(await stage.total(id), { waiting: 0, issued: 0, succeeded: 20, failed: 0, skipped: 0 });
  assertEquals(new Set(stage.asked.map(({ mac }) => mac)).size, 20);
  assertEquals(stage.asked.length, 20);
  assert(stage.most <= 4, `${stage.most} at a time`);
});

Deno.test("the next stage begins only when the one before went well", async () => {
  await using stage = await Stage.open(20);
  const stages = [
    { name: "pilot", percent: 10, successThreshold: 100, errorThreshold: 100 },
    { name: "rest", percent: 90, successThreshold: 0, errorThreshold: 100 },
  ];
  stage.answer = () => refused;
  const { id } = await stage.rollouts.create({ ...WANTED, stages });
  await stage.rollouts.submit(id);
  const paused = await stage.until(id, "paused");
  assertStringIncludes(paused.reason!, 'stage "pilot": 0 of 2 succeeded, fewer than 100 %');
  assertEquals(await stage.total(id), { waiting: 18, issued: 0, succeeded: 0, failed: 2, skipped: 0 });
  stage.answer = () => ok;
  assertEquals((await stage.rollouts.retry(id)).gateways, 2);
  await stage.until(id, "finished");
  assertEquals(await stage.total(id), { waiting: 0, issued: 0, succeeded: 20, failed: 0, skipped: 0 });
  assertEquals(stage.asked.length, 22);
});

Deno.test("too many failures pause a rollout, and what is left is left alone", async () => {
  await using stage = await Stage.open(100);
  stage.answer = () => refused;
  const { id } = await stage.rollouts.create({ ...WANTED, maxInFlight: 5 });
  await stage.rollouts.submit(id);
  const { reason } = await stage.until(id, "paused");
  assertStringIncludes(reason!, "failed, more than 10 %");
  const { failed, waiting } = await stage.total(id);
  assert(failed > 10 && failed <= 16, `${failed} failed`);
  assertEquals(failed + waiting, 100);
  await stage.clock.advance(3_600_000);
  assertEquals(stage.asked.length, failed, "paused is paused");
});

Deno.test("a post that its plug-in refuses is a failure with the plug-in's reason", async () => {
  await using stage = await Stage.open(1);
  stage.answer = () => ({
    kind: "reply",
    reply: { result: 0, parameter: { Status: "1", FailReason: "no such SSID" } },
  });
  const { id } = await stage.rollouts.create(WANTED);
  await stage.rollouts.submit(id);
  await stage.until(id, "paused");
  const [item] = await stage.store.items(id, 1);
  assertEquals([item!.status, item!.error_code, item!.error], [
    "failed",
    "capability_failed",
    "no such SSID",
  ]);
});

Deno.test("failed gateways are tried again as often as the rollout says", async () => {
  await using stage = await Stage.open(10);
  const tries = new Map<string, number>();
  stage.answer = (mac) => {
    tries.set(mac, (tries.get(mac) ?? 0) + 1);
    return tries.get(mac)! < 3 ? refused : ok;
  };
  const { id } = await stage.rollouts.create({ ...WANTED, maxAttempts: 3 });
  await stage.rollouts.submit(id);
  await stage.until(id, "finished");
  assertEquals([...tries.values()], Array(10).fill(3));
});

Deno.test("the rate is kept, spread over the minute", async () => {
  await using stage = await Stage.open(60);
  const { id } = await stage.rollouts.create({ ...WANTED, perMinute: 20, maxInFlight: 100 });
  await stage.rollouts.submit(id);
  await stage.settled();
  assert(stage.asked.length <= 1, `${stage.asked.length} at once`);
  const perMinute: number[] = [];
  let before = 0;
  for (let minute = 0; minute < 4; minute++) {
    for (let second = 0; second < 60; second++) {
      await stage.clock.advance(1000);
      await stage.settled();
    }
    perMinute.push(stage.asked.length - before);
    before = stage.asked.length;
  }
  assert(perMinute.every((n) => n <= 21), String(perMinute));
  assertEquals(stage.asked.length, 60, String(perMinute));
});

Deno.test("outside its window a rollout begins nothing", async () => {
  await using stage = await Stage.open(5);
  const start = stage.clock.now(), hour = new Date(start).getUTCHours();
  const at = (h: number) => `${String((h + 24) % 24).padStart(2, "0")}:00`;
  const window = { days: [1, 2, 3, 4, 5, 6, 7], from: at(hour + 2), to: at(hour + 3), utcOffsetMinutes: 0 };
  const { id } = await stage.rollouts.create({ ...WANTED, window });
  await stage.rollouts.submit(id);
  for (let i = 0; i < 60; i++) {
    await stage.clock.advance(60_000);
    await stage.settled();
  }
  assertEquals(stage.asked.length, 0);
  for (let i = 0; i < 120 && stage.asked.length < 5; i++) {
    await stage.clock.advance(60_000);
    await stage.settled();
  }
  assertEquals([stage.asked.length, new Date(stage.clock.now()).getUTCHours()], [5, (hour + 2) % 24]);
});

Deno.test("a rollout waits for somebody else's approval, and for its time", async () => {
  await using stage = await Stage.open(3);
  const startAt = stage.clock.now() + 3_600_000;
  const { id } = await stage.rollouts.create({ ...WANTED, needsApproval: true, startAt });
  assertEquals((await stage.rollouts.submit(id)).status, "approval");
  const own = await assertRejects(() => stage.rollouts.approve(id, "operator:maker"), RolloutError);
  assertEquals(own.code, "rollout_own");
  assertEquals((await stage.rollouts.approve(id, "operator:other")).status, "scheduled");
  await stage.clock.advance(3_500_000);
  await stage.settled();
  assertEquals(stage.asked.length, 0);
  await stage.until(id, "finished");
  assertEquals(stage.asked.length, 3);
  assertEquals((await stage.store.find(id))!.approved_by, "operator:other");
});

Deno.test("an aborted rollout takes back what still waits, and says what became of each gateway", async () => {
  await using stage = await Stage.open(30);
  stage.answer = () => new Promise(() => {});
  const { id } = await stage.rollouts.create({ ...WANTED, maxInFlight: 10 });
  await stage.rollouts.submit(id);
  await stage.settled();
  await stage.rollouts.abort(id, "wrong version");
  await stage.clock.advance(61_000); // those under way end by their time
  await stage.settled();
  const { succeeded, failed, skipped, issued, waiting } = await stage.total(id);
  assertEquals([succeeded, issued, waiting, failed + skipped], [0, 0, 0, 30]);
  assertEquals((await stage.store.find(id))!.status, "aborted");
  await assertRejects(() => stage.rollouts.resume(id), RolloutError, "it is aborted");
});

Deno.test("an installation is taken back to the version before, or away where there was none", async () => {
  await using stage = await Stage.open(4);
  stage.answer = (_mac, { method }) => ({
    kind: "reply",
    reply: { result: method === "Install_query" ? 100 : 0 },
  });
  const install = { ...WANTED, kind: "install", plugin: "p", parameter: {} } as const;
  const first = await stage.rollouts.create({ ...install, version: "1.0", filter: "region==a" });
  await stage.rollouts.submit(first.id);
  await stage.until(first.id, "finished");
  await stage.fleet.settled();
  const second = await stage.rollouts.create({ ...install, version: "2.0" });
  await stage.rollouts.submit(second.id);
  await stage.until(second.id, "finished");
  await stage.fleet.settled();
  const back = await stage.rollouts.rollBack(second.id, "operator:other");
  assertEquals([back.status, back.reverts], ["draft", second.id]);
  stage.asked.length = 0;
  await stage.rollouts.submit(back.id);
  await stage.until(back.id, "finished");
  const done = stage.asked.filter(({ message }) =>
    message.method === "Install" || message.method === "UnInstall"
  )
    .map(({ mac, message }) => [mac, message.method, "version" in message ? message.version : ""]).sort();
  assertEquals(done, [
    [macOf(0), "UnInstall", ""],
    [macOf(1), "Install", "1.0"],
    [macOf(2), "UnInstall", ""],
    [macOf(3), "Install", "1.0"],
  ]);
});

Deno.test("the emergency stop pauses everything, and a process that starts again takes up what ran", async () => {
  await using stage = await Stage.open(30);
  const one = await stage.rollouts.create({ ...WANTED, perMinute: 60 });
  const two = await stage.rollouts.create({ ...WANTED, startAt: stage.clock.now() + 1_000_000 });
  for (const { id } of [one, two]) await stage.rollouts.submit(id);
  await stage.settled();
  assertEquals((await stage.rollouts.stopAll("smoke")).sort(), [one.id, two.id].sort());
  const asked = stage.asked.length;
  await stage.clock.advance(2_000_000);
  await stage.settled();
  assertEquals(stage.asked.length, asked);
  await stage.rollouts.resume(one.id);
  await stage.settled();
  await stage.stop();
  await stage.start();
  await stage.until(one.id, "finished");
  assertEquals(stage.asked.length, 30);
  assertEquals(new Set(stage.asked.map(({ mac }) => mac)).size, 30);
});

Deno.test("a gateway that was begun with and whose command was never made gets it when the rollout is taken up", async () => {
  await using stage = await Stage.open(6);
  const { id } = await stage.rollouts.create({ ...WANTED, perMinute: 60 });
  await stage.stop();
  // What a process leaves that was killed between its two writes.
  await stage.db.sql.updateTable("rollout").set({ status: "running" }).where("id", "=", id).execute();
  const [item] = await stage.store.items(id, 1);
  await stage.store.issue(id, [{
    mac: item!.mac,
    change: { status: "issued", command_id: "made-before", attempt: 1 },
  }]);
  await stage.start();
  await stage.until(id, "finished");
  assertEquals((await stage.commander.find("made-before"))!.mac, item!.mac);
  assertEquals(stage.asked.length, 6);
});

Deno.test("a rollout over nothing is refused, and a gateway that was removed since is skipped", async () => {
  await using stage = await Stage.open(3);
  const none = await assertRejects(
    () => stage.rollouts.create({ ...WANTED, filter: "region==zz" }),
    RolloutError,
  );
  assertEquals(none.code, "rollout_empty");
  const { id } = await stage.rollouts.create(WANTED);
  await new GatewayStore(stage.db.sql, stage.clock).remove(macOf(1));
  await stage.rollouts.submit(id);
  // Two of three would be too few: but the third went neither well nor badly.
  await stage.until(id, "finished");
  assertEquals(await stage.total(id), { waiting: 0, issued: 0, succeeded: 2, failed: 0, skipped: 1 });
});

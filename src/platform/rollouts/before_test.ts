import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { ChannelOutcome, ChannelRequest, InstalledPlugin } from "../subjects.ts";
import { RolloutError } from "./mod.ts";
import { macOf, Stage, WANTED } from "./testing_stage.ts";

const INSTALL = { ...WANTED, kind: "install", plugin: "p", version: "2.0", parameter: {} } as const;

/** Gateways that have plug-ins, and parameters. */
function played(
  stage: Stage,
  plugins: Record<string, InstalledPlugin[]>,
  values: Record<string, string> = {},
) {
  stage.answer = (mac, message): ChannelOutcome => {
    const there = plugins[mac] ??= [];
    switch (message.method) {
      case "ListPlugin":
        return { kind: "reply", reply: { result: 0, plugins: [...there] } };
      case "Install":
        plugins[mac] = [{ name: message.plugin, version: message.version, run: true }];
        return { kind: "reply", reply: { result: 0 } };
      case "Install_query":
        return { kind: "reply", reply: { result: 100 } };
      case "UnInstall":
        plugins[mac] = there.filter(({ name }) => name !== message.plugin);
        return { kind: "reply", reply: { result: 0 } };
      case "Post":
        return { kind: "reply", reply: { result: 0, parameter: { Status: "0", ...tree(message, values) } } };
      default:
        return { kind: "reply", reply: { result: 0 } };
    }
  };
}

function tree({ parameter }: ChannelRequest & { method: "Post" }, values: Record<string, string>) {
  const list = parameter["List"];
  if (parameter["CmdType"] === "GETPARAMETERVALUES") {
    return { List: (list as string[]).map((Name) => ({ Name, Value: values[Name] ?? "" })) };
  }
  for (const { Name, Value } of list as { Name: string; Value: string }[]) values[Name] = Value;
  return {};
}

async function done(stage: Stage, wanted: Parameters<Stage["rollouts"]["create"]>[0]) {
  const { id } = await stage.rollouts.create(wanted);
  await stage.rollouts.submit(id);
  await stage.until(id, "finished");
  await stage.fleet.settled();
  return id;
}

async function takenBack(stage: Stage, id: string) {
  const back = await stage.rollouts.rollBack(id, "operator:other");
  await stage.rollouts.submit(back.id);
  await stage.until(back.id, "finished");
  return back.id;
}

Deno.test("a plug-in that nobody ever listed is asked for before it is replaced, and comes back with the roll-back", async () => {
  await using stage = await Stage.open(3);
  const factory = { name: "p", version: "0.9", run: true };
  const plugins: Record<string, InstalledPlugin[]> = { [macOf(0)]: [factory], [macOf(1)]: [] };
  played(stage, plugins);
  const id = await done(stage, INSTALL);
  const before = (await stage.store.items(id, 9)).map(({ mac, previous_version }) => [mac, previous_version]);
  assertEquals(before.sort(), [[macOf(0), "0.9"], [macOf(1), ""], [macOf(2), ""]]);
  await takenBack(stage, id);
  assertEquals(plugins, { [macOf(0)]: [factory], [macOf(1)]: [], [macOf(2)]: [] });
});

Deno.test("where a gateway does not tell what it has, nothing is taken back, and the reason is said", async () => {
  await using stage = await Stage.open(2);
  const plugins = { [macOf(0)]: [{ name: "p", version: "0.9", run: true }], [macOf(1)]: [] };
  played(stage, plugins);
  const { answer } = stage;
  stage.answer = (mac, message) =>
    mac === macOf(0) && message.method === "ListPlugin"
      ? { kind: "reply", reply: { result: -1 } }
      : answer(mac, message);
  const id = await done(stage, INSTALL);
  stage.asked.length = 0;
  const back = await takenBack(stage, id);
  assertEquals(stage.asked.map(({ mac }) => mac), [macOf(1)]);
  const skipped = (await stage.store.items(back, 9)).find(({ mac }) => mac === macOf(0))!;
  assertEquals([skipped.status, skipped.error], ["skipped", "which version it had before is not known"]);
});

Deno.test("what an earlier version of this program left unsaid is not taken for nothing", async () => {
  await using stage = await Stage.open(2);
  played(stage, {});
  const id = await done(stage, INSTALL);
  await stage.db.sql.updateTable("rollout_item").set({ previous_version: null }).execute();
  const error = await assertRejects(() => stage.rollouts.rollBack(id, "operator:other"), RolloutError);
  assertEquals(error.code, "rollout_empty");
  assertStringIncludes(error.message, "not known");
});

Deno.test("a gateway that can't be asked in its time has failed with that, and a try later asks again", async () => {
  await using stage = await Stage.open(1);
  stage.bus.publish("channel.closed", { mac: macOf(0), reason: "away" });
  played(stage, {});
  const { id } = await stage.rollouts.create({ ...INSTALL, commandTimeoutMs: 30_000 });
  await stage.rollouts.submit(id);
  await stage.until(id, "paused");
  const [item] = await stage.store.items(id, 1);
  assertEquals([item!.status, item!.error_code], ["failed", "not_delivered"]);
  assertEquals((await stage.commander.find(item!.command_id!))!.kind, "list");
  stage.bus.publish("channel.opened", { mac: macOf(0) });
  await stage.rollouts.retry(id);
  await stage.until(id, "finished");
  assertEquals(stage.asked.map(({ message }) => message.method), [
    "ListPlugin",
    "Install",
    "Install_query",
    "Run",
  ]);
});

Deno.test("a rollout that pauses or is aborted while gateways are asked installs nothing on them", async () => {
  for (const how of ["pause", "abort"] as const) {
    await using stage = await Stage.open(2);
    for (const n of [0, 1]) stage.bus.publish("channel.closed", { mac: macOf(n), reason: "away" });
    played(stage, {});
    const { id } = await stage.rollouts.create(INSTALL);
    await stage.rollouts.submit(id);
    await stage.settled();
    await stage.rollouts[how](id, "wait");
    await stage.settled();
    for (const n of [0, 1]) stage.bus.publish("channel.opened", { mac: macOf(n) });
    await stage.clock.advance(60_000);
    await stage.settled();
    assertEquals(stage.asked, []);
    const { waiting, skipped } = await stage.total(id);
    assertEquals([waiting, skipped], how === "pause" ? [2, 0] : [0, 2]);
  }
});

Deno.test("a process that is killed while a gateway is asked asks again, and installs once", async () => {
  await using stage = await Stage.open(1);
  stage.bus.publish("channel.closed", { mac: macOf(0), reason: "away" });
  played(stage, { [macOf(0)]: [{ name: "p", version: "0.9", run: true }] });
  const { id } = await stage.rollouts.create(INSTALL);
  await stage.rollouts.submit(id);
  await stage.settled();
  assertEquals((await stage.total(id)).issued, 1);
  await stage.stop();
  await stage.start();
  await stage.until(id, "finished");
  assertEquals(stage.asked.filter(({ message }) => message.method === "Install").length, 1);
  assertEquals((await stage.store.items(id, 1))[0]!.previous_version, "0.9");
});

Deno.test("a removal is taken back to the version that was there, and where there was none nothing is done", async () => {
  await using stage = await Stage.open(2);
  const plugins: Record<string, InstalledPlugin[]> = {
    [macOf(0)]: [{ name: "p", version: "1.5", run: true }],
  };
  played(stage, plugins);
  const id = await done(stage, { ...INSTALL, kind: "uninstall", version: "" });
  assertEquals(plugins[macOf(0)], []);
  await takenBack(stage, id);
  assertEquals(plugins, { [macOf(0)]: [{ name: "p", version: "1.5", run: true }], [macOf(1)]: [] });
});

Deno.test("parameters are read before they are written, and written back; what reads as empty is not", async () => {
  for (const form of ["list", "object", "text"]) {
    await using stage = await Stage.open(1);
    const values: Record<string, string> = { "A.Enable": "1", "A.Name": "old" };
    played(stage, {}, values);
    const pairs = [{ Name: "A.Enable", Value: "0" }, { Name: "A.Name", Value: "new" }];
    const List = form === "list" ? pairs : { "A.Enable": "0", "A.Name": "new" };
    const { answer } = stage;
    stage.answer = (mac, message) => {
      // The plug-in takes each form; this one is the test's.
      if (message.method !== "Post" || message.parameter["CmdType"] !== "SETPARAMETERVALUES") {
        return answer(mac, message);
      }
      const list = Array.isArray(message.parameter["List"]) ? message.parameter["List"] : pairs;
      return answer(mac, { ...message, parameter: { ...message.parameter, List: list } });
    };
    const parameter = { CmdType: "SETPARAMETERVALUES", List: form === "text" ? JSON.stringify(List) : List };
    const id = await done(stage, { ...WANTED, plugin: "management", parameter });
    assertEquals(values, { "A.Enable": "0", "A.Name": "new" });
    await takenBack(stage, id);
    assertEquals(values, { "A.Enable": "1", "A.Name": "old" }, form);

    const Secret = [{ Name: "A.Password", Value: "s3cret" }];
    const secret = await done(stage, {
      ...WANTED,
      plugin: "management",
      parameter: { CmdType: "SETPARAMETERVALUES", List: Secret },
    });
    const error = await assertRejects(() => stage.rollouts.rollBack(secret, "operator:other"), RolloutError);
    assertStringIncludes(error.message, 'what "A.Password" was before is not known');
  }
});

Deno.test("what can't be taken back is refused with the reason", async () => {
  await using stage = await Stage.open(1);
  const post = await done(stage, WANTED);
  const configure = await done(stage, { ...WANTED, kind: "configure", parameter: { a: 1 } });
  for (
    const [id, why] of [[post, "only SETPARAMETERVALUES"], [
      configure,
      "can't be read from a gateway",
    ]] as const
  ) {
    const error = await assertRejects(() => stage.rollouts.rollBack(id, "operator:other"), RolloutError);
    assertEquals(error.code, "rollout_irreversible");
    assertStringIncludes(error.message, why);
  }
});

Deno.test("gateways are sent to another platform at the rollout's rate, and its brakes hold", async () => {
  await using stage = await Stage.open(20);
  const parameter = { mode: 1, address: "ops2.example:12113" };
  const move = { ...WANTED, kind: "redistribute", plugin: "", parameter, perMinute: 60 } as const;
  const { id } = await stage.rollouts.create({ ...move, filter: "region==a" });
  await stage.rollouts.submit(id);
  await stage.settled();
  assertEquals(stage.moved.length, 1);
  await stage.until(id, "finished");
  assertEquals(stage.moved.map(({ to }) => to), Array(10).fill("1 ops2.example:12113"));
  assertEquals(new Set(stage.moved.map(({ mac }) => mac)).size, 10);
  assertEquals(stage.asked, [], "nothing goes over the channel");

  const outcomes = {
    refused: "gateway_refused",
    offline: "gateway_offline",
    unanswered: "outcome_unknown",
  } as const;
  for (const [outcome, code] of Object.entries(outcomes)) {
    stage.moved.length = 0;
    stage.moving = () => outcome as keyof typeof outcomes;
    const bad = await stage.rollouts.create({ ...move, perMinute: 100_000, maxInFlight: 2 });
    await stage.rollouts.submit(bad.id);
    assertStringIncludes((await stage.until(bad.id, "paused")).reason!, "more than 10 %");
    const [item] = await stage.store.items(bad.id, 1, -1, "failed");
    assertEquals(item!.error_code, code);
    assertEquals(stage.moved.length < 20, true);
  }
});

Deno.test("brakes are edited while a rollout is paused or planned, and hold when it goes on", async () => {
  await using stage = await Stage.open(20);
  stage.answer = (mac) => ({
    kind: "reply",
    reply: mac < macOf(10) ? { result: -17 } : { result: 0, parameter: { Status: "0" } },
  });
  const stages = [{ name: "all", percent: 100, successThreshold: 90, errorThreshold: 100 }];
  const { id } = await stage.rollouts.create({ ...WANTED, stages });
  await stage.rollouts.edit(id, { per_minute: 100 });
  await stage.rollouts.submit(id);
  await assertRejects(() => stage.rollouts.edit(id, { per_minute: 1 }), RolloutError, "it is running");
  assertStringIncludes((await stage.until(id, "paused")).reason!, "10 of 20 succeeded, fewer than 90 %");
  await stage.rollouts.resume(id);
  await stage.until(id, "paused");
  await assertRejects(() => stage.rollouts.edit(id, { stages: [] }), RolloutError, "it has 1 stages");
  const row = await stage.rollouts.edit(id, { max_in_flight: 3, stages: [{ successThreshold: 50 }] });
  assertEquals([row.max_in_flight, row.per_minute, row.status], [3, 100, "paused"]);
  await stage.rollouts.resume(id);
  await stage.until(id, "finished");
  const [judged] = await stage.store.stages(id);
  assertEquals([judged!.success_threshold, judged!.error_threshold], [50, 100]);
});

Deno.test("a rollout that was approved waits for approval again when its brakes are edited, and goes on with that", async () => {
  await using stage = await Stage.open(4);
  const startAt = stage.clock.now() + 60_000;
  const { id } = await stage.rollouts.create({ ...WANTED, needsApproval: true, startAt });
  await stage.rollouts.submit(id);
  await stage.rollouts.approve(id, "operator:other");
  const row = await stage.rollouts.edit(id, { max_in_flight: 2 });
  assertEquals([row.status, row.approved_by], ["approval", null]);
  await stage.clock.advance(120_000);
  await stage.settled();
  assertEquals(stage.asked, []);
  await assertRejects(() => stage.rollouts.approve(id, "operator:maker"), RolloutError);
  await stage.rollouts.approve(id, "operator:other");
  await stage.until(id, "finished");
  assertEquals([stage.asked.length, stage.most <= 2], [4, true]);
});

Deno.test("brakes that are changed at the moment of an approval are not what was approved", async () => {
  await using stage = await Stage.open(4);
  const { id } = await stage.rollouts.create({ ...WANTED, needsApproval: true, maxInFlight: 1 });
  await stage.rollouts.submit(id);
  const change = stage.store.change.bind(stage.store);
  stage.store.change = async (...given) => {
    stage.store.change = change;
    const row = await change(...given);
    await stage.rollouts.edit(id, { max_in_flight: 4 }).catch(() => {});
    return row;
  };
  await stage.rollouts.approve(id, "operator:other").catch(() => {});
  const row = (await stage.store.find(id))!;
  assertEquals([row.status, row.max_in_flight, row.approved_by], ["running", 1, "operator:other"]);
  await stage.until(id, "finished");
  assertEquals(stage.most, 1);
});

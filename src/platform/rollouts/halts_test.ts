import { assert, assertEquals, assertRejects } from "@std/assert";
import { GatewayStore } from "../registry/mod.ts";
import { RolloutError } from "./mod.ts";
import { macOf, ok, refused, Stage, WANTED } from "./testing_stage.ts";

/** A gate that stands shut until the test opens it. */
function gate<A extends unknown[], R>(work: (...args: A) => Promise<R>) {
  const opened = Promise.withResolvers<void>(), reached = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    open: () => opened.resolve(),
    work: async (...args: A) => {
      reached.resolve();
      await opened.promise;
      return await work(...args);
    },
  };
}

Deno.test("a pause or an emergency stop is kept, however far the resume before it has come", async () => {
  for (const where of ["stages", "counts", "issued", "next", "present"] as const) {
    for (const how of ["pause", "stop"] as const) {
      await using stage = await Stage.open(20);
      const { id } = await stage.rollouts.create({ ...WANTED, perMinute: 60 });
      await stage.rollouts.submit(id);
      await stage.settled();
      await stage.rollouts.pause(id, "first");
      await stage.settled();
      const asked = stage.asked.length,
        original = stage.store[where].bind(stage.store) as () => Promise<never>;
      const held = gate(original);
      stage.store[where] = held.work as never;
      const resumed = stage.rollouts.resume(id);
      await held.reached;
      if (how === "pause") await stage.rollouts.pause(id, "second");
      else assertEquals(await stage.rollouts.stopAll("second"), [id]);
      held.open();
      await resumed;
      stage.store[where] = original as never;
      for (let i = 0; i < 20; i++) {
        await stage.clock.advance(5000);
        await stage.settled();
      }
      assertEquals(stage.asked.length, asked, `${how} at ${where}`);
      const { status, reason } = (await stage.store.find(id))!;
      assertEquals([status, reason], ["paused", "second"]);
      await stage.rollouts.resume(id);
      await stage.until(id, "finished");
      assertEquals(
        new Set(stage.asked.map(({ mac }) => mac)).size,
        stage.asked.length,
        "none was asked twice",
      );
      assertEquals(stage.asked.length, 20);
    }
  }
});

Deno.test("a gateway is begun with only while the row says that the rollout runs", async () => {
  await using stage = await Stage.open(3);
  const { id } = await stage.rollouts.create(WANTED), [item] = await stage.store.items(id, 1);
  const change = { status: "issued", command_id: "c", attempt: 1 } as const;
  assertEquals(await stage.store.issue(id, [{ mac: item!.mac, change }]), false);
  assertEquals((await stage.total(id)).issued, 0);
});

Deno.test("an emergency stop that fails for one rollout stops the others, and says that it failed", async () => {
  await using stage = await Stage.open(3);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await stage.rollouts.create({ ...WANTED, startAt: stage.clock.now() + 1_000_000 });
    await stage.rollouts.submit(id);
    ids.push(id);
  }
  const { change } = stage.store;
  stage.store.change = (id, ...rest) =>
    id === ids[0] ? Promise.reject(new Error("disk full")) : change.call(stage.store, id, ...rest);
  await assertRejects(() => stage.rollouts.stopAll("smoke"), Error, "disk full");
  const statuses = await Promise.all(ids.map(async (id) => (await stage.store.find(id))!.status));
  assertEquals(statuses, ["scheduled", "paused", "paused"]);
});

Deno.test("an abort leaves no command to be made later: where a queue is full, and where the database fails", async () => {
  for (const fault of ["queue full", "database"]) {
    await using stage = await Stage.open(5);
    const { create } = stage.commands;
    let refusals = 0;
    stage.commands.create = () => Promise.reject(new Error(`${fault}: ${++refusals}`));
    const { id } = await stage.rollouts.create(WANTED);
    await stage.rollouts.submit(id);
    await stage.settled();
    assert(refusals >= 5);
    await stage.rollouts.abort(id, "wrong version");
    stage.commands.create = create;
    for (let i = 0; i < 10; i++) {
      await stage.clock.advance(2000);
      await stage.settled();
    }
    assertEquals(stage.asked, []);
    assertEquals(await stage.total(id), { waiting: 0, issued: 0, succeeded: 0, failed: 0, skipped: 5 });
    await stage.rollouts.remove(id);
  }
});

Deno.test("what was begun with but not made when a rollout pauses waits on, and is made once when it goes on", async () => {
  await using stage = await Stage.open(4);
  const { create } = stage.commands;
  stage.commands.create = () => Promise.reject(new Error("queue full"));
  const { id } = await stage.rollouts.create(WANTED);
  await stage.rollouts.submit(id);
  await stage.settled();
  await stage.rollouts.pause(id, "look");
  await stage.settled();
  assertEquals((await stage.total(id)).waiting, 4);
  stage.commands.create = create;
  await stage.clock.advance(600_000);
  await stage.settled();
  assertEquals(stage.asked, []);
  await stage.rollouts.resume(id);
  await stage.until(id, "finished");
  assertEquals(stage.asked.length, 4);
  assertEquals((await stage.store.items(id, 9)).map(({ attempt }) => attempt), [1, 1, 1, 1]);
});

Deno.test("a command that can't be taken back at once holds up no other, and is taken back when it can be", async () => {
  await using stage = await Stage.open(6);
  for (let n = 0; n < 6; n++) stage.bus.publish("channel.closed", { mac: macOf(n), reason: "away" });
  const { cancel } = stage.commands;
  let failures = 0;
  stage.commands.cancel = (id) => ++failures <= 6 ? Promise.reject(new Error("no node")) : cancel(id);
  const { id } = await stage.rollouts.create({ ...WANTED, commandTimeoutMs: 3_600_000 });
  await stage.rollouts.submit(id);
  await stage.settled();
  assertEquals((await stage.total(id)).issued, 6);
  assertEquals((await stage.rollouts.abort(id, "stop")).status, "aborted");
  for (let i = 0; i < 5; i++) {
    await stage.clock.advance(2000);
    await stage.settled();
  }
  assertEquals([(await stage.total(id)).failed, stage.asked.length], [6, 0]);
  assertEquals(
    (await stage.store.items(id, 9)).map(({ error_code }) => error_code),
    Array(6).fill("cancelled"),
  );
});

Deno.test("a failed gateway of an aborted rollout waits for no further try", async () => {
  await using stage = await Stage.open(1);
  const answer = Promise.withResolvers<typeof ok>();
  stage.answer = () => answer.promise;
  const { id } = await stage.rollouts.create({ ...WANTED, maxAttempts: 3 });
  await stage.rollouts.submit(id);
  await stage.settled();
  await stage.rollouts.abort(id, "stop");
  answer.resolve({ kind: "reply", reply: { result: -17 } } as typeof ok);
  await stage.settled();
  assertEquals(await stage.total(id), { waiting: 0, issued: 0, succeeded: 0, failed: 1, skipped: 0 });
});

Deno.test("the waiting gateways of an aborted rollout are skipped when the database lets them be", async () => {
  await using stage = await Stage.open(3);
  const { id } = await stage.rollouts.create(WANTED), { skipWaiting } = stage.store;
  stage.store.skipWaiting = () => Promise.reject(new Error("away"));
  assertEquals((await stage.rollouts.abort(id, "stop")).status, "aborted");
  stage.store.skipWaiting = skipWaiting;
  await stage.clock.advance(2000);
  await stage.settled();
  assertEquals((await stage.total(id)).skipped, 3);
});

Deno.test("a scheduled rollout begins when the database lets it, though it failed at its time", async () => {
  await using stage = await Stage.open(3);
  const { id } = await stage.rollouts.create({ ...WANTED, startAt: stage.clock.now() + 60_000 });
  await stage.rollouts.submit(id);
  const { change } = stage.store;
  let failures = 0;
  stage.store.change = (...args) =>
    ++failures <= 2 ? Promise.reject(new Error("away")) : change.apply(stage.store, args);
  await stage.clock.advance(60_000);
  await stage.settled();
  assertEquals([failures, stage.asked.length], [1, 0]);
  await stage.until(id, "finished");
  assertEquals([stage.asked.length, failures >= 3], [3, true]);
});

Deno.test("a rollout whose rows can't be read when it is resumed goes on when they can be", async () => {
  await using stage = await Stage.open(3);
  const { id } = await stage.rollouts.create(WANTED), { counts } = stage.store;
  stage.store.counts = () => Promise.reject(new Error("away"));
  assertEquals((await stage.rollouts.submit(id)).status, "running");
  stage.store.counts = counts;
  await stage.until(id, "finished");
  assertEquals(stage.asked.length, 3);
});

Deno.test("who made a rollout can't approve it with a key of their own", async () => {
  await using stage = await Stage.open(1);
  stage.personOf = (actor) => Promise.resolve(actor.startsWith("key:") ? "operator:maker" : actor);
  for (
    const [maker, approver] of [["operator:maker", "key:1"], ["key:1", "operator:maker"], ["key:1", "key:2"]]
  ) {
    const { id } = await stage.rollouts.create({ ...WANTED, needsApproval: true, actor: maker! });
    await stage.rollouts.submit(id);
    const own = await assertRejects(() => stage.rollouts.approve(id, approver!), RolloutError);
    assertEquals([own.code, (await stage.store.find(id))!.status], ["rollout_own", "approval"]);
    assertEquals((await stage.rollouts.approve(id, "operator:other")).status, "running");
  }
});

Deno.test("a gateway that was removed while its command could not be made is skipped", async () => {
  await using stage = await Stage.open(2);
  const { create } = stage.commands;
  stage.commands.create = () => Promise.reject(new Error("queue full"));
  const { id } = await stage.rollouts.create(WANTED);
  await stage.rollouts.submit(id);
  await stage.settled();
  await new GatewayStore(stage.db.sql, stage.clock).remove(macOf(1));
  stage.commands.create = create;
  await stage.until(id, "finished");
  assertEquals(stage.asked.map(({ mac }) => mac), [macOf(0)]);
  assertEquals((await stage.total(id)).skipped, 1);
});

Deno.test("a rollout that is started at the moment of its removal stays", async () => {
  await using stage = await Stage.open(2);
  const { id } = await stage.rollouts.create(WANTED);
  const remove = stage.store.remove.bind(stage.store);
  stage.store.remove = async (...given) => {
    await stage.rollouts.submit(id);
    return await remove(...given);
  };
  const error = await assertRejects(() => stage.rollouts.remove(id), RolloutError);
  assertEquals(error.code, "rollout_state");
  await stage.until(id, "finished");
});

Deno.test("what was let try again when the process was killed is tried with the next retry", async () => {
  await using stage = await Stage.open(3);
  stage.answer = () => refused;
  const stages = [{ name: "all", percent: 100, successThreshold: 0, errorThreshold: 100 }];
  const { id } = await stage.rollouts.create({ ...WANTED, stages });
  await stage.rollouts.submit(id);
  await stage.until(id, "finished");
  assertEquals(await stage.store.retryFailed(id), 3);
  stage.answer = () => ok;
  assertEquals((await stage.rollouts.retry(id)).gateways, 3);
  await stage.until(id, "finished");
  assertEquals((await stage.store.counts(id)).get(0)!.succeeded, 3);
});

Deno.test("a rollout that is aborted at the moment of a retry has nothing waiting", async () => {
  await using stage = await Stage.open(3);
  stage.answer = () => refused;
  const { id } = await stage.rollouts.create(WANTED);
  await stage.rollouts.submit(id);
  await stage.until(id, "paused");
  const retryFailed = stage.store.retryFailed.bind(stage.store);
  stage.store.retryFailed = async (...given) => {
    await stage.rollouts.abort(id, "enough");
    return await retryFailed(...given);
  };
  const error = await assertRejects(() => stage.rollouts.retry(id), RolloutError);
  assertEquals(error.code, "rollout_state");
  assertEquals((await stage.store.counts(id)).get(0)!.waiting, 0);
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { StorageError } from "../../storage/mod.ts";
import { TrustStore } from "../../sandbox/package/mod.ts";
import { Alarms, type AlarmTables } from "../alarms/mod.ts";
import { Outbox } from "../outbox/mod.ts";
import { PluginRepository } from "../plugins/mod.ts";
import { PushStore } from "../push/store.ts";
import type { PushTables } from "../push/schema.ts";
import {
  type CommandRow,
  CommandStore,
  GatewayStore,
  PresenceTable,
  type RegistryTables,
} from "../registry/mod.ts";
import { RolloutStore, type RolloutTables } from "../rollouts/mod.ts";
import { EVENT_TYPES, tellingOf } from "./events.ts";
import { Stage } from "./testing_stage.ts";

const MAC = "64D954000001";

/** Whoever hands things on is gone: what is put into the outbox stays there. */
function nobodyHandsOn(stage: Stage): Outbox {
  stage.outbox.serve({ translate: tellingOf, written: () => Promise.resolve() });
  return stage.outbox;
}

/** What waits in the outbox: types and data. */
async function waiting({ outbox, db }: Stage): Promise<string[]> {
  // What happens within one millisecond is in no certain order.
  return (await outbox.waiting(db.sql, 100)).map(({ type, data }) => `${type} ${JSON.stringify(data)}`)
    .sort();
}

function command(id: string): CommandRow {
  return {
    ...{ id, mac: MAC, kind: "post", plugin: "p", version: "", parameter: "{}", status: "queued" },
    ...{ actor: "admin", created_at: 0, deadline_at: 1, attempt: 0, repeatable: 0, exclusive: 0 },
    ...{ result: null, reply: null, error_code: null, error: null, progress: null, sent_at: null },
    ...{ acked_at: null, finished_at: null, max_attempts: 1, retry_delay_ms: null },
  };
}

Deno.test("whatever ends a command writes with it that it ended, once, however often it is ended", async () => {
  await using stage = await Stage.open();
  const outbox = nobodyHandsOn(stage), sql = stage.db.tables<RegistryTables>();
  const gateways = new GatewayStore(sql, stage.clock, outbox), store = new CommandStore(sql, outbox);
  await gateways.preset([{ mac: MAC, sn: "sn", loid: "loid" }]);
  await Promise.all(["a", "b", "c"].map((id) => store.insert(command(id))));
  await store.update("a", { status: "sent" });
  assertEquals(await waiting(stage), [], "it goes on");
  await Promise.all([store.update("a", { status: "succeeded" }), store.update("a", { status: "failed" })]);
  await store.update("b", { status: "failed" });
  // A gateway that goes takes its commands with it; whoever had them in hand says so too.
  await gateways.remove(MAC);
  await store.update("c", { status: "cancelled" });
  await store.update("unknown", { status: "failed" });
  const ended = [["a", "succeeded"], ["b", "failed"], ["c", "cancelled"]];
  assertEquals(
    await waiting(stage),
    ended.map(([id, status]) => `command.ended ${JSON.stringify({ mac: MAC, id, status })}`),
  );
});

Deno.test("alarms, rollouts, messages, registrations and uploads write with them that they happened", async () => {
  await using stage = await Stage.open();
  const outbox = nobodyHandsOn(stage), { clock, bus } = stage;
  const rule = {
    id: "r",
    description: "",
    least: 0,
    updated_by: "admin",
    kind: "offline_share",
    raise_at: 1,
    clear_below: 1,
    hold_ms: 0,
    enabled: 1,
  };
  const sql = stage.db.tables<AlarmTables>();
  await sql.deleteFrom("alarm_rule").execute();
  let value = 1;
  await using alarms = new Alarms({
    ...{ clock, bus, outbox, log: stage.log, metrics: stage.metrics, sql },
    sources: { offline_share: { observe: () => [{ subject: "s", value, detail: "d" }] } },
  });
  await alarms.setRule({ ...rule, severity: "info", group_name: null } as never);
  await alarms.look();
  const [alarm] = await alarms.list({}, 1);
  await alarms.acknowledge(alarm!.id, "admin", null);
  await alarms.acknowledge(alarm!.id, "admin", null);
  value = 0;
  await alarms.look();
  await alarms.look();

  const rollouts = new RolloutStore(stage.db.tables<RolloutTables>(), clock, undefined, outbox);
  const { id } = await rollouts.create(
    {
      ...{ name: "n", description: "", kind: "uninstall", plugin: "p", version: "", parameter: "{}" },
      ...{ filter: null, group_name: null, max_in_flight: 1, per_minute: 1, command_timeout_ms: 1 },
      ...{ max_attempts: 1, window: null, needs_approval: 1, start_at: null, created_by: "a", reverts: null },
    },
    [{ name: "all", percent: 100, successThreshold: 1, errorThreshold: 1 }],
    [{ mac: MAC }],
  );
  await rollouts.change(id, ["draft"], { approved_at: 1, approved_by: "b" });
  await rollouts.change(id, ["paused"], { status: "running" });
  await rollouts.advance(id, ["draft"], { status: "scheduled" });
  for (let n = 0; n < 2; n++) await rollouts.brake(id, ["scheduled", "approval"], { max_in_flight: 2 });

  const gateways = new GatewayStore(stage.db.tables<RegistryTables>(), clock, outbox);
  await gateways.preset([{ mac: MAC, sn: "sn", loid: "loid" }]);
  const push = new PushStore(stage.db.tables<PushTables>(), outbox);
  const message = { id: "m", mac: MAC, plugin: "p", time: "", message: "", md5: "X", received_at: 0 };
  for (let n = 0; n < 2; n++) await push.add(message, () => {});
  const registered = { mac: MAC, address: "10.0.0.1:1", wanIp: "10.0.0.1", firmware: "1" };
  assert(await gateways.noteRegistered({ online: 1 }, registered));
  assert(!await gateways.noteRegistered({ online: 1 }, { ...registered, mac: "64D954000002" }));
  const dir = await Deno.makeTempDir(), path = `${dir}/trust.json`;
  const trust = await TrustStore.open(stage, { path, requireSigned: "none" });
  const repository = await PluginRepository.open(
    ...[stage, stage.db.tables<RegistryTables>(), trust, dir, undefined, outbox] as const,
  );
  const source = new TextEncoder().encode(`export const manifest = { name: "com.example.a", version: "1.0",
    apiVersion: "2026-11-01", commands: { A: { right: "remote" } } }; export const commands = { A: () => ({}) };`);
  for (let n = 0; n < 2; n++) await repository.add(source, { by: "admin" });
  trust[Symbol.dispose]();
  await Deno.remove(dir, { recursive: true });

  const told = await waiting(stage);
  assertEquals(told.map((one) => one.slice(0, one.indexOf(" "))), [
    ...["alarm.acknowledged", "alarm.cleared", "alarm.raised", "gateway.registered", "message.pushed"],
    ...["plugin.uploaded", "rollout.changed", "rollout.changed", "rollout.changed"],
  ]);
  assertEquals(
    told.slice(-3),
    ["approval", "draft", "scheduled"].map((status) =>
      `rollout.changed ${JSON.stringify({ id, name: "n", status, reason: null })}`
    ),
  );
});

Deno.test("what a killed process left in the outbox is told by the next one, under the id that it had", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook({ events: EVENT_TYPES });
  nobodyHandsOn(stage);
  for (let n = 0; n < 450; n++) {
    await stage.happen("command.changed", { id: String(n), mac: MAC, status: "failed" });
  }
  const ids = (await stage.outbox.waiting(stage.db.sql, 1000)).map(({ id }) => id);
  await using node = await stage.listen();
  await node.intake.settled();
  assertEquals((await stage.deliveries.list(id, {}, 1000)).map(({ event_id }) => event_id).sort(), ids);
  assertEquals(await waiting(stage), []);
});

Deno.test("a change that is taken back is not told, and what nobody wants is not written", async () => {
  await using stage = await Stage.open();
  await stage.hook({ events: ["alarm.raised"] });
  await using node = await stage.listen();
  const { outbox, db } = stage, uploaded = { name: "p", version: "1", sha256: "0", by: "admin" };
  await db.sql.transaction().execute((tx) => outbox.put(tx, "plugin.uploaded", uploaded));
  assert(!outbox.wants("plugin.uploaded", uploaded));
  const raised = {
    ...{ id: "a", rule: "r", kind: "k", subject: "s", severity: "minor", group: null, detail: "d" },
    state: "raised" as const,
  };
  await assertRejects(() =>
    db.sql.transaction().execute(async (tx) => {
      await outbox.put(tx, "alarm.changed", raised);
      throw new Error("no");
    })
  );
  assertEquals(await waiting(stage), []);
  await node.intake.settled();
});

Deno.test("of nodes that look into the outbox at once each event is taken by one", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook({ events: ["command.ended"] });
  await using one = await stage.listen();
  await using two = await stage.listen();
  await using three = await stage.listen();
  nobodyHandsOn(stage);
  for (let n = 0; n < 700; n++) {
    // Each says so on the bus, and all nodes here hear it as their own.
    await stage.happen("command.changed", { id: String(n), mac: MAC, status: "failed" });
  }
  for (const { intake } of [one, two, three]) {
    intake.drain();
    await intake.settled();
  }
  const told = (await stage.deliveries.list(id, {}, 10_000)).map(({ body }) => JSON.parse(body).data.id);
  assertEquals([told.length, new Set(told).size], [700, 700]);
});

Deno.test("while the database is away nothing is taken out of the outbox, and then all of it", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook({ events: ["command.ended", "gateway.online"] });
  let away = true;
  const { deliveries } = stage;
  await using node = await stage.listen({
    deliveries: {
      enqueue: (...args) =>
        away ? Promise.reject(new StorageError("unavailable", "away")) : deliveries.enqueue(...args),
    },
  });
  await stage.happen("command.changed", { id: "c", mac: MAC, status: "failed" });
  await stage.happen("presence.changed", { mac: MAC, online: true });
  await stage.clock.advance(3000);
  assertEquals([(await waiting(stage)).length, await deliveries.list(id, {}, 9)], [1, []]);
  away = false;
  await stage.clock.advance(1000);
  await node.intake.settled();
  assertEquals((await deliveries.list(id, {}, 9)).map(({ type }) => type).sort(), [
    "command.ended",
    "gateway.online",
  ]);
});

Deno.test("that a gateway is there is kept only once it is written that it came: a crash in between tells it again", async () => {
  await using stage = await Stage.open();
  const clock = new FakeClock(), deps = { ...stage, clock }, sql = stage.db.tables<RegistryTables>();
  const id = await stage.hook({ events: ["gateway.online"] });
  const written = Promise.withResolvers<void>();
  await using node = await stage.listen({
    deliveries: {
      async enqueue(...args) {
        await written.promise;
        return await stage.deliveries.enqueue(...args);
      },
    },
  });
  const gateways = new GatewayStore(sql, clock);
  await gateways.preset([{ mac: MAC, sn: "sn", loid: "loid" }]);
  const presence = new PresenceTable(
    { ...deps, random: stage.random, log: stage.log, metrics: stage.metrics },
    gateways,
    {
      heartbeatSeconds: 60,
      onChange: (mac, online) => stage.bus.publish("presence.changed", { mac, online }),
      told: () => stage.outbox.told(),
    },
  );
  const online = async () => (await gateways.find(MAC))!.online;
  presence.register({
    ...{ mac: MAC, sn: "sn", loid: "loid", hostname: "10.0.0.1", port: 1 },
    ...{ devRnd: "", previousDevRnd: undefined },
  });
  const flushed = presence.flush();
  for (let n = 0; n < 50; n++) await online(); // the database has had every chance to write more
  assertEquals([await online(), await stage.deliveries.list(id, {}, 9)], [0, []]);
  written.resolve();
  await flushed;
  assertEquals([await online(), (await stage.deliveries.list(id, {}, 9)).length], [1, 1]);
  await presence[Symbol.asyncDispose]();
  await node.intake.settled();
});

Deno.test("a webhook whose groups can't be looked up hears of nothing, and holds up no other", async () => {
  await using stage = await Stage.open();
  const events = ["command.ended", "gateway.online"] as const;
  const broken = await stage.hook({ events, groups: ["north"] }), other = await stage.hook({ events });
  const fleet = {
    groups: { membersOf: () => Promise.reject(new Error("no such column")) } as never,
    macs: () => Promise.resolve([]),
  };
  await using node = await stage.listen({ fleet });
  await stage.happen("command.changed", { id: "c", mac: MAC, status: "failed" });
  await stage.happen("presence.changed", { mac: MAC, online: true });
  await node.intake.settled();
  assertEquals(await stage.deliveries.list(broken, {}, 9), []);
  assertEquals((await stage.deliveries.list(other, {}, 9)).map(({ type }) => type).sort(), events);
  assertEquals(await waiting(stage), []);
});

import { assertEquals } from "@std/assert";
import * as v from "valibot";
import { StorageError } from "../../storage/mod.ts";
import type { PlatformEvents } from "../subjects.ts";
import { EVENT_TYPES, webhookSpecs } from "./events.ts";
import type { IntakeParts } from "./intake.ts";
import { Stage } from "./testing_stage.ts";

const [OWN, OTHER] = ["64D954000001", "64D954000002"] as const;

/** A fleet in which the group `north` has one gateway. */
const fleet: IntakeParts["fleet"] = {
  groups: { membersOf: (names: readonly string[]) => Promise.resolve(names) } as never,
  macs: () => Promise.resolve([OWN]),
};

/** A node that hears of what happens. */
function listening(stage: Stage, parts: Partial<IntakeParts> = {}) {
  return stage.listen({ fleet, ...parts });
}

/** Everything that can happen, to this gateway. */
async function happen(stage: Stage, mac: string): Promise<void> {
  const alarm = { id: "a", rule: "r", kind: "service", subject: "s", severity: "info", detail: "d" };
  const happenings: { [S in keyof PlatformEvents]?: PlatformEvents[S][] } = {
    "gateway.registered": [{ mac, address: "10.0.0.1:5000", wanIp: "10.0.0.1", firmware: "1" }],
    "presence.changed": [{ mac, online: true }, { mac, online: false }],
    "command.changed": [{ id: "c", mac, status: "sent" }, { id: "c", mac, status: "succeeded" }],
    "rollout.moved": [{ id: "r", name: "n", status: "paused", reason: "why", by: "admin" }],
    "alarm.changed": (["raised", "cleared", "acknowledged"] as const)
      .map((state) => ({ ...alarm, group: mac === OWN ? "north" : null, state })),
    "message.pushed": [{ mac, id: "m", plugin: "p", seq: 7 }],
    "plugin.uploaded": [{ name: "p", version: "1", sha256: "0", by: "admin" }],
  };
  for (const [subject, messages] of Object.entries(happenings)) {
    for (const message of messages) await stage.happen(subject as keyof PlatformEvents, message as never);
  }
}

Deno.test("each type of event is told once, with a body as the OpenAPI document shows it", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook({ events: EVENT_TYPES });
  await using node = await listening(stage);
  await happen(stage, OWN);
  await node.intake.settled();
  const rows = await stage.deliveries.list(id, {}, 100);
  assertEquals(rows.map(({ type }) => type).sort(), [...EVENT_TYPES].sort());
  for (const { type, body } of rows) {
    const { body: schema } = webhookSpecs.find(({ name }) => name === type)!;
    const shown = v.parse(schema as v.GenericSchema, JSON.parse(body));
    assertEquals(shown, JSON.parse(body), `${type} says nothing that is not documented`);
  }
  assertEquals(new Set(rows.map(({ event_id }) => event_id)).size, rows.length);
});

Deno.test("every webhook that hears of an event gets it under the same id, and those that do not get nothing", async () => {
  await using stage = await Stage.open();
  const [one, two] = [await stage.hook(), await stage.hook({ events: ["gateway.online", "command.ended"] })];
  const [other, off] = [
    await stage.hook({ events: ["plugin.uploaded"] }),
    await stage.hook({ enabled: false }),
  ];
  await using node = await listening(stage);
  stage.bus.publish("presence.changed", { mac: OWN, online: true });
  await node.intake.settled();
  const told = async (id: string) =>
    (await stage.deliveries.list(id, {}, 9)).map(({ event_id, body }) => [event_id, body]);
  assertEquals((await told(one)).length, 1);
  assertEquals(await told(one), await told(two));
  for (const id of [other, off]) assertEquals(await told(id), []);
});

Deno.test("a webhook that is confined to groups hears of their gateways and alarms, and of its maker's rollouts", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook({ events: EVENT_TYPES, groups: ["north"] });
  await using node = await listening(stage);
  await happen(stage, OTHER);
  await stage.happen("rollout.moved", {
    id: "r2",
    name: "n",
    status: "draft",
    reason: null,
    by: "operator:x",
  });
  await node.intake.settled();
  const types = (await stage.deliveries.list(id, {}, 100)).map(({ type }) => type).sort();
  assertEquals(types, ["plugin.uploaded", "rollout.changed"]);
  await happen(stage, OWN);
  await node.intake.settled();
  assertEquals((await stage.deliveries.list(id, {}, 100)).length, types.length + EVENT_TYPES.length);
});

Deno.test("what happened on another node is written there, and what no webhook wants reaches no database", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  let asked = 0;
  const deliveries = { enqueue: () => (asked++, Promise.resolve(new Map())) };
  await using node = await listening(stage, { deliveries });
  stage.bus.publish("presence.changed", { mac: OWN, online: true }, { node: "n2", epoch: 1 });
  stage.bus.publish("presence.changed", { mac: OWN, online: false });
  await node.intake.settled();
  assertEquals([asked, await stage.deliveries.list(id, {}, 9)], [0, []]);
});

Deno.test("a full queue takes nothing newer, and says how much it left out", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook(), other = await stage.hook();
  const { deliveries } = stage;
  await using node = await listening(stage, {
    deliveries: { enqueue: (wanted, now) => deliveries.enqueue(wanted, now, { most: 5 }) },
  });
  for (let n = 0; n < 8; n++) stage.bus.publish("presence.changed", { mac: String(n), online: true });
  await node.intake.settled();
  await stage.store.remove(other);
  const rows = await deliveries.list(id, {}, 100);
  assertEquals(rows.map(({ body }) => JSON.parse(body).data.mac).sort(), ["0", "1", "2", "3", "4"]);
  assertEquals((await stage.store.find(id))!.dropped, 3);
  assertEquals(stage.metrics.total("gatehouse_webhook_dropped_total"), 6);
  const test = { webhookId: id, eventId: "test", type: "webhook.test", body: "{}" };
  assertEquals(await deliveries.add(test, 0, 5), undefined);
  assertEquals((await deliveries.add(test, 0, 6))?.state, "waiting");
  await deliveries.settle((await deliveries.list(id, {}, 1))[0]!, { ms: 1 }, {
    state: "delivered",
    endedAt: 0,
  });
  assertEquals(await deliveries.list(other, {}, 9), [], "what waited for it went with it");
});

Deno.test("while the database is away events wait in memory, so many and no more", async () => {
  await using stage = await Stage.open();
  const id = await stage.hook();
  const { deliveries } = stage;
  let away = true;
  await using node = await listening(stage, {
    deliveries: {
      enqueue: (wanted, now) =>
        away ? Promise.reject(new StorageError("unavailable", "away")) : deliveries.enqueue(wanted, now),
    },
  });
  for (let n = 0; n < 10_050; n++) stage.bus.publish("presence.changed", { mac: String(n), online: true });
  await stage.clock.advance(3000);
  assertEquals(stage.metrics.total("gatehouse_webhook_dropped_total"), 50);
  assertEquals(await deliveries.list(id, {}, 9), []);
  away = false;
  await stage.clock.advance(1000);
  await node.intake.settled();
  assertEquals((await deliveries.waiting()).get(id), 10_000);
});

/**
 * Alarms over HTTP, raised by what really happens on a platform.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { FakeClock } from "../src/base/mod.ts";
import { followEvents } from "./support/event_stream.ts";
import { ADMIN_TOKEN, realDeps, testPlatform } from "./support/platform.ts";
import { identity, register, UdpPeer } from "./support/scripted_gateway.ts";

/** Rules that need no patience, and few gateways. */
const RULE = { severity: "critical", raiseAt: 40, clearBelow: 30, holdSeconds: 0, least: 2 };

Deno.test("a region whose gateways fall silent raises an alarm, told live, acknowledged, cleared when they are back", async () => {
  const clock = new FakeClock();
  await using p = await testPlatform({ deps: { ...realDeps(), clock } });
  using udp = new UdpPeer();
  for (const n of [1, 2]) {
    await p.call("POST", "/api/v1/gateways", { ...identity(n), region: "north" });
    await register(udp, p.ports["access"]!, identity(n), "0123456789ABCDEF0123456789ABCDEF");
  }
  await p.call("POST", "/api/v1/groups", { name: "all", filter: "region==north" });
  await p.call("POST", "/api/v1/groups", { name: "none", filter: "region==south" });
  assertEquals(
    (await p.call("PUT", "/api/v1/alarm-rules/region-offline", { kind: "offline_share", ...RULE })).status,
    200,
  );
  const ofGroup = { kind: "offline_share", ...RULE, group: "all" };
  assertEquals((await p.call("PUT", "/api/v1/alarm-rules/group-offline", ofGroup)).status, 200);
  assertEquals((await p.call("PUT", "/api/v1/alarm-rules/bad", { ...ofGroup, clearBelow: 50 })).status, 400);
  assertEquals((await p.call("PUT", "/api/v1/alarm-rules/bad", { ...ofGroup, kind: "service" })).status, 400);

  const heard: string[] = [];
  const live = followEvents(() => `${p.url}/api/v1/alarms/stream`, ADMIN_TOKEN, ({ kind, data }) => {
    const { rule, clearedAt, acknowledgedAt } = data as Record<string, unknown>;
    heard.push(kind === "alarm" ? `${rule} ${clearedAt !== null} ${acknowledgedAt !== null}` : kind);
  });
  /** Lets time pass until something was heard; the database and the sockets take real time. */
  const until = async (wanted: string, meanwhile = async () => {}) => {
    while (!heard.includes(wanted)) {
      await meanwhile();
      await clock.advance(1000);
    }
  };
  await until("ready");
  const keys: Record<string, string> = {};
  for (const group of ["all", "none"]) {
    const body = { name: group, permissions: ["alarms:read", "alarms:write"], groups: [group] };
    keys[group] = String((await p.call("POST", "/api/v1/keys", body)).body["key"]);
  }
  const as = async (group: string, method: string, path: string, body?: unknown) => {
    const response = await fetch(p.url + path, {
      method,
      headers: { authorization: `Bearer ${keys[group]}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };

  // Three missed heartbeats, a flush, a look.
  await until("group-offline false false");
  await until("region-offline false false");
  const { items } = (await p.call("GET", "/api/v1/alarms?state=raised")).body as {
    items: { id: string; rule: string; subject: string; detail: string }[];
  };
  assertEquals(items.map(({ rule, subject, detail }) => [rule, subject, detail]).sort(), [
    ["group-offline", "all", '2 of 2 of group "all" are offline'],
    ["region-offline", "north", '2 of 2 of region "north" are offline'],
  ]);

  // Who is confined sees what is about the own group, and changes no rule.
  assertEquals((await as("all", "GET", "/api/v1/alarms")).body.items.length, 1);
  assertEquals((await as("none", "GET", "/api/v1/alarms")).body.items, []);
  const path = `/api/v1/alarms/${items.find(({ rule }) => rule === "group-offline")!.id}`;
  assertEquals((await as("none", "GET", path)).status, 404);
  assertEquals((await as("none", "POST", `${path}/acknowledge`, {})).status, 404);
  assertEquals((await as("all", "PUT", "/api/v1/alarm-rules/group-offline", ofGroup)).status, 403);
  assertEquals(
    (await as("all", "POST", `${path}/acknowledge`, { note: "on my way" })).body.note,
    "on my way",
  );
  assertEquals((await p.call("POST", `${path}/acknowledge`)).status, 409);
  await until("group-offline false true");

  for (const n of [1, 2]) {
    await register(udp, p.ports["access"]!, identity(n), "0123456789ABCDEF0123456789ABCDEF");
  }
  const beat = async () => {
    for (const n of [1, 2]) {
      await udp.ask({ RPCMethod: "Hb", MAC: identity(n).mac, FLAG: "0" }, p.ports["access"]!);
    }
  };
  await until("region-offline true false", beat);
  await until("group-offline true true", beat);
  await live.stop();
  assertEquals((await p.call("GET", "/api/v1/alarms?state=raised")).body["items"], []);
  assertEquals((await p.call("DELETE", "/api/v1/alarm-rules/group-offline")).status, 204);
  assertEquals((await p.call("DELETE", "/api/v1/alarm-rules/group-offline")).status, 404);
});

Deno.test("many refused registrations, and a command that waits for a gateway that is online, raise alarms", async () => {
  const clock = new FakeClock();
  await using p = await testPlatform({ deps: { ...realDeps(), clock } });
  using udp = new UdpPeer(), strangers = new UdpPeer();
  const me = identity(3), rules = [["registration_failures", 50], ["queue_age", 20]] as const;
  for (const [kind, raiseAt] of rules) {
    const rule = { ...RULE, kind, raiseAt, clearBelow: 10 };
    assertEquals((await p.call("PUT", `/api/v1/alarm-rules/${kind}`, rule)).status, 200);
  }
  await p.call("POST", "/api/v1/gateways", me);
  await register(udp, p.ports["access"]!, me, "0123456789ABCDEF0123456789ABCDEF");
  await clock.advance(16_000);
  await p.call("POST", `/api/v1/gateways/${me.mac}/commands`, {
    parameter: { CmdType: "X" },
    timeoutMs: 600_000,
  });
  for (let n = 10; n < 14; n++) {
    const answer = await register(
      strangers,
      p.ports["access"]!,
      identity(n),
      "0123456789ABCDEF0123456789ABCDEF",
    );
    assertEquals(answer["Result"], -2);
  }
  let items: { rule: string; detail: string }[] = [];
  while (items.length < 2) {
    await clock.advance(1000);
    await udp.ask({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, p.ports["access"]!);
    items = (await p.call("GET", "/api/v1/alarms")).body["items"] as typeof items;
  }
  assertEquals(items.map(({ rule }) => rule).sort(), ["queue_age", "registration_failures"]);
  assertEquals(
    items.find(({ rule }) => rule === "registration_failures")!.detail,
    "4 of the last 4 Registers failed",
  );
});

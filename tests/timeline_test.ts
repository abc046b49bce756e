/**
 * A gateway's timeline: everything that happened with it in one list, as far as one may see it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { FakeClock } from "../src/base/mod.ts";
import { realDeps, testPlatform } from "./support/platform.ts";
import { h, identity, TcpPeer } from "./support/scripted_gateway.ts";

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly detail: Record<string, unknown>;
}

Deno.test("commands, messages and history of a gateway are one list by time, read page by page without loss or repeat", async () => {
  const clock = new FakeClock();
  await using p = await testPlatform({ deps: { ...realDeps(), clock } });
  const gateway = identity(1), path = `/api/v1/gateways/${gateway.mac}`;
  await p.call("POST", "/api/v1/gateways", gateway);
  const expected: string[] = [];
  using tcp = await TcpPeer.connect(p.ports["push"]!);
  for (let n = 0; n < 9; n++) {
    await clock.advance(1000);
    if (n % 4 === 2) {
      const content = btoa(`word ${n}`), time = "20261122080000", { mac, sn } = gateway;
      const message = { RPCMethod: "MessagePush", Plugin_Name: "x", time, mac, Message: content };
      assertEquals((await tcp.ask({ ...message, MD5: h(time, content, mac, sn) }))?.["Result"], 0);
      expected.unshift(`message word ${n}`);
    } else if (n % 3 === 0) {
      await p.call("PATCH", path, { region: `region${n}` });
      expected.unshift(`changed region${n}`);
    } else {
      const parameter = { CmdType: `CMD_${n}`, Password: "hidden" };
      const made = await p.call("POST", `${path}/commands`, { parameter, timeoutMs: 600_000 });
      assertEquals(made.status, 202, JSON.stringify(made.body));
      expected.unshift(`command CMD_${n}`);
    }
  }
  const textOf = ({ kind, detail }: Entry) =>
    `${kind} ${detail["CmdType"] ?? detail["region"] ?? detail["text"]}`;
  const read = async (limit: number, more = ""): Promise<Entry[]> => {
    const { status, body } = await p.call("GET", `${path}/timeline?limit=${limit}${more}`);
    assertEquals(status, 200, JSON.stringify(body));
    const items = body["items"] as Entry[];
    return body["next"] ? [...items, ...await read(limit, `&cursor=${body["next"]}`)] : items;
  };
  for (const limit of [1, 2, 4, 50]) {
    const entries = await read(limit);
    assertEquals(entries.map(textOf), expected, `${limit} a page`);
    assertEquals(JSON.stringify(entries).includes("hidden"), false);
  }
  assertEquals((await p.call("GET", `${path}/timeline?cursor=nonsense`)).status, 400);
  assertEquals((await p.call("GET", "/api/v1/gateways/64D954999999/timeline")).status, 404);

  const key = await p.call("POST", "/api/v1/keys", { name: "reader", permissions: ["gateways:read"] });
  const response = await fetch(`${p.url}${path}/timeline`, {
    headers: { authorization: `Bearer ${key.body["key"]}` },
  });
  const { items } = await response.json() as { items: Entry[] };
  assertEquals(
    items.map(textOf),
    ["changed region3", "changed region0"],
    "no commands for who may not see them",
  );
});

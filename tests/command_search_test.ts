/**
 * Commands over the whole fleet: finding them, only those that one may see, and the story of one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type TestPlatform, testPlatform } from "./support/platform.ts";

const mac = (n: number) => `64D95400000${n}`;

/** Four gateways, the even ones in the north, with a command each. None ever answers. */
async function preset(platform: TestPlatform) {
  const ids: string[] = [];
  for (let n = 0; n < 4; n++) {
    const gateway = {
      mac: mac(n),
      sn: `64D954-S${n}`,
      loid: `LOID${n}`,
      region: n % 2 === 0 ? "north" : "south",
    };
    await platform.call("POST", "/api/v1/gateways", gateway);
    const { body } = await platform.call("POST", `/api/v1/gateways/${mac(n)}/commands`, {
      plugin: n < 2 ? "p" : "q",
      parameter: { CmdType: "X" },
      timeoutMs: 600_000,
      ...(n === 3 ? { concurrent: true, repeatable: true, retry: { attempts: 2 } } : {}),
    });
    ids.push(String(body["id"]));
  }
  return ids;
}

Deno.test("commands are found by gateway, status, kind, plug-in, actor, time, filter and group, a page at a time", async () => {
  await using platform = await testPlatform();
  const ids = await preset(platform);
  await platform.call("POST", `/api/v1/commands/${ids[1]}/cancel`);
  await platform.call("POST", "/api/v1/groups", { name: "north", filter: "region==north" });
  const find = async (query: string) => {
    const { status, body } = await platform.call("GET", `/api/v1/commands?${query}`);
    assertEquals(status, 200, JSON.stringify(body));
    return (body["items"] as { id: string }[]).map(({ id }) => ids.indexOf(id));
  };
  assertEquals(await find(""), [3, 2, 1, 0]);
  assertEquals(await find(`mac=${mac(0)}&mac=${mac(3)}`), [3, 0]);
  assertEquals(await find("status=cancelled"), [1]);
  assertEquals(await find("status=queued&plugin=q"), [3, 2]);
  assertEquals(await find("kind=install&kind=run"), []);
  assertEquals(await find("actor=admin&group=north"), [2, 0]);
  assertEquals(await find(`filter=${encodeURIComponent("region==south")}&group=north`), []);
  assertEquals(await find("since=2020-01-01T00:00:00.000Z&limit=2"), [3, 2]);
  assertEquals(await find("until=2020-01-01T00:00:00.000Z"), []);
  const first = await platform.call("GET", "/api/v1/commands?limit=3");
  assertEquals(await find(`limit=3&cursor=${first.body["next"]}`), [0]);
  assertEquals((await platform.call("GET", "/api/v1/commands?filter=colour%3D%3Dred")).status, 422);
  assertEquals((await platform.call("GET", "/api/v1/commands?status=lost")).status, 400);
  const { body } = await platform.call("GET", `/api/v1/commands/${ids[3]}`);
  assertEquals(
    [
      body["concurrent"],
      body["repeatable"],
      body["maxAttempts"],
      body["retryDelayMs"],
      body["outcomeUnknown"],
    ],
    [true, true, 2, 5000, false],
  );
});

Deno.test("who is confined to a group finds its commands and no others, nor their stories", async () => {
  await using platform = await testPlatform();
  const ids = await preset(platform);
  await platform.call("POST", "/api/v1/groups", { name: "north", filter: "region==north" });
  const { body: key } = await platform.call("POST", "/api/v1/keys", {
    name: "northern",
    permissions: ["commands:read"],
    groups: ["north"],
  });
  const as = async (path: string) => {
    const response = await fetch(platform.url + path, { headers: { authorization: `Bearer ${key["key"]}` } });
    return { status: response.status, body: await response.json() };
  };
  const seen = await as("/api/v1/commands");
  assertEquals(seen.body.items.map((one: { id: string }) => ids.indexOf(one.id)), [2, 0]);
  assertEquals((await as(`/api/v1/commands?mac=${mac(1)}`)).body.items, []);
  assertEquals((await as(`/api/v1/commands?group=south`)).body.items, []);
  assertEquals((await as(`/api/v1/commands/${ids[0]}/timeline`)).status, 200);
  assertEquals((await as(`/api/v1/commands/${ids[1]}/timeline`)).status, 404);
});

Deno.test("the story of a command that was taken back has its beginning and its end", async () => {
  await using platform = await testPlatform();
  const ids = await preset(platform);
  await platform.call("POST", `/api/v1/commands/${ids[0]}/cancel`);
  const { body } = await platform.call("GET", `/api/v1/commands/${ids[0]}/timeline`);
  const items = body["items"] as { event: string; attempt: number; reason: string | null }[];
  assertEquals(items.map(({ event, attempt, reason }) => [event, attempt, reason]), [
    ["created", 0, null],
    ["ended", 0, "cancelled"],
  ]);
});

/**
 * The client against a platform: its types are those of the document, and what its page shows works.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { clientTypes } from "../scripts/lib/client_types.ts";
import { Client, type Item, Problem, RawBody } from "../src/client/mod.ts";
import { fuzzPlatform } from "./support/api_fuzz_platform.ts";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";
import { blocks } from "./support/session.ts";

const FILE = new URL("../src/client/operations.ts", import.meta.url);
const PAGE = new URL("../docs/client.md", import.meta.url);
const FACE = new URL("../src/client/mod.ts", import.meta.url);

Deno.test("the client's types are what the document says", async () => {
  await using stage = await fuzzPlatform();
  const made = clientTypes(stage.document as unknown as Record<string, unknown>);
  const kept = await Deno.readTextFile(FILE);
  const missing = made.split("\n").filter((line) => !kept.includes(line)).slice(0, 5);
  assert(made === kept, `run "deno run -A scripts/client_types.ts": ${missing.join("\n")}`);
});

Deno.test("a program presets, lists, edits, is refused, and follows a command, over a broken connection too", async () => {
  await using platform = await testPlatform();
  const seen: string[] = [];
  let breaks = 0;
  const client = new Client({
    url: platform.url,
    token: () => Promise.resolve(ADMIN_TOKEN),
    sleep: () => Promise.resolve(),
    // The first answer to a post is lost after the platform has given it.
    async fetch(request) {
      const { method, url } = request, response = await fetch(request);
      seen.push(`${method} ${new URL(url).pathname}`);
      if (method !== "POST" || breaks++ > 0) return response;
      await response.body?.cancel();
      throw new TypeError("connection reset");
    },
  });
  const { body: group, replayed } = await client.ask("POST /api/v1/groups", { body: { name: "north" } });
  assertEquals([group.name, replayed, breaks], ["north", true, 2]);
  const lines = Array.from({ length: 7 }, (_, n) => `64D95400000${n},64D954-S${n},L${n}`);
  const report = await client.call("POST /api/v1/gateways", {
    body: new RawBody("text/csv", ["mac,sn,loid", ...lines].join("\n")),
  });
  assert("created" in report && report.created === 7);
  const gateways: Item<"GET /api/v1/gateways">[] = [];
  for await (const one of client.all("GET /api/v1/gateways", { query: { limit: 3 } })) gateways.push(one);
  assertEquals(gateways.map(({ mac }) => mac), Array.from({ length: 7 }, (_, n) => `64D95400000${n}`));
  assertEquals(seen.filter((one) => one === "GET /api/v1/gateways").length, 3);

  const params = { mac: "64D954000003" };
  const { etag } = await client.ask("GET /api/v1/gateways/{mac}", { params });
  await client.call("PATCH /api/v1/gateways/{mac}", { params, ifMatch: etag!, body: { region: "north" } });
  const late = await assertRejects(
    () => client.call("DELETE /api/v1/gateways/{mac}", { params, ifMatch: etag! }),
    Problem,
  );
  assertEquals([late.status, late.code], [412, "precondition_failed"]);
  assertEquals(
    await client.call("DELETE /api/v1/gateways/{mac}", { params: { mac: "64D954000004" } }),
    undefined,
  );

  const parameter = { CmdType: "QUERY_CPU_INFO" };
  const { id } = await client.call("POST /api/v1/gateways/{mac}/commands", { params, body: { parameter } });
  const states: string[] = [];
  for await (const { data } of client.events("GET /api/v1/commands/{id}/events", { params: { id } })) {
    const { status } = data as { status: string };
    states.push(status);
    if (status === "queued") await client.call("POST /api/v1/commands/{id}/cancel", { params: { id } });
  }
  assertEquals(states, ["queued", "cancelled"]);

  const stranger = new Client({ url: platform.url, token: "wrong" });
  const refused = await assertRejects(() => stranger.call("GET /api/v1/about"), Problem);
  assertEquals([refused.status, refused.code, refused.requestId.length], [401, "invalid_token", 36]);
});

Deno.test("what the client's page shows works as it stands there", async () => {
  await using platform = await testPlatform();
  const code = blocks(await Deno.readTextFile(PAGE), "ts ignore");
  assertEquals(code.length, 1);
  const shown = code[0]!.replace('"gatehouse/client"', JSON.stringify(FACE.href))
    .replace("http://127.0.0.1:8080", platform.url).replace("ghk_…", ADMIN_TOKEN);
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, shown);
    const { code: exit, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--check", "--no-lock", "--allow-net=127.0.0.1", path],
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(stdout);
    assertEquals([exit, new TextDecoder().decode(stderr)], [0, ""]);
    assertEquals(said, "64D95420214B false\nsomebody else was quicker\ncommand cancelled\n");
  } finally {
    await Deno.remove(path);
  }
});

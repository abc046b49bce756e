/**
 * A gateway's control API does with plug-ins what the platform does over the channel: from an address in the
 * background, given up, brought back as they shipped, given their parameters.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { packPlugin } from "../src/sandbox/package/mod.ts";
import { filesOf } from "../src/sandbox/package/testing.ts";
import { pluginSource } from "../src/sandbox/testing/fixture.ts";
import { startFileServer } from "./support/file_server.ts";
import { GATEWAY_TOKEN, SN, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform } from "./support/scripted_platform.ts";

const NAME = "com.example.hello";
const SOURCE = pluginSource(NAME, {
  HELLO: "() => ({ text })",
  "[`SetPlug-inParameterValues`]": "({ Text }) => { text = Text; }",
}, { head: `let text = "hello";` }).replaceAll("[`SetPlug-inParameterValues`]", "SetPlug-inParameterValues")
  .replace("  SetPlug-inParameterValues:", `  "SetPlug-inParameterValues":`);

/** Asks until the answer is as wanted. */
async function until(reached: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !await reached();) {
    if (performance.now() > end) throw new Error("it never came about");
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

Deno.test("a plug-in is installed from an address, with its progress told, and takes its parameters", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const { bytes } = await packPlugin(filesOf({ "plugin.js": SOURCE }), {});
  await using files = startFileServer({ "/hello.ghp": bytes });
  const { host, port } = test.gateway.control;
  const events = await fetch(`http://${host}:${port}/api/v1/plugin-events?plugin=${NAME}`, {
    headers: { authorization: `Bearer ${GATEWAY_TOKEN}` },
  });
  const order = {
    name: NAME,
    version: "1.0",
    url: `${files.url}/hello.ghp`,
    size: bytes.length,
    sha256: await sha256(bytes),
  };
  const begun = await test.control("POST", "/api/v1/plugin-installs", order);
  assertEquals([begun.status, begun.body["plugin"], begun.body["by"]], [202, NAME, "control"]);
  const look = () => test.control("GET", `/api/v1/plugin-installs/${NAME}`);
  await until(async () => (await look()).body["state"] === "installed");
  assertEquals((await look()).body["percent"], 100);
  let told = "";
  for await (const piece of events.body!.pipeThrough(new TextDecoderStream())) {
    told += piece;
    if (told.includes(`"percent":100`)) break;
  }
  for (const text of [`"state":"downloading","percent":90`, `"state":"loading"`, `"by":"control"`]) {
    assertStringIncludes(told, text);
  }

  const hello = async () => {
    const call = { parameter: { CmdType: "HELLO" } };
    const { body } = await test.control("POST", `/api/v1/plugins/${NAME}/call`, call);
    return (body["reply"] as Record<string, unknown>)["text"];
  };
  assertEquals(await hello(), "hello");
  const put = (name: string, body: unknown) =>
    test.control("PUT", `/api/v1/plugins/${name}/parameters`, body);
  assertEquals((await put(NAME, { Text: "good morning" })).status, 204);
  assertEquals(await hello(), "good morning");
  assertEquals((await put("nobody", {})).body["code"], "plugin_absent");
  assertEquals((await put("wan", {})).body["code"], "plugin_unknown_command");
  assertEquals((await test.control("PUT", `/api/v1/plugins/${NAME}/parameters?version=9`, {})).status, 409);

  // What fails says why, and leaves what runs.
  await test.control("POST", "/api/v1/plugin-installs", { ...order, sha256: "0".repeat(64) });
  await until(async () => (await look()).body["state"] === "failed");
  assertStringIncludes(String((await look()).body["error"]), "another digest");
  assertEquals(await hello(), "good morning");
});

Deno.test("an installation can be given up while it is fetched, and orders that can't be are refused", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const end = Promise.withResolvers<void>();
  const stalling = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
    new Response(
      new ReadableStream({
        async start(controller) {
          controller.enqueue(new Uint8Array(50));
          await end.promise;
          try {
            controller.close();
          } catch {
            // the gateway went away
          }
        },
      }),
      { headers: { "content-length": "100" } },
    ));
  const url = `http://127.0.0.1:${stalling.addr.port}/`, path = `/api/v1/plugin-installs/${NAME}`;
  const order = async (more: object) => {
    const answer = await test.control("POST", "/api/v1/plugin-installs", { name: NAME, url, ...more });
    return { ...answer, told: JSON.stringify(answer.body) };
  };
  assertEquals((await order({})).status, 202);
  await until(async () => (await test.control("GET", path)).body["percent"] === 45);
  const again = await order({});
  assertEquals(again.status, 202, again.told);
  assertEquals((await order({ version: "2.0" })).status, 409);
  assertEquals((await order({ name: "one" })).status, 202);
  assertEquals((await order({ name: "two" })).status, 503, "two at once");
  const { body } = await test.control("GET", "/api/v1/plugin-installs");
  assertEquals((body["items"] as { plugin: string }[]).map(({ plugin }) => plugin), [NAME, "one"]);
  assertEquals((await test.control("DELETE", path)).status, 202);
  await until(async () => (await test.control("GET", path)).body["state"] === "cancelled");
  assertEquals((await test.control("DELETE", path)).body["code"], "too_late");
  for (
    const [more, status] of [
      [{ url: "file:///etc/passwd" }, 400],
      [{ name: "../x" }, 400],
      [{ size: 5 << 20 }, 422],
      [{ sha256: "12" }, 400],
      [{ extra: 1 }, 400],
    ] as const
  ) assertEquals((await order(more)).status, status, JSON.stringify(more));
  assertEquals((await test.control("DELETE", "/api/v1/plugin-installs/nobody")).status, 404);
  await test.control("DELETE", "/api/v1/plugin-installs/one");
  end.resolve();
  await stalling.shutdown();
});

Deno.test("a plug-in that shipped is brought back as it was, whatever became of it", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  assertEquals((await test.control("DELETE", "/api/v1/plugins/system-monitor")).status, 204);
  const restore = (name: string) => test.control("POST", `/api/v1/plugins/${name}/factory`);
  const { status, body } = await restore("system-monitor");
  assertEquals([status, body["name"], body["state"]], [200, "system-monitor", "running"]);
  assertEquals((await restore(NAME)).body["code"], "plugin_absent");
});

/**
 * From the platform's repository onto a gateway: by channel, watched to its end from both sides, and refused where
 * nobody vouches for it any more.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { makeKeys, packPlugin, readPrivateKey, readPublicKey } from "../src/sandbox/package/mod.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { ADMIN_TOKEN } from "./support/platform.ts";

const NAME = "com.example.a";
const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };

function source(version: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`export const manifest = { name: "${NAME}", version: "${version}",
    apiVersion: "2026-11-01", commands: { A: { right: "both" } } };
    export const commands = { A: () => ({ v: "${version}" }) };`);
}

/** The platform's and the gateway's addresses. */
const platformOf = ({ platform }: Fleet) => `http://127.0.0.1:${platform.ports.http}`;
const gatewayOf = ({ gateway }: Fleet) => `http://127.0.0.1:${gateway.ports.control}`;

async function upload(fleet: Fleet, bytes: Uint8Array<ArrayBuffer>, query = ""): Promise<void> {
  const response = await fetch(`${platformOf(fleet)}/api/v1/plugins${query}`, {
    method: "POST",
    headers,
    body: bytes,
  });
  assertEquals(response.status, 201, await response.text());
}

/** Opens a stream: from now on nothing is missed. */
async function opened(url: string): Promise<Response> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(60_000) });
  assertEquals(response.status, 200);
  return response;
}

/** The events of a stream, until `enough` of them were heard or it ended. */
async function heard(
  response: Response,
  enough: (data: Record<string, unknown>) => boolean,
): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const all = [];
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const parts = text.split("\n\n");
    text = parts.pop()!;
    for (const part of parts) {
      const [, event, json] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
      if (event === undefined) continue;
      const data = JSON.parse(json!);
      all.push({ event, data });
      if (enough(data)) return all;
    }
  }
  return all;
}

Deno.test("the latest stable version goes onto a gateway, and both sides tell how far it is", async () => {
  await using fleet = await startFleet();
  await upload(fleet, source("1.0"), "?channel=stable");
  await upload(fleet, source("1.1"));
  const gatewayEvents = await opened(`${gatewayOf(fleet)}/api/v1/plugin-events?plugin=${NAME}`);
  const { status, body: command } = await fleet.call("POST", `/api/v1/gateways/${fleet.mac}/plugins`, {
    name: NAME,
  });
  assertEquals([status, command.version], [202, "1.0"]);
  const events = await heard(
    await opened(`${platformOf(fleet)}/api/v1/commands/${command.id}/events`),
    () => false,
  );
  assertEquals(events.map(({ event }) => event).filter((event) => event !== "command"), ["end"]);
  const commands = events.filter(({ event }) => event === "command").map(({ data }) => data);
  const last = commands.at(-1)!;
  assertEquals([last.status, last.progress, events.at(-1)!.data], ["succeeded", 100, { reason: "finished" }]);
  const progress = commands.flatMap(({ progress }) => progress === null ? [] : [progress as number]);
  assertEquals(progress, progress.toSorted((a, b) => a - b));
  const told = await heard(gatewayEvents, ({ percent }) => percent === 100);
  const install = told.filter(({ event }) => event === "install").map(({ data }) => data);
  assertEquals([install[0]!.state, install.at(-1)!.state], ["downloading", "installed"]);
  const answer = await fleet.command({ CmdType: "A" }, 10);
  assertEquals((answer.body.reply as Record<string, unknown>).v, "1.0");

  const path = `/api/v1/plugins/${NAME}/1.0`, refused = await fleet.call("DELETE", path);
  assertEquals([refused.status, refused.body.gateways], [409, [fleet.mac]]);
  await fleet.call("DELETE", `/api/v1/gateways/${fleet.mac}/plugins/${NAME}?wait=20`);
  assertEquals((await fleet.call("DELETE", path)).status, 204);
  const nobody = await fetch(`${platformOf(fleet)}/api/v1/commands/nobody/events`, { headers });
  assertEquals([nobody.status, (await nobody.json()).code], [404, "command_not_found"]);
});

Deno.test("what a revoked key signed is handed out to no gateway any more", async () => {
  await using fleet = await startFleet({ platformArgs: ["--require-signed", "all"] });
  const { privateFile, publicFile } = await makeKeys("author");
  const key = await readPrivateKey(privateFile), { publicKey } = await readPublicKey(publicFile);
  const trusted = { publicKey: publicKey.toBase64(), tier: "vendor", name: "author" };
  assertEquals((await fleet.call("POST", "/api/v1/trust/keys", trusted)).status, 201);
  await upload(
    fleet,
    (await packPlugin(new Map([["plugin.js", source("1.0")]]), { keys: [key] })).bytes,
    "?channel=stable",
  );
  const install = async () => {
    const { body } = await fleet.call("POST", `/api/v1/gateways/${fleet.mac}/plugins?wait=20`, {
      name: NAME,
    });
    return body as { status: string; error: { code: string; message: string } | null };
  };
  assertEquals((await install()).status, "succeeded");
  assertEquals((await fleet.call("POST", `/api/v1/trust/keys/${key.id}/revoke`)).status, 200);
  const { status, error } = await install();
  assertEquals([status, error?.code], ["failed", "untrusted"]);
  assert(error!.message.includes("revoked"), error!.message);
  const from = { url: "http://127.0.0.1:9/a.ghp", size: 1, sha256: "0".repeat(64) };
  const body = { name: NAME, version: "1.0", from };
  const elsewhere = await fleet.call("POST", `/api/v1/gateways/${fleet.mac}/plugins`, body);
  assertEquals([elsewhere.status, elsewhere.body.code], [403, "plugin_untrusted"]);
});

Deno.test("a gateway fetches a plug-in from an address of somebody else, if it is what was announced", async () => {
  await using fleet = await startFleet();
  const bytes = source("3.0"), digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const asked: string[] = [];
  const elsewhere = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(new URL(request.url).pathname);
    return new Response(bytes);
  });
  const from = { url: `http://127.0.0.1:${elsewhere.addr.port}/a.js`, size: bytes.length, sha256: digest };
  const install = async (body: Record<string, unknown>) => {
    const path = `/api/v1/gateways/${fleet.mac}/plugins?wait=20`;
    return await fleet.call("POST", path, { name: NAME, version: "3.0", ...body });
  };
  const { body } = await install({ from: { ...from, sha256: "0".repeat(64) } });
  assertEquals([body.status, (body.error as { code: string }).code], ["failed", "install_failed"]);
  assertEquals(await fleet.runs(NAME), false);
  assertEquals((await install({ from })).body.status, "succeeded");
  assertEquals(new Set(asked), new Set(["/a.js"]));
  assert(await fleet.runs(NAME));
  for (const bad of [{ ...from, url: "file:///etc/passwd" }, { ...from, size: 0 }, { url: from.url }]) {
    assertEquals((await install({ from: bad })).status, 400);
  }
  await elsewhere.shutdown();
});

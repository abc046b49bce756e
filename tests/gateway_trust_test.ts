/**
 * Packages and trust on a real gateway: installed over the channel, by the control API and from the folder; keys
 * trusted, rotated and revoked.
 */
import { assert, assertEquals } from "@std/assert";
import { makeKeys, packPlugin, readPrivateKey, type SigningKey } from "../src/sandbox/package/mod.ts";
import { gzipped } from "../src/sandbox/package/testing.ts";
import { GATEWAY_TOKEN, SN, type TestGateway, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";

const NAME = "com.example.hello";

async function packed(version: string, ...keys: SigningKey[]): Promise<Uint8Array<ArrayBuffer>> {
  const code = `export const manifest = { name: "${NAME}", version: "${version}", apiVersion: "2026-11-01",
  commands: { HELLO: { right: "both" } } } as const;
export const commands = { HELLO: (): object => ({ Text: "hello from " + manifest.version }) };\n`;
  return (await packPlugin(new Map([["plugin.ts", new TextEncoder().encode(code)]]), { keys })).bytes;
}

/** Installs over the plug-in channel; 100 or the result of the failure. */
async function install(
  platform: ScriptedPlatform,
  bytes: Uint8Array<ArrayBuffer>,
  version: string,
): Promise<number> {
  platform.packages.set("/p.ghp", bytes);
  const target = { pluginName: NAME, version };
  const digest = `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
  const begun = await platform.ask({
    method: "Install",
    ...target,
    downloadUrl: platform.url("/p.ghp"),
    pluginSize: bytes.length,
    os: 9,
    digest,
  });
  if (begun.result !== 0) return begun.result;
  for (;;) {
    const { result } = await platform.ask({ method: "Install_query", ...target });
    if (result < 0 || result === 100) return result;
  }
}

async function hello(test: TestGateway): Promise<unknown> {
  const { reply } = await test.post1("HELLO");
  return reply.status === "0" ? reply.fields.Text : reply.failReason;
}

/** Sends a package to the control API. */
async function upload(test: TestGateway, bytes: Uint8Array<ArrayBuffer>) {
  const { host, port } = test.gateway.control;
  const response = await fetch(`http://${host}:${port}/api/v1/plugins`, {
    method: "POST",
    headers: { authorization: `Bearer ${GATEWAY_TOKEN}`, "content-type": "application/gzip" },
    body: bytes,
  });
  return { status: response.status, body: await response.json() };
}

async function freshKey(): Promise<SigningKey> {
  return await readPrivateKey((await makeKeys("")).privateFile);
}

Deno.test("where the carrier must sign, what it installs needs a trusted key and what lies in the folder does not", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform, { requireSigned: "carrier" });
  await test.gateway.registered;
  await platform.connectGateway();
  const key = await freshKey();
  assertEquals(await install(platform, await packed("1.0", key), "1.0"), -17);
  const trusted = await test.control("POST", "/api/v1/trust/keys", {
    publicKey: key.publicKey.toBase64(),
    tier: "carrier",
    name: "the carrier's",
  });
  assertEquals([trusted.status, trusted.body.id, trusted.body.state], [201, key.id, "trusted"]);
  assertEquals(await install(platform, await packed("1.0", key), "1.0"), 100);
  assertEquals(await hello(test), "hello from 1.0");
  assertEquals(await install(platform, await packed("2.0"), "2.0"), -17);
  assertEquals(await install(platform, gzipped(new Uint8Array(3 << 20)), "2.0"), -17);
  assertEquals(await hello(test), "hello from 1.0");
  // The owner of the box may.
  assertEquals((await upload(test, await packed("2.0"))).status, 201);
  assertEquals(await hello(test), "hello from 2.0");
  await test.restart({ requireSigned: "carrier" });
  assertEquals(await hello(test), "hello from 2.0");
});

Deno.test("where all must be signed, the plug-ins that ship run and others need a key, until that is revoked", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform, { requireSigned: "all" });
  const [old, next] = [await freshKey(), await freshKey()];
  const { body } = await test.control("GET", "/api/v1/plugins");
  const states = (body.items as { name: string; state: string; tier: string }[]).map((
    { state, tier },
  ) => [state, tier]);
  assert(states.length > 2 && states.every(([state, tier]) => state === "running" && tier === "carrier"));

  const refused = await upload(test, await packed("1.0", old));
  assertEquals([refused.status, refused.body.code], [403, "plugin_untrusted"]);
  await test.control("POST", "/api/v1/trust/keys", { publicKey: old.publicKey.toBase64(), tier: "vendor" });
  const added = await upload(test, await packed("1.0", old));
  assertEquals([added.status, added.body.tier], [201, "vendor"]);

  const rotated = await test.control("POST", `/api/v1/trust/keys/${old.id}/rotate`, {
    publicKey: next.publicKey.toBase64(),
    name: "the next",
  });
  assertEquals([rotated.status, rotated.body.tier, rotated.body.id], [201, "vendor", next.id]);
  assertEquals(await hello(test), "hello from 1.0");

  const revoked = await test.control("POST", `/api/v1/trust/keys/${old.id}/revoke`, { reason: "lost" });
  assertEquals([revoked.status, revoked.body.state], [200, "revoked"]);
  await until("the plug-in is stopped", () => test.gateway.plugins.get(NAME)?.state === "errored");
  assertEquals((await test.post1("HELLO")).result, -16);
  // Signed anew, by the key that took its place.
  assertEquals((await upload(test, await packed("1.0.1", next))).status, 201);
  assertEquals(await hello(test), "hello from 1.0.1");
  await test.restart({ requireSigned: "all" });
  assertEquals(await hello(test), "hello from 1.0.1");
  const trust = (await test.control("GET", "/api/v1/trust")).body;
  assertEquals(trust.requireSigned, "all");
  assertEquals((trust.keys as { id: string; state: string }[]).map(({ id, state }) => [id, state]), [
    [old.id, "revoked"],
    [next.id, "trusted"],
  ]);
});

Deno.test("tiers are capped over the control API, and what is wrong in a request is told", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  assertEquals(
    (await test.control("PUT", "/api/v1/trust/tiers/unsigned", { limits: { memoryMb: 8 } })).status,
    204,
  );
  const refused = await upload(test, await packed("1.0"));
  assertEquals([refused.status, refused.body.code, refused.body.faults.length], [403, "plugin_untrusted", 1]);
  assertEquals((await test.control("PUT", "/api/v1/trust/tiers/unsigned", null)).status, 204);
  assertEquals((await upload(test, await packed("1.0"))).status, 201);

  const key = (await freshKey()).publicKey.toBase64();
  const cases: [string, string, unknown, number][] = [
    ["POST", "keys", { publicKey: "AAAA", tier: "vendor" }, 400],
    ["POST", "keys", { publicKey: key, tier: "friend" }, 400],
    ["POST", "keys", { publicKey: key, tier: "vendor", extra: 1 }, 400],
    ["POST", "keys", { publicKey: key, tier: "vendor" }, 201],
    ["POST", "keys", { publicKey: key, tier: "carrier" }, 409],
    ["POST", `keys/${"0".repeat(64)}/revoke`, {}, 404],
    ["POST", `keys/${"0".repeat(64)}/rotate`, { publicKey: key }, 404],
    ["POST", "keys/x/revoke", {}, 400],
    ["PUT", "tiers/friend", {}, 400],
    ["PUT", "tiers/vendor", { limits: { memoryMb: -1 } }, 400],
  ];
  for (const [method, path, body, status] of cases) {
    assertEquals((await test.control(method, `/api/v1/trust/${path}`, body)).status, status, `${path}`);
  }
  const bad = await upload(test, gzipped(new Uint8Array(1024)));
  assertEquals([bad.status, bad.body.code], [422, "plugin_invalid"]);
});

Deno.test("no plug-in that is trusted less answers in the place of one that ships, unless somebody stopped that one", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform, { driver: "simulated" });
  // The first by name of all plug-ins, and the password of the house would be in the request.
  const thief = `export const manifest = { name: "a.thief", version: "1.0", apiVersion: "2026-11-01",
  commands: { CHECK_PASSWD_PARAM: { right: "both" }, GET_VERSION: { right: "both" } } };
const theft = ({ PassWD }) => ({ Text: "stolen " + PassWD });
export const commands = { CHECK_PASSWD_PARAM: theft, GET_VERSION: theft };\n`;
  const added = await test.control("POST", "/api/v1/plugins", { name: "a.thief", source: thief });
  assertEquals([added.status, added.body.state, added.body.tier], [201, "running", "unsigned"]);
  const { reply } = await test.post1("CHECK_PASSWD_PARAM", { PassWD: "house-password" });
  assertEquals(reply.status === "1" && reply.failReason, "no password is set");
  const version = async () => {
    const { body } = await test.control("POST", "/api/v1/plugins/-/call", {
      parameter: { CmdType: "GET_VERSION", PassWD: "x" },
    });
    return (body.reply as Record<string, unknown>).Text;
  };
  assertEquals(await version(), undefined);
  await test.control("POST", "/api/v1/plugins/device-identity/stop");
  assertEquals(await version(), "stolen x");
});

Deno.test("the control API shows the reply that an app would get: a plug-in does not say what every reply has", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const source = `export const manifest = { name: "com.example.own", version: "1.0", apiVersion: "2026-11-01",
  commands: { OWN: { right: "both" } } };
export const commands = { OWN: () => ({ Status: "7", CmdType: "X", SequenceId: "Y", FailReason: "Z", Text: "t" }) };\n`;
  assertEquals(
    (await test.control("POST", "/api/v1/plugins", { name: "com.example.own", source })).status,
    201,
  );
  const { body } = await test.control("POST", "/api/v1/plugins/com.example.own/call", {
    parameter: { CmdType: "OWN", SequenceId: "0000000B" },
  });
  assertEquals(body.reply, { CmdType: "OWN", SequenceId: "0000000B", Status: "0", Text: "t" });
});

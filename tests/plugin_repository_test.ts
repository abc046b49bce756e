/**
 * The platform's plug-in repository: channels, notes, lists, signatures, and what is in use.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { gatewaysWith } from "../src/platform/plugins/usage.ts";
import { type CommandRow, registryMigrations, type RegistryTables } from "../src/platform/registry/mod.ts";
import { makeKeys, packPlugin, readPrivateKey, readPublicKey } from "../src/sandbox/package/mod.ts";
import { openDatabase } from "../src/storage/mod.ts";
import { type TestPlatform, testPlatform } from "./support/platform.ts";
import { makeDatabase } from "./support/postgres.ts";
import { identity } from "./support/scripted_gateway.ts";

const NAME = "com.example.a";

function source(version: string, name = NAME): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`export const manifest = { name: "${name}", version: "${version}",
    apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
    export const commands = { A: () => ({}) };`);
}

type SigningKey = Awaited<ReturnType<typeof readPrivateKey>>;

async function packed(version: string, keys: SigningKey[] = []): Promise<Uint8Array<ArrayBuffer>> {
  return (await packPlugin(new Map([["plugin.js", source(version)]]), { keys })).bytes;
}

/** A key, and how the control API is told to trust it. */
async function freshKey(tier = "vendor") {
  const { privateFile, publicFile } = await makeKeys("author");
  const { publicKey } = await readPublicKey(publicFile);
  return {
    key: await readPrivateKey(privateFile),
    trusted: { publicKey: publicKey.toBase64(), tier, name: "author" },
  };
}

async function upload(p: TestPlatform, bytes: Uint8Array, query = "") {
  return await p.call("POST", `/api/v1/plugins${query}`, bytes);
}

async function listed(p: TestPlatform, query = ""): Promise<string[]> {
  const { body } = await p.call("GET", `/api/v1/plugins${query}`);
  return (body.items as { name: string; version: string }[]).map(({ name, version }) => `${name} ${version}`);
}

Deno.test("a version begins in beta, is promoted and demoted a channel at a time, and keeps its notes", async () => {
  await using p = await testPlatform();
  const added = await upload(p, source("1.0"), "?notes=first%20of%20all");
  assertEquals([added.status, added.body.channel, added.body.notes, added.body.uploadedBy], [
    201,
    "beta",
    "first of all",
    "admin",
  ]);
  const path = `/api/v1/plugins/${NAME}/1.0`;
  const move = async (way: string) => {
    const { status, body } = await p.call("POST", `${path}/${way}`);
    return [status, status === 200 ? body.channel : body.code];
  };
  assertEquals(await move("promote"), [200, "stable"]);
  assertEquals(await move("promote"), [409, "no_such_channel"]);
  assertEquals(await move("demote"), [200, "beta"]);
  assertEquals(await move("demote"), [200, null]);
  assertEquals(await move("demote"), [409, "no_such_channel"]);
  const { body } = await p.call("PATCH", path, { channel: "stable", notes: "safe now" });
  assertEquals([body.channel, body.notes, body.channelBy], ["stable", "safe now", "admin"]);
  assertEquals((await p.call("GET", path)).body, body);
  assertEquals((await p.call("PATCH", path, { channel: "gold" })).status, 400);
  assertEquals((await p.call("PATCH", `/api/v1/plugins/${NAME}/9`, { notes: "x" })).status, 404);
  assertEquals((await upload(p, source("1.1"), "?channel=none")).body.channel, null);
});

Deno.test("an installation takes the highest version of its channel, and beta takes stable ones too", async () => {
  await using p = await testPlatform();
  const me = identity(1);
  await p.call("POST", "/api/v1/gateways", me);
  const install = async (body: Record<string, string>) => {
    const { status, body: row } = await p.call("POST", `/api/v1/gateways/${me.mac}/plugins`, {
      name: NAME,
      ...body,
    });
    return [status, status === 202 ? row.version : row.code];
  };
  assertEquals(await install({}), [404, "plugin_not_found"]);
  await upload(p, source("1.10"), "?channel=stable");
  await upload(p, source("1.9"), "?channel=stable");
  await upload(p, source("1.11"), "?channel=none");
  assertEquals(await install({}), [202, "1.10"]);
  assertEquals(await install({ channel: "beta" }), [202, "1.10"]);
  await upload(p, source("2.0"), "?channel=beta");
  assertEquals(await install({ channel: "beta" }), [202, "2.0"]);
  assertEquals(await install({ channel: "stable" }), [202, "1.10"]);
  assertEquals(await install({ version: "1.11" }), [202, "1.11"]);
  assertEquals(await install({ version: "1.11", channel: "beta" }), [400, "invalid_request"]);
  assertEquals(await install({ channel: "gold" }), [400, "invalid_request"]);
});

Deno.test("the list is filtered and comes a page at a time", async () => {
  await using p = await testPlatform();
  const all: string[] = [];
  for (const name of ["com.example.a", "com.example.b", "com.example.c"]) {
    for (const version of ["1.0", "1.1", "1.2"]) {
      await upload(p, source(version, name), `?channel=${version === "1.2" ? "beta" : "stable"}`);
      all.push(`${name} ${version}`);
    }
  }
  assertEquals(await listed(p), all);
  const pages: string[] = [];
  for (let cursor: unknown = ""; cursor !== undefined;) {
    const { body } = await p.call("GET", `/api/v1/plugins?limit=2${cursor ? `&cursor=${cursor}` : ""}`);
    const items = body.items as { name: string; version: string }[];
    assert(items.length <= 2);
    pages.push(...items.map(({ name, version }) => `${name} ${version}`));
    cursor = body.next;
  }
  assertEquals(pages, all);
  assertEquals(await listed(p, "?name=com.example.b"), all.slice(3, 6));
  assertEquals(await listed(p, "?channel=beta"), [all[2], all[5], all[8]]);
  assertEquals(await listed(p, "?channel=none"), []);
  assertEquals(await listed(p, "?uploadedBy=somebody"), []);
  assertEquals((await listed(p, "?uploadedBy=admin")).length, 9);
  assertEquals((await p.call("GET", "/api/v1/plugins?cursor=abc")).status, 400);
  assertEquals((await p.call("GET", "/api/v1/plugins?signedBy=%25")).status, 400);
});

Deno.test("signatures are checked when a plug-in is uploaded, as the platform's policy asks", async () => {
  await using p = await testPlatform({ settings: { requireSigned: "all" } });
  const { key, trusted } = await freshKey(), signed = await packed("1.0", [key]);
  for (const bytes of [source("1.0"), await packed("1.0"), signed]) {
    const { status, body } = await upload(p, bytes);
    assertEquals([status, body.code], [403, "plugin_untrusted"]);
  }
  assertEquals(await listed(p), []);
  assertEquals((await p.call("POST", "/api/v1/trust/keys", trusted)).status, 201);
  const added = await upload(p, signed);
  assertEquals([added.status, added.body.trust], [201, { tier: "vendor", key: key.id, reason: null }]);
  assertEquals(await listed(p, `?signedBy=${key.id}`), [`${NAME} 1.0`]);
  assertEquals(await listed(p, `?signedBy=${"0".repeat(64)}`), []);
  // What a tier may not ask for is refused here already.
  const caps = await p.call("PUT", "/api/v1/trust/tiers/vendor", { limits: { memoryMb: 8 } });
  assertEquals(caps.status, 204);
  const { status, body } = await upload(
    p,
    (await packPlugin(
      new Map([[
        "plugin.js",
        new TextEncoder().encode(
          new TextDecoder().decode(source("1.1")).replace(
            "commands: {",
            "limits: { memoryMb: 32 }, commands: {",
          ),
        ),
      ]]),
      { keys: [key] },
    )).bytes,
  );
  assertEquals([status, body.code], [403, "plugin_untrusted"]);
  assert(String(body.detail).includes("memoryMb"), String(body.detail));
});

Deno.test("a false signature by a trusted key is refused whatever the policy, and a revoked key counts no more", async () => {
  await using p = await testPlatform();
  const { key, trusted } = await freshKey("carrier");
  await p.call("POST", "/api/v1/trust/keys", trusted);
  // Signed in the name of the trusted key, by another.
  const forger = await freshKey();
  const forged = await packed("0.9", [{ ...forger.key, id: key.id }]);
  const refused = await upload(p, forged);
  assertEquals([refused.status, refused.body.code], [403, "plugin_untrusted"]);
  assert(String(refused.body.detail).includes("false"), String(refused.body.detail));

  assertEquals((await upload(p, source("0.8"))).body.trust, { tier: "unsigned", key: null, reason: null });
  await upload(p, await packed("1.0", [key]));
  await p.call("POST", `/api/v1/trust/keys/${key.id}/revoke`, { reason: "lost" });
  const path = `/api/v1/plugins/${NAME}/1.0`;
  const { tier, reason } = (await p.call("GET", path)).body.trust as Record<string, string>;
  assertEquals(tier, "refused");
  assert(reason!.includes("revoked"), reason);
  assertEquals((await p.call("POST", `${path}/promote`)).body.code, "plugin_untrusted");
  assertEquals(
    (await p.call("POST", `${path}/demote`)).body.channel,
    null,
    "offering it to fewer is always right",
  );
});

Deno.test("keys that lie in the data folder are trusted from the start", async () => {
  const dataDir = await Deno.makeTempDir();
  const { key, trusted } = await freshKey();
  await Deno.writeTextFile(`${dataDir}/trust.json`, JSON.stringify({ keys: [trusted] }));
  const p = await testPlatform({ dataDir, settings: { requireSigned: "carrier" } });
  assertEquals((await upload(p, await packed("1.0", [key]))).status, 201);
  assertEquals((await upload(p, source("2.0"))).status, 403);
  await p[Symbol.asyncDispose]();
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a version that a gateway is about to get is not removed, unless by force", async () => {
  await using p = await testPlatform();
  const me = identity(1), path = `/api/v1/plugins/${NAME}/1.0`;
  await p.call("POST", "/api/v1/gateways", me);
  await upload(p, source("1.0"));
  const { body: command } = await p.call("POST", `/api/v1/gateways/${me.mac}/plugins`, {
    name: NAME,
    version: "1.0",
  });
  const refused = await p.call("DELETE", path);
  assertEquals([refused.status, refused.body.code, refused.body.gateways], [409, "plugin_in_use", [me.mac]]);
  await p.call("POST", `/api/v1/commands/${command.id}/cancel`);
  assertEquals((await p.call("DELETE", path)).status, 204);
  assertEquals((await p.call("DELETE", path)).status, 404);
  await upload(p, source("1.0"));
  await p.call("POST", `/api/v1/gateways/${me.mac}/plugins`, { name: NAME, version: "1.0" });
  assertEquals((await p.call("DELETE", `${path}?force=true`)).status, 204);
});

Deno.test("a gateway has the version that was installed last, until it is removed", async () => {
  const prefix = Deno.env.get("GATEHOUSE_TEST_POSTGRES");
  const url = prefix ? await makeDatabase(`${prefix}usage`) : "sqlite::memory:";
  await using database = await openDatabase<RegistryTables>(url, registryMigrations);
  let id = 0;
  const command = async (
    mac: string,
    kind: CommandRow["kind"],
    version: string,
    status: CommandRow["status"],
  ) => {
    const nulls = {
      ...{ result: null, reply: null, error_code: null, error: null, progress: null },
      ...{ sent_at: null, acked_at: null, finished_at: null },
    };
    await database.sql.insertInto("command").values({
      ...{
        id: String(++id).padStart(8, "0"),
        mac,
        kind,
        plugin: NAME,
        version,
        parameter: "{}",
        actor: "admin",
      },
      ...{ status, attempt: 1, created_at: id, deadline_at: id, ...nulls },
      ...{ exclusive: 0, repeatable: 1, max_attempts: 3, retry_delay_ms: null },
    }).execute();
  };
  const having = (version: string) => gatewaysWith(database.sql, NAME, version, 10);
  await command("A", "install", "1.0", "succeeded");
  await command("B", "install", "1.0", "failed");
  await command("C", "install", "1.0", "succeeded");
  await command("D", "install", "1.0", "queued");
  assertEquals(await having("1.0"), ["A", "C", "D"]);
  await command("A", "install", "2.0", "failed");
  await command("C", "uninstall", "", "succeeded");
  assertEquals(await having("1.0"), ["A", "D"]);
  await command("A", "install", "2.0", "succeeded");
  assertEquals([await having("1.0"), await having("2.0")], [["D"], ["A"]]);
  await command("A", "run", "2.0", "succeeded");
  assertEquals(await having("2.0"), ["A"]);
  assertEquals((await gatewaysWith(database.sql, "com.example.other", "1.0", 10)).length, 0);
});

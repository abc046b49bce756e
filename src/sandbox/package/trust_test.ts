import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, silentLog } from "../../base/mod.ts";
import { DEFAULT_LIMITS } from "../manifest.ts";
import { PluginError } from "../errors.ts";
import { PackageError } from "./errors.ts";
import { packPlugin } from "./pack.ts";
import { readPackage } from "./package.ts";
import { type SigningKey, writeSignatures } from "./signature.ts";
import { filesOf, freshKey, source } from "./testing.ts";
import type { RequireSigned } from "./tiers.ts";
import { TrustError, type TrustOptions, TrustStore } from "./trust.ts";

const HOUR = 3_600_000;

/** A store in a folder of its own. */
async function stage(options: Partial<TrustOptions> = {}) {
  const dir = await Deno.makeTempDir();
  const clock = new FakeClock();
  const path = `${dir}/trust.json`;
  const open = () => TrustStore.open({ clock, log: silentLog }, { path, requireSigned: "none", ...options });
  const store = await open();
  return {
    store,
    clock,
    path,
    open,
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      assertEquals(clock.pendingTimers, 0);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function packed(...keys: SigningKey[]) {
  return (await packPlugin(filesOf({ "plugin.js": source() }), { keys })).plugin.program;
}

async function refused(promise: Promise<unknown>, words: RegExp): Promise<void> {
  const error = await assertRejects(() => promise, PluginError);
  assertEquals(error.code, "untrusted");
  assert(words.test(error.message), error.message);
}

const plain = { entry: "p.js", modules: { "p.js": source() } };

Deno.test("the tier is that of the key, and the most trusted one of several counts", async () => {
  await using t = await stage();
  const [carrier, vendor, stranger] = [await freshKey(), await freshKey(), await freshKey()];
  await t.store.add({ publicKey: carrier.publicKey, tier: "carrier" });
  await t.store.add({ publicKey: vendor.publicKey, tier: "vendor" });
  const tierOf = async (...keys: SigningKey[]) => (await t.store.admit(await packed(...keys))).tier;
  assertEquals(await tierOf(carrier), "carrier");
  assertEquals(await tierOf(vendor), "vendor");
  assertEquals(await tierOf(stranger, vendor, carrier), "carrier");
  assertEquals(await tierOf(stranger), "unsigned");
  assertEquals(await tierOf(), "unsigned");
  assertEquals((await t.store.admit(plain)).tier, "unsigned");
  assertEquals((await t.store.admit(await packed(vendor))).key, vendor.id);
});

Deno.test("each policy asks for signatures where it says so", async () => {
  const key = await freshKey(), stranger = await freshKey();
  const outcomes: [RequireSigned, "local" | "carrier", boolean][] = [
    ["none", "local", true],
    ["none", "carrier", true],
    ["carrier", "local", true],
    ["carrier", "carrier", false],
    ["all", "local", false],
    ["all", "carrier", false],
  ];
  for (const [requireSigned, via, open] of outcomes) {
    await using t = await stage({ requireSigned });
    await t.store.add({ publicKey: key.publicKey, tier: "community" });
    assertEquals((await t.store.admit(await packed(key), via)).tier, "community");
    for (const program of [plain, await packed(), await packed(stranger)]) {
      if (open) assertEquals((await t.store.admit(program, via)).tier, "unsigned");
      else await refused(t.store.admit(program, via), /--require-signed/);
    }
  }
});

Deno.test("what is part of the program needs no signature, as long as it is what it was", async () => {
  await using t = await stage({ requireSigned: "all", builtIn: [source()] });
  assertEquals((await t.store.admit(plain, "carrier")).tier, "carrier");
  await refused(t.store.admit({ entry: "p.js", modules: { "p.js": source() + " " } }), /no package/);
  await refused(
    t.store.admit({ entry: "plugin.js", modules: { "plugin.js": source(), "x.js": "" } }),
    /no package/,
  );
});

Deno.test("a false signature by a known key is refused under every policy", async () => {
  await using t = await stage();
  const key = await freshKey();
  await t.store.add({ publicKey: key.publicKey, tier: "carrier" });
  const good = await packPlugin(filesOf({ "plugin.js": source() }), { keys: [key] });
  const other = await packPlugin(filesOf({ "plugin.js": source("com.example.evil") }), {
    keys: [await freshKey()],
  });
  const signature = good.plugin.signatures[0]!;
  // The signature of one package on another.
  const { origin, ...program } = other.plugin.program;
  await refused(
    t.store.admit({ ...program, origin: { ...origin, signatures: [signature] } } as never),
    /is false/,
  );
  const broken = signature.signature.slice();
  broken[5]! ^= 1;
  const forged = { ...good.plugin.program.origin, signatures: [{ key: key.id, signature: broken }] };
  await refused(t.store.admit({ ...good.plugin.program, origin: forged } as never), /is false/);
});

Deno.test("a revoked key is refused for good, unless another trusted key signed as well", async () => {
  await using t = await stage();
  const [old, next] = [await freshKey(), await freshKey()];
  await t.store.add({ publicKey: old.publicKey, tier: "vendor" });
  await t.store.add({ publicKey: next.publicKey, tier: "vendor" });
  let told = 0;
  t.store.onChange(() => told++);
  await t.store.revoke(old.id, "lost");
  await t.store.revoke(old.id, "again");
  assertEquals(told, 1);
  await refused(t.store.admit(await packed(old)), /revoked/);
  assertEquals((await t.store.admit(await packed(old, next))).key, next.id);
  const again = await assertRejects(
    () => t.store.add({ publicKey: old.publicKey, tier: "vendor" }),
    TrustError,
  );
  assertEquals(again.code, "revoked");
  // Also after a restart.
  using reopened = await t.open();
  await refused(reopened.admit(await packed(old)), /revoked/);
  assertEquals(reopened.keys().map(({ state, reason }) => [state, reason]).sort(), [["revoked", "lost"], [
    "trusted",
    undefined,
  ]]);
});

Deno.test("a key is revoked while a package signed by it is being admitted: it is refused", async () => {
  await using t = await stage();
  const key = await freshKey();
  await t.store.add({ publicKey: key.publicKey, tier: "vendor" });
  const admitting = refused(t.store.admit(await packed(key)), /revoked/);
  await t.store.revoke(key.id);
  await admitting;
});

Deno.test("a rotated key is trusted until its overlap ends, and whoever listens is told of the end", async () => {
  await using t = await stage({ requireSigned: "all" });
  const [old, next] = [await freshKey(), await freshKey()];
  await t.store.add({ publicKey: old.publicKey, tier: "carrier", name: "2026" });
  assertEquals(await t.store.rotate(old.id, { publicKey: next.publicKey, name: "2027" }, HOUR), next.id);
  assertEquals(t.store.keys().map(({ name, tier }) => [name, tier]).sort(), [["2026", "carrier"], [
    "2027",
    "carrier",
  ]]);
  let told = 0;
  t.store.onChange(() => told++);
  await t.clock.advance(HOUR - 1);
  assertEquals((await t.store.admit(await packed(old))).tier, "carrier");
  assertEquals(told, 0);
  await t.clock.advance(1);
  assertEquals(told, 1);
  await refused(t.store.admit(await packed(old)), /no key that is trusted/);
  assertEquals((await t.store.admit(await packed(next))).tier, "carrier");
  assertEquals(t.store.keys().map(({ state }) => state).sort(), ["expired", "trusted"]);
  assertEquals(t.clock.pendingTimers, 0);
});

Deno.test("a tier may ask for no more than the operator lets it, and is told of every excess", async () => {
  await using t = await stage();
  const key = await freshKey();
  await t.store.add({ publicKey: key.publicKey, tier: "community" });
  await t.store.setCaps("community", { capabilities: ["system.cpu"], limits: { memoryMb: 16, calls: 8 } });
  const check = async (capabilities: string[], limits: object) =>
    (await t.store.admit(await packed(key))).check({
      capabilities,
      limits: { ...DEFAULT_LIMITS, ...limits },
    });
  await check(["system.cpu"], { calls: 8 });
  const error = await assertRejects(
    () => check(["system.cpu", "network.ping"], { memoryMb: 32 }),
    PluginError,
  );
  assertEquals([error.code, error.faults.length], ["untrusted", 3]);
  assert(error.faults[0]!.startsWith("manifest.capabilities.1:"), error.faults[0]);
  using reopened = await t.open();
  assertEquals(reopened.tiers().community?.limits, { memoryMb: 16, calls: 8 });
  await reopened.setCaps("community", undefined);
  assertEquals(reopened.tiers(), {});
});

Deno.test("keys that are known, no keys or too many are refused", async () => {
  await using t = await stage();
  const key = await freshKey();
  await t.store.add({ publicKey: key.publicKey, tier: "vendor" });
  const codeOf = async (promise: Promise<unknown>) => (await assertRejects(() => promise, TrustError)).code;
  assertEquals(await codeOf(t.store.add({ publicKey: key.publicKey, tier: "carrier" })), "exists");
  assertEquals(await codeOf(t.store.add({ publicKey: new Uint8Array(31), tier: "vendor" })), "key");
  assertEquals(await codeOf(t.store.revoke("0".repeat(64))), "unknown");
  assertEquals(await codeOf(t.store.rotate("0".repeat(64), { publicKey: key.publicKey }, 0)), "unknown");
});

Deno.test("a trust file that is not valid stops the start with every fault named", async () => {
  const files: [string, RegExp][] = [
    ["{", /not JSON/],
    [`{"keys":[{"tier":"friend","publicKey":"AA=="}]}`, /keys\.0\.tier: one of carrier/],
    [`{"keys":[{"tier":"vendor","publicKey":"AA=="}]}`, /keys\.0\.publicKey/],
    [`{"keys":[{"tier":"vendor","publicKey":"${"A".repeat(43)}=","id":"ab"}]}`, /keys\.0\.id/],
    [`{"tiers":{"unsigned":{"limits":{"memoryMb":-1}}}}`, /tiers\.unsigned\.limits\.memoryMb/],
    [`{"tiers":{"friend":{}}}`, /friend/],
    [`{"key":[]}`, /key/],
  ];
  await using t = await stage();
  for (const [text, words] of files) {
    await Deno.writeTextFile(t.path, text);
    const error = await assertRejects(() => t.open(), PackageError);
    assert(words.test(error.message), error.message);
  }
  const key = await freshKey();
  await Deno.writeTextFile(
    t.path,
    JSON.stringify({ keys: [{ tier: "carrier", publicKey: key.publicKey.toBase64() }] }),
  );
  using store = await t.open();
  assertEquals((await store.admit(await packed(key))).tier, "carrier");
});

Deno.test("signatures that are not readable, or too many, make no package", async () => {
  const keys = await Promise.all(Array.from({ length: 9 }, () => freshKey()));
  const error = await assertRejects(() => packed(...keys), PackageError);
  assertEquals(error.code, "signature");
  const { signatures } = (await packPlugin(filesOf({ "plugin.js": source() }), { keys: [keys[0]!] })).plugin;
  const double = new TextDecoder().decode(writeSignatures([...signatures, ...signatures]));
  for (const text of ["{", "[]", `{"format":2,"signatures":[]}`, `{"format":1,"signatures":[]}`, double]) {
    const { writeArchive } = await import("./archive.ts");
    const files = filesOf({
      "manifest.json": `{"name":"a","version":"1","apiVersion":"2026-11-01","commands":{}}`,
      "plugin.js": "",
      "signatures.json": text,
    });
    const bytes = await writeArchive(files);
    const fault = await assertRejects(() => readPackage(bytes), PackageError);
    assertEquals(fault.code, "signature", text);
  }
});

Deno.test("a tier's peers, hosts and parameters are capped, and every excess is named", async () => {
  await using t = await stage();
  const limits = DEFAULT_LIMITS, capabilities: string[] = [];
  const faultsOf = async (asked: object) => {
    const { check } = await t.store.admit(plain);
    try {
      check({ capabilities, limits, ...asked });
    } catch (error) {
      return (error as PluginError).faults.map((fault) => fault.split(":")[0]);
    }
    return [];
  };
  const greedy = {
    peers: ["a", "management"],
    hosts: ["api.example.com", "example.com", "x.api.example.com:8443", "*.example.com", "example.net"],
    parameters: { read: ["A.B.C", "A.", "A.B.", "W.1"], write: ["W.", "A.B.C", "W"] },
  };
  assertEquals(await faultsOf(greedy), [], "what is not capped is open");
  await t.store.setCaps("unsigned", {
    peers: ["a"],
    hosts: ["*.example.com", "example.net:81"],
    parameters: { read: ["A.B."], write: ["W."] },
  });
  assertEquals(await faultsOf(greedy), [
    "manifest.peers.1",
    "manifest.hosts.1",
    "manifest.hosts.2",
    "manifest.hosts.4",
    "manifest.parameters.read.1",
    "manifest.parameters.write.1",
    "manifest.parameters.write.2",
  ]);
  await t.store.setCaps("unsigned", { peers: [], hosts: [], parameters: {} });
  assertEquals((await faultsOf(greedy)).length, 14, "nothing at all");
  // It is kept, and read again.
  const { tiers } = JSON.parse(await Deno.readTextFile(t.path));
  assertEquals(tiers.unsigned, { peers: [], hosts: [], parameters: {} });
  (await t.open())[Symbol.dispose]();
});

Deno.test("a plug-in calls none that is trusted more than itself, unless the operator names that one", async () => {
  await using t = await stage();
  const vendor = await freshKey();
  await t.store.add({ publicKey: vendor.publicKey, tier: "vendor" });
  const may = async (program: Parameters<TrustStore["admit"]>[0]) => {
    const { mayCall } = await t.store.admit(program);
    return ["carrier", "vendor", "community", "unsigned", undefined].map((tier) =>
      mayCall({ name: "p", tier })
    );
  };
  assertEquals(await may(plain), [false, false, false, true, false]);
  assertEquals(await may(await packed(vendor)), [false, true, true, true, false]);
  await t.store.setCaps("unsigned", { peers: ["p"] });
  assertEquals(await may(plain), [true, true, true, true, true]);
  await t.store.setCaps("unsigned", { peers: ["other"] });
  assertEquals(await may(plain), [false, false, false, false, false]);
});

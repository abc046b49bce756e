import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { createPluginManager } from "../manager.ts";
import { type Bench, makeBench, pluginSource, testDeps } from "../testing/fixture.ts";
import type { HostCall } from "../types.ts";

/** A plug-in that does with its host whatever it is asked to, and tells what came of it. */
const DO = `async ({ name, args }, host) => {
  const [group, part] = name.split(".");
  if (!host[group]?.[part]) return { none: true };
  try { return { value: await host[group][part](...JSON.parse(args)) }; }
  catch (error) { return { error: error.message }; }
}`;

function agent(
  name: string,
  capabilities: string[],
  more: { version?: string; limits?: Record<string, number> } = {},
) {
  return pluginSource(name, { DO }, { capabilities, ...more });
}

async function ask(bench: Bench, plugin: string, name: string, ...args: unknown[]): Promise<unknown> {
  const reply = await bench.call(plugin, "DO", { name, args: JSON.stringify(args) });
  return "error" in reply ? new Error(String(reply["error"])) : "none" in reply ? "none" : reply["value"];
}

const message = (value: unknown) => value instanceof Error ? value.message : value;

Deno.test("what a plug-in stores is there after a restart and an upgrade, and gone after its removal", async () => {
  await using bench = await makeBench("inline", { "p.js": agent("p", ["storage"]) });
  assertEquals(await ask(bench, "p", "storage.get", "a"), null);
  await ask(bench, "p", "storage.set", "a", { list: [1, "zwei", null] });
  await ask(bench, "p", "storage.set", "b", "");
  await ask(bench, "p", "storage.set", "__proto__", "own");
  await bench.restart();
  await bench.manager.install("p", agent("p", ["storage"], { version: "2.0" }));
  assertEquals(await ask(bench, "p", "storage.get", "a"), { list: [1, "zwei", null] });
  assertEquals(await ask(bench, "p", "storage.get", "__proto__"), "own");
  assertEquals(await ask(bench, "p", "storage.keys"), ["__proto__", "a", "b"]);
  await ask(bench, "p", "storage.delete", "b");
  assertEquals(await ask(bench, "p", "storage.keys", "a"), ["a"]);
  await bench.manager.rollBack("p").catch(() => {});
  await bench.manager.remove("p");
  await bench.manager.install("p", agent("p", ["storage"]));
  assertEquals(await ask(bench, "p", "storage.keys"), []);
});

Deno.test("an argument that a plug-in leaves undefined is one that it did not give", async () => {
  const caller = pluginSource("caller", {
    KEYS: `async ({ prefix }, host) => ({ keys: await host.storage.keys(prefix) })`,
    CALL: `({ fields }, host) => host.plugins.call("peer", "HELLO", fields)`,
  }, { capabilities: ["storage", "plugins.call"] }).replace(`"limits":`, `"peers":["peer"],"limits":`);
  const peer = pluginSource("peer", { HELLO: "() => ({ text: 'hello' })" });
  await using bench = await makeBench("inline", { "caller.js": caller, "peer.js": peer });
  assertEquals(await bench.call("caller", "KEYS"), { keys: [] });
  assertEquals(await bench.call("caller", "CALL"), { text: "hello" });
});

Deno.test("a plug-in sees nothing of another's storage, whatever it is called", async () => {
  const files = { "a.js": agent("a", ["storage"]), "b.js": agent("b", ["storage"]), "c.js": agent("c", []) };
  await using bench = await makeBench("inline", files);
  await ask(bench, "a", "storage.set", "secret", "of a");
  for (const key of ["secret", "a/secret", "../a.json", "a.json", "a\u0000secret"]) {
    assertEquals(await ask(bench, "b", "storage.get", key), null, key);
  }
  assertEquals(await ask(bench, "b", "storage.keys"), []);
  await ask(bench, "b", "storage.set", "secret", "of b");
  assertEquals(await ask(bench, "a", "storage.get", "secret"), "of a");
  assertEquals(await ask(bench, "c", "storage.get", "secret"), "none");
});

Deno.test("storage is limited in size, in keys, in their length, and in changes a second", async () => {
  await using bench = await makeBench("inline", {
    "p.js": agent("p", ["storage"], { limits: { storageKb: 4 } }),
  });
  assertEquals(await ask(bench, "p", "storage.set", "a", "x".repeat(3000)), null);
  const full = "storage: more than 4 KiB";
  assertEquals(message(await ask(bench, "p", "storage.set", "b", "x".repeat(2000))), full);
  assertEquals(message(await ask(bench, "p", "storage.set", "c", "ж".repeat(400))), full);
  assertEquals(await ask(bench, "p", "storage.set", "a", "y"), null);
  assertEquals(await ask(bench, "p", "storage.set", "b", "x".repeat(2000)), null);
  for (const key of ["", "x".repeat(129), 5, null, {}]) {
    assert(await ask(bench, "p", "storage.set", key, 1) instanceof Error, JSON.stringify(key));
  }
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, (_, i) => ask(bench, "p", "storage.set", `n${i}`, 1)),
  );
  assertEquals(outcomes.filter((value) => value === null).length, 30);
  let refused: unknown;
  for (let i = 0; i < 200 && !refused; i++) {
    const value = await ask(bench, "p", "storage.set", "n", i);
    if (value instanceof Error) refused = value.message;
  }
  assertEquals(refused, "storage: more than 10 changes a second");
});

Deno.test("storage that can't be read begins anew and is kept beside", async () => {
  await using bench = await makeBench("inline", { "p.js": agent("p", ["storage"]) });
  await ask(bench, "p", "storage.set", "a", 1);
  await bench.manager[Symbol.asyncDispose]();
  await Deno.writeTextFile(`${bench.stateDir}/storage/p.json`, `[["a","`);
  await bench.restart();
  assertEquals(await ask(bench, "p", "storage.get", "a"), null);
  assertEquals(await Deno.readTextFile(`${bench.stateDir}/storage/p.json.unreadable`), `[["a","`);
});

Deno.test("a plug-in calls the commands of its declared peers and no others", async () => {
  const caller = agent("caller", ["plugins.call"]).replace(
    `"limits":`,
    `"peers":["peer","caller"],"limits":`,
  );
  const peer = pluginSource("peer", {
    HELLO: "({ who }) => ({ text: `hello ${who}` })",
    HIDDEN: "() => ({})",
  })
    .replace(`"HIDDEN":{"right":"both"}`, `"HIDDEN":{"right":"none"}`)
    .replace(`"HELLO":{"right":"both"}`, `"HELLO":{"right":"remote"}`);
  await using bench = await makeBench("inline", {
    "caller.js": caller,
    "peer.js": peer,
    "stranger.js": peer.replaceAll('"peer"', '"stranger"'),
  });
  const call = (...args: unknown[]) => ask(bench, "caller", "plugins.call", ...args);
  assertEquals(await call("peer", "HELLO", { who: "x" }), { text: "hello x" });
  assertEquals(
    message(await call("stranger", "HELLO", {})),
    `"stranger" is not among the peers in the manifest`,
  );
  assertEquals(message(await call("caller", "DO", {})), `"caller" is this plug-in itself`);
  assertEquals(message(await call("peer", "HIDDEN", {})), `"HIDDEN" may not be called from the peer side`);
  assertEquals(message(await call("peer", "toString", {})), `"peer" has no command "toString"`);
  for (const args of [[], ["", "HELLO"], [{}, "HELLO"], ["peer", 5], ["peer", "HELLO", []]]) {
    assert(await call(...args) instanceof Error, JSON.stringify(args));
  }
  await bench.manager.stop("peer");
  assertEquals(message(await call("peer", "HELLO", {})), `"peer" is stopped`);
});

Deno.test("a peer that is called for somebody acts on that one's behalf", async () => {
  const seen: (string | undefined)[] = [];
  const peer = pluginSource("peer", { DO: `async (_, host) => { await host.t.note(); }` }, {
    capabilities: ["t"],
  });
  const carrier = pluginSource("carrier", {
    GO: `async (_, host) => { await host.plugins.call("peer", "DO", {}); }`,
  }, { capabilities: ["plugins.call"] }).replace(`"limits":`, `"peers":["peer"],"limits":`);
  await using bench = await makeBench("inline", { "peer.js": peer, "carrier.js": carrier }, {
    capabilities: { t: { "t.note": (_: unknown[], { caller }: HostCall) => void seen.push(caller) } },
  });
  for (const caller of ["platform", undefined]) {
    await bench.manager.call({ plugin: "carrier", command: "GO", request: {}, origin: "local", caller });
  }
  assertEquals(seen, ["platform", undefined]);
});

Deno.test("plug-ins that call each other in a circle come to an end", async () => {
  const ring = (name: string, next: string) =>
    pluginSource(name, { GO: `(_, host) => host.plugins.call("${next}", "GO", {})` }, {
      capabilities: ["plugins.call"],
      limits: { calls: 8 },
    }).replace(`"limits":`, `"peers":["${next}"],"limits":`);
  await using bench = await makeBench("inline", { "a.js": ring("a", "b"), "b.js": ring("b", "a") });
  const error = await assertRejects(() => bench.call("a", "GO"), Error);
  assert(error.message.includes("calls in flight"), error.message);
  assertEquals([bench.manager.get("a")?.inFlight, bench.manager.get("b")?.inFlight], [0, 0]);
});

Deno.test("plug-ins that wait for each other in their queues come to an end when their time is over", async () => {
  const ring = (name: string, next: string) =>
    pluginSource(
      name,
      { GO: `(_, host) => host.plugins.call("${next}", "GO", {})`, OK: "() => ({ ok: 1 })" },
      {
        capabilities: ["plugins.call"],
        limits: { calls: 1, queue: 8, callMs: 1000 },
      },
    ).replace(`"limits":`, `"peers":["${next}"],"limits":`);
  const clock = new FakeClock();
  const files = { "a.js": ring("a", "b"), "b.js": ring("b", "a") };
  await using bench = await makeBench("inline", files, {}, testDeps({ clock }));
  let over = 0;
  const codes = Promise.all(
    Array.from(
      { length: 4 },
      () => bench.call("a", "GO").catch((error) => error.code).finally(() => over++),
    ),
  );
  while (over < 4) {
    await clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  // The first one was at work, and is told that the time of the call that it made was over.
  assertEquals(await codes, ["failed", "timeout", "timeout", "timeout"]);
  for (const name of ["a", "b"]) {
    assertEquals(await bench.call(name, "OK"), { ok: 1 });
    assertEquals(bench.manager.get(name)?.inFlight, 0);
  }
});

Deno.test("a timer that is set when its plug-in goes is not left behind", async () => {
  const clock = new FakeClock();
  const source = (version: string) =>
    pluginSource("p", {
      SET:
        `(_, host) => { for (let i = 0; i < 3; i++) host.timers.wait(80_000_000).catch(() => {}); return {}; }`,
    }, { version, capabilities: ["timers"], limits: { timers: 3 } });
  await using bench = await makeBench("inline", {}, {}, testDeps({ clock }));
  const settle = async (promise: Promise<unknown>) => {
    let over = false;
    promise.finally(() => over = true).catch(() => {});
    for (; !over; await clock.advance(100)) await new Promise((resolve) => setTimeout(resolve, 0));
  };
  await settle(bench.manager.install("p", source("1.0")));
  for (const version of ["1.1", "1.2"]) {
    await bench.call("p", "SET");
    assert(clock.pendingTimers >= 3);
    await settle(bench.manager.install("p", source(version)));
  }
  await settle(clock.advance(10_000));
  assert(clock.pendingTimers < 3, `${clock.pendingTimers} timers`); // the manager may have one of its own
});

Deno.test("digests are the known ones, and random bytes are as many as asked", async () => {
  await using bench = await makeBench("inline", { "p.js": agent("p", ["crypto"]) });
  assertEquals(
    await ask(bench, "p", "crypto.digest", "SHA-256", "abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  for (const args of [["MD5", "x"], ["sha-256", "x"], ["SHA-256", 5], []]) {
    assert(await ask(bench, "p", "crypto.digest", ...args) instanceof Error, JSON.stringify(args));
  }
  const [one, other] = [
    await ask(bench, "p", "crypto.random", 16),
    await ask(bench, "p", "crypto.random", 16),
  ];
  assert(/^[0-9a-f]{32}$/.test(String(one)) && one !== other);
  for (const count of [0, -1, 1.5, 1e9, "5"]) {
    assert(await ask(bench, "p", "crypto.random", count) instanceof Error, String(count));
  }
});

Deno.test("a plug-in has no function of a capability that it did not ask for", async () => {
  await using bench = await makeBench("inline", { "p.js": agent("p", []) });
  for (
    const name of ["storage.get", "timers.wait", "plugins.call", "crypto.random", "constructor.constructor"]
  ) {
    assertEquals(await ask(bench, "p", name), "none", name);
  }
});

Deno.test("nobody may put other functions in the place of these", async () => {
  const options = { dir: "/nowhere", stateDir: "/nowhere", isolation: "inline" as const };
  await assertRejects(
    () =>
      createPluginManager(testDeps(), { ...options, capabilities: { storage: { "storage.get": () => 1 } } }),
    TypeError,
    "is there already",
  );
});

Deno.test("what a plug-in kept is gone with it, whatever it still writes, and no successor reads it", async () => {
  const entered = Promise.withResolvers<void>(), release = Promise.withResolvers<void>();
  const capabilities = {
    t: {
      "t.wait": async () => {
        entered.resolve();
        await release.promise;
        return undefined;
      },
    },
  };
  const slow = pluginSource("p", {
    W: `async (_, host) => { await host.t.wait(); await host.storage.set("secret", "of the first"); return {}; }`,
  }, { capabilities: ["storage", "t"] });
  const writer = pluginSource("p", {
    S: `(_, host) => { host.storage.set("secret", "x".repeat(40000)); return {}; }`,
  }, { version: "2.0", capabilities: ["storage"] });
  const clock = new FakeClock();
  await using bench = await makeBench("inline", {}, { capabilities }, testDeps({ clock }));
  await bench.manager.install("p", slow);
  const waiting = bench.call("p", "W").catch(() => {});
  await entered.promise;
  await bench.manager.install("p", writer); // the first one drains
  await bench.call("p", "S"); // its writing is under way
  let over = false;
  const removed = bench.manager.remove("p").finally(() => over = true);
  while (!over) await clock.advance(1_000);
  await removed;
  release.resolve();
  await waiting;
  assertEquals([...Deno.readDirSync(`${bench.stateDir}/storage`)].map(({ name }) => name), []);
  await bench.manager.install("p", agent("p", ["storage"]));
  assertEquals(await ask(bench, "p", "storage.keys"), []);
  await bench.restart();
  assertEquals(await ask(bench, "p", "storage.keys"), []);
});

Deno.test("a value that the disk does not take is not there, and what was there before is", async () => {
  await using bench = await makeBench("inline", { "p.js": agent("p", ["storage"]) });
  await ask(bench, "p", "storage.set", "a", "before");
  const folder = `${bench.stateDir}/storage`;
  await Deno.rename(folder, folder + ".away");
  const outcomes = await Promise.all([
    ask(bench, "p", "storage.set", "a", "x".repeat(20_000)),
    ask(bench, "p", "storage.set", "b", 1),
    ask(bench, "p", "storage.delete", "a"),
  ]);
  assertEquals(outcomes.map(message), Array(3).fill("storage: it can't be written"));
  assertEquals(await ask(bench, "p", "storage.get", "a"), "before");
  assertEquals(await ask(bench, "p", "storage.keys"), ["a"]);
  await Deno.rename(folder + ".away", folder);
  // What was refused takes no room of the quota of 64 KiB either.
  assertEquals(await ask(bench, "p", "storage.set", "c", "x".repeat(60_000)), null);
  await bench.restart();
  assertEquals(await ask(bench, "p", "storage.keys"), ["a", "c"]);
});

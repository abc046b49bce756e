/**
 * Plug-ins that mean harm, in both isolations: each gets an answer, and no other plug-in is harmed.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog, systemClock } from "../base/mod.ts";
import { PluginError } from "./errors.ts";
import { type Bench, hostCommand, makeBench, pluginSource, testDeps } from "./testing/fixture.ts";
import type { PluginEvent } from "./types.ts";

/**
 * What each attack does, and with which codes it may be answered. Filling memory takes so long that it may be the
 * time which ends first: either way the guest is discarded.
 */
const ATTACKS: Readonly<Record<string, { run: string; codes: string[] }>> = {
  LOOP: { run: "() => { for (;;); }", codes: ["timeout"] },
  LOOP_ASYNC: { run: "async () => { await 0; for (;;); }", codes: ["timeout"] },
  MEMORY: {
    run: `() => { const a = []; for (;;) a.push("x".repeat(65536) + a.length); }`,
    codes: ["limit", "timeout"],
  },
  DEEP_JSON: {
    run: `() => ({ v: JSON.parse("[".repeat(100000) + "]".repeat(100000)) })`,
    codes: ["crashed", "failed"],
  },
  DEEP_REPLY: {
    run: `() => { let v = 1; for (let i = 0; i < 500; i++) v = [v]; return { v }; }`,
    codes: ["limit"],
  },
  RECURSION: { run: "() => { const f = () => f() + 1; return f(); }", codes: ["failed"] },
  NEVER: { run: "() => new Promise(() => {})", codes: ["timeout"] },
  REJECT_FLOOD: { run: `() => { for (;;) Promise.reject("x".repeat(5000)); }`, codes: ["timeout", "limit"] },
  LOG_FLOOD: { run: `() => { for (;;) console.log("x".repeat(5000)); }`, codes: ["timeout", "limit"] },
};
/** Built-ins of the engine that its interrupt handler does not reach. */
const STUCK = {
  INDEX_OF: `() => ({ at: "a".repeat(1e6).indexOf("a".repeat(5e5) + "b") })`,
  SORT: `() => { const a = []; a[2 ** 31] = 1; a.length = 2 ** 32 - 1; a.sort(); }`,
  FILL: `() => { const a = new Uint8Array(1e7); for (;;) a.fill(1); }`,
  JOIN: `() => { const a = []; a.length = 2 ** 32 - 1; return { a: a.join("") }; }`,
  REVERSE: `() => { Array.prototype.reverse.call({ length: 2 ** 53 - 1 }); }`,
  INCLUDES: `() => ({ i: Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1) })`,
  BIG_NUMBER: `() => { let b = 3n ** 10000n; for (;;) b = b * b; }`,
};

const LIMITS = { callMs: 2000, memoryMb: 32 };
const INNOCENT = pluginSource("innocent", {
  OK: "() => ({ ok: 1 })",
  ASK: "async (_, host) => ({ v: await host.t.v() })",
}, {
  capabilities: ["t"],
});
const OPTIONS = { capabilities: { t: { "t.v": () => "v" } } };

/** Calls an attack, and the innocent plug-in again and again meanwhile. */
async function attack(bench: Bench, command: string): Promise<{ code: string; slowest: number }> {
  let over = false, slowest = 0;
  const others = (async () => {
    while (!over) {
      const start = systemClock.monotonic();
      assertEquals(await bench.call("innocent", "OK"), { ok: 1 });
      assertEquals(await bench.call("innocent", "ASK"), { v: "v" });
      slowest = Math.max(slowest, systemClock.monotonic() - start);
      await new Promise((resolve) => systemClock.setTimer(() => resolve(undefined), 5));
    }
  })();
  const error = await assertRejects(() => bench.call("evil", command), PluginError);
  over = true;
  await others;
  return { code: error.code, slowest };
}

for (const isolation of ["process", "inline"] as const) {
  Deno.test(`hostile plug-ins in ${isolation} isolation get an error, and others answer within a second`, async (t) => {
    const commands = Object.fromEntries(Object.entries(ATTACKS).map(([name, { run }]) => [name, run]));
    const evil = pluginSource("evil", commands, { limits: LIMITS });
    await using bench = await makeBench(isolation, { "evil.js": evil, "innocent.js": INNOCENT }, OPTIONS);
    const host = bench.manager.hosts()[0]?.pid;
    for (const [command, { codes }] of Object.entries(ATTACKS)) {
      await t.step(command, async () => {
        const { code, slowest } = await attack(bench, command);
        assert(codes.includes(code), code);
        assert(slowest < 1000, `another plug-in took ${slowest} ms`);
        await bench.manager.run("evil");
      });
    }
    assertEquals(bench.manager.hosts()[0]?.pid, host, "no attack here needs the host to be killed");
    assertEquals(bench.manager.get("innocent")?.restarts, 0);
  });
}

for (const isolation of ["process", "inline"] as const) {
  Deno.test(`a plug-in stuck in a built-in of the engine is broken off alone, in ${isolation} isolation`, async (t) => {
    const evil = pluginSource("evil", { ...STUCK, OK: "() => ({ ok: 2 })" }, { limits: LIMITS });
    await using bench = await makeBench(isolation, { "evil.js": evil, "innocent.js": INNOCENT }, OPTIONS);
    const host = bench.manager.hosts()[0]?.pid;
    for (const command of Object.keys(STUCK)) {
      await t.step(command, async () => {
        const { code, slowest } = await attack(bench, command);
        assertEquals(code, "timeout");
        assert(slowest < 1000, `another plug-in took ${slowest} ms`);
        const status = bench.manager.get("evil");
        assertEquals([status?.state, status?.failures], ["errored", 1]);
        assertEquals(bench.manager.get("innocent")?.failures, 0);
        assertEquals((await bench.manager.run("evil")).state, "running");
        assertEquals(await bench.call("evil", "OK"), { ok: 2 });
      });
    }
    assertEquals(bench.manager.hosts()[0]?.pid, host, "the host goes on");
  });
}

Deno.test("a host that does not answer any more is killed, and comes back with its plug-ins", async () => {
  const files = { "a.js": pluginSource("a", { OK: "() => ({ ok: 1 })" }), "innocent.js": INNOCENT };
  await using bench = await makeBench("process", files, OPTIONS);
  assertEquals(await bench.call("a", "OK"), { ok: 1 });
  const host = bench.manager.hosts()[0]!.pid;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `Deno.kill(${host}, "SIGSTOP")`],
  }).output();
  assert(success);
  // Whoever was entered last is held to be at fault; another plug-in's call is tried again on the next host.
  const [own, other] = await Promise.allSettled([bench.call("a", "OK"), bench.call("innocent", "OK")]);
  assertEquals(own.status === "rejected" && own.reason.code, "timeout");
  assertEquals(other.status === "fulfilled" && other.value, { ok: 1 });
  assert(bench.manager.hosts()[0]?.pid !== host);
  assertEquals((await bench.manager.run("a")).state, "running");
  assertEquals(await bench.call("a", "OK"), { ok: 1 });
});

Deno.test("a plug-in that gets stuck while it loads is not loaded, and the others are", async () => {
  await using bench = await makeBench("process", { "innocent.js": INNOCENT }, OPTIONS);
  const source = pluginSource("evil", {}, { head: `"a".repeat(1e6).indexOf("a".repeat(5e5) + "b");` });
  const error = await assertRejects(() => bench.manager.install("evil", source), PluginError);
  assertEquals(error.code, "timeout");
  assertEquals(await bench.call("innocent", "OK"), { ok: 1 });
  assertEquals(bench.manager.list().map(({ name }) => name), ["innocent"]);
});

Deno.test("whatever a plug-in tells of itself or throws while it loads, it is refused and the host goes on", async (t) => {
  // Time enough, also on a busy machine.
  const options = { ...OPTIONS, ceilings: { cpuMs: 3000 } };
  await using bench = await makeBench("process", { "innocent.js": INNOCENT }, options);
  const host = bench.manager.hosts()[0]!.pid;
  const told = (manifest: string) => `export const manifest = ${manifest}; export const commands = {};`;
  const nested = "let v = 1; for (let i = 0; i < 500; i++) v = [v];";
  const programs = {
    "more than a line holds": told(`{ name: "evil", description: "x".repeat(2e6) }`),
    "nested deep": `${nested} ${told("{ v }")}`,
    "commands without end":
      `export const manifest = {}; export const commands = {}; for (let i = 0; i < 2000; i++) commands["c" + i + "x".repeat(600)] = () => {};`,
    "an error as long as its memory": `throw new Error("x".repeat(2e6));`,
    "an error nested deep": `${nested} throw { name: v, message: v };`,
  };
  for (const [name, source] of Object.entries(programs)) {
    await t.step(name, async () => {
      const error = await assertRejects(() => bench.manager.install("evil", source), PluginError);
      assertEquals(error.code, "invalid", error.message);
      assertEquals(await bench.call("innocent", "OK"), { ok: 1 });
      assertEquals(bench.manager.hosts()[0]?.pid, host);
    });
  }
  assertEquals(bench.manager.get("innocent")?.restarts, 0);
});

Deno.test("a host that breaks the protocol while it loads a plug-in fails that load, and leaves nothing waiting", async () => {
  // It answers each load with a description that is longer than any may be.
  const script = `console.log("ready");
    let text = "";
    for await (const bytes of Deno.stdin.readable) {
      text += new TextDecoder().decode(bytes);
      const guest = /^L (\\d+) .*\\n/m.exec(text)?.[1];
      if (guest) { console.log("G 77 info \\"in nobody's name\\""); console.log("D " + guest + " =" + "x".repeat(2e6)); text = ""; }
    }`;
  const broken = { ...hostCommand(), args: ["eval", "--quiet", script] };
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "text",
    clock: systemClock,
    write: (line) => void lines.push(line),
  });
  await using bench = await makeBench("process", {}, { hostCommand: broken }, testDeps({ log }));
  const error = await assertRejects(() => bench.manager.install("p", pluginSource("p", {})), PluginError);
  assertEquals(error.code, "closed", error.message);
  assertEquals(lines.filter((line) => line.includes("in nobody's name")), []);
});

Deno.test("memory that guests ate comes back to the machine", async () => {
  const evil = pluginSource("evil", { MEMORY: ATTACKS["MEMORY"]!.run }, { limits: { memoryMb: 64 } });
  await using bench = await makeBench("process", { "evil.js": evil, "innocent.js": INNOCENT }, OPTIONS);
  const before = (await bench.manager.hostMemoryBytes())!;
  for (let i = 0; i < 20; i++) { // 20 times 64 MiB, if none came back
    assert(ATTACKS["MEMORY"]!.codes.includes((await attack(bench, "MEMORY")).code));
    await bench.manager.run("evil");
  }
  // The host gives it back within a second; a machine that is busy may take longer.
  let more = Infinity;
  for (let look = 0; look < 200 && more >= 24; look++) {
    more = Math.round(((await bench.manager.hostMemoryBytes())! - before) / 2 ** 20);
    await new Promise((resolve) => systemClock.setTimer(() => resolve(undefined), 50));
  }
  assert(more < 24, `${more} MiB more than before, of ${20 * 64} that were eaten`);
});

Deno.test("after kill -9 of the host in the middle of calls, every call ends and every plug-in is back as asked for", async () => {
  const entered = Promise.withResolvers<void>();
  const wait = () => {
    entered.resolve();
    return new Promise<string>(() => {});
  };
  const waiter = pluginSource("waiter", { W: `(_, host) => host.t.wait()`, OK: "() => ({})" }, {
    capabilities: ["t"],
  });
  // Which calls of "other" were open when it was known that the host is gone.
  const open = new Set<number>();
  let atDeath: ReadonlySet<number> | undefined;
  const onEvent = ({ plugin, status }: PluginEvent) => {
    if (plugin === "other" && status?.state === "loading" && status.restarts > 0) atDeath = new Set(open);
  };
  await using bench = await makeBench("process", {
    "waiter.js": waiter,
    "stopped.js": pluginSource("stopped", {}),
    "other.js": pluginSource("other", { OK: `() => ({ ok: 1 })` }, { limits: { calls: 256 } }),
  }, { capabilities: { t: { "t.wait": wait } }, onEvent });
  await bench.manager.stop("stopped");
  const pid = bench.manager.hosts()[0]!.pid;
  const begun = assertRejects(() => bench.call("waiter", "W"), PluginError);
  await entered.promise;
  // Deno.kill would need leave to run anything; another Deno may be run, and that one may kill.
  const kill = new Deno.Command(Deno.execPath(), { args: ["eval", `Deno.kill(${pid}, "SIGKILL")`] }).output();
  // Calls all the while: to the living host, to the dead one (tried again on the next), and while it comes back.
  let killed = false;
  const fresh: Promise<Record<string, unknown>>[] = [];
  const calling = (async () => {
    while (!killed || fresh.length < 200) {
      const n = fresh.length;
      open.add(n);
      fresh.push(
        bench.call("other", "OK").catch((error) => ({ code: error.code })).finally(() => open.delete(n)),
      );
      await new Promise((resolve) => systemClock.setTimer(() => resolve(undefined), 1));
    }
  })();
  assertEquals((await begun).code, "crashed");
  await kill;
  killed = true;
  await calling;
  // Those that the host may have begun when it died are answered as crashed; all others went well, sooner or later.
  (await Promise.all(fresh)).forEach((reply, n) => {
    if (reply["ok"] === 1) return;
    assertEquals([reply["code"], atDeath?.has(n)], ["crashed", true], `call ${n} of ${fresh.length}`);
  });
  assertEquals(await bench.call("waiter", "OK"), {});
  assert(bench.manager.hosts()[0]?.pid !== pid);
  const states = bench.manager.list().map(({ name, state, failures }) => [name, state, failures]);
  assertEquals(states, [["other", "running", 0], ["stopped", "stopped", 0], ["waiter", "running", 0]]);
});

Deno.test("many looping calls at once do not keep another plug-in waiting until they are over", async () => {
  const evil = pluginSource("evil", { LOOP: ATTACKS["LOOP"]!.run }, {
    limits: { calls: 32, cpuMs: 200, callMs: 3000 },
  });
  await using bench = await makeBench("process", { "evil.js": evil, "innocent.js": INNOCENT }, OPTIONS);
  const loops = Array.from({ length: 32 }, () => bench.call("evil", "LOOP").catch((error) => error.code));
  let slowest = 0;
  for (let i = 0; i < 10; i++) {
    const start = systemClock.monotonic();
    await bench.call("innocent", "ASK");
    slowest = Math.max(slowest, systemClock.monotonic() - start);
  }
  // One after the other they take 6,400 ms at least; on a quiet machine it is less than a second.
  assert(slowest < 4000, `another plug-in took ${slowest} ms`);
  for (const code of await Promise.all(loops)) assert(code === "timeout" || code === "crashed", code);
  assertEquals(bench.manager.get("innocent")?.restarts, 0);
});

Deno.test("the host drops every permission that it was started with, and ends with its input", async () => {
  const main = new URL("./testing/host_permissions.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--cached-only", main],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(lines, [`{"before":7}`, "ready", `{"after":0}`]);
});

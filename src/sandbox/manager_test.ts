import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, systemClock } from "../base/mod.ts";
import { PluginError, type PluginErrorCode } from "./errors.ts";
import { createPluginManager } from "./manager.ts";
import { type Bench, makeBench, pluginSource, testDeps } from "./testing/fixture.ts";
import type { HostCall, PluginEvent, PluginManagerOptions } from "./types.ts";

const VERSION = `() => ({ version: manifest.version })`;

async function codeOf(promise: Promise<unknown>): Promise<PluginErrorCode> {
  const error = await assertRejects(() => promise, PluginError);
  return error.code;
}

/** Resolves when an event for which `wanted` holds arrives. */
function watchEvents() {
  const waiting = new Set<(event: PluginEvent) => void>();
  return {
    onEvent: (event: PluginEvent) => {
      for (const on of [...waiting]) on(event);
    },
    until(wanted: (event: PluginEvent) => boolean): Promise<PluginEvent> {
      return new Promise((resolve) => {
        const on = (event: PluginEvent) => {
          if (!wanted(event)) return;
          waiting.delete(on);
          resolve(event);
        };
        waiting.add(on);
      });
    },
  };
}

Deno.test("plug-ins that lie in the folder run when the manager has started", async () => {
  await using bench = await makeBench("inline", { "a.js": pluginSource("com.example.a", { V: VERSION }) });
  const [status] = bench.manager.list();
  assertEquals([status?.name, status?.version, status?.state, status?.desired, status?.source], [
    "com.example.a",
    "1.0",
    "running",
    "running",
    "a.js",
  ]);
  assertEquals(status?.commands, [{ name: "V", right: "both" }]);
  assertEquals(await bench.call("com.example.a", "V"), { version: "1.0" });
  assertEquals(bench.manager.get("com.example.a")?.calls, 1);
});

Deno.test("a folder with plugin.js is a plug-in whose modules import each other", async () => {
  await using bench = await makeBench("inline");
  await Deno.mkdir(`${bench.dir}/two/lib`, { recursive: true });
  await Deno.writeTextFile(`${bench.dir}/two/lib/n.js`, `export const n = "5";`);
  const source = `import { n } from "./lib/n.js";\n` + pluginSource("two", { N: "() => ({ n })" });
  await Deno.writeTextFile(`${bench.dir}/two/plugin.js`, source);
  await bench.manager.rescan();
  assertEquals(await bench.call("two", "N"), { n: "5" });
});

Deno.test("a file that is dropped, changed and deleted is loaded, reloaded and removed by itself", async () => {
  const { onEvent, until } = watchEvents();
  await using bench = await makeBench("inline", {}, { onEvent });
  const path = `${bench.dir}/p.js`;

  const running = until(({ status }) => status?.state === "running");
  await Deno.writeTextFile(path, pluginSource("p", { V: VERSION }));
  await running;
  assertEquals(await bench.call("p", "V"), { version: "1.0" });

  const changed = until(({ status }) => status?.version === "2.0" && status.state === "running");
  await Deno.writeTextFile(path, pluginSource("p", { V: VERSION }, { version: "2.0" }));
  await changed;
  assertEquals(await bench.call("p", "V"), { version: "2.0" });

  const removed = until(({ status }) => status === undefined);
  await Deno.remove(path);
  await removed;
  assertEquals(await codeOf(bench.call("p", "V")), "absent");
});

Deno.test("a new version that does not load leaves the old one running, and says what is wrong", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  const whole = pluginSource("p", { V: VERSION }, { version: "2.0" });
  await Deno.writeTextFile(`${bench.dir}/p.js`, whole.slice(0, -20)); // half written
  await bench.manager.rescan();
  assertEquals(await bench.call("p", "V"), { version: "1.0" });
  const status = bench.manager.get("p");
  assertEquals(status?.state, "running");
  assert(status?.error?.includes("SyntaxError"), status?.error);
  await Deno.writeTextFile(`${bench.dir}/p.js`, whole);
  await bench.manager.rescan();
  assertEquals(await bench.call("p", "V"), { version: "2.0" });
  assertEquals(bench.manager.get("p")?.error, undefined);
});

Deno.test("calls in flight finish on the version that they began on", async () => {
  const release = Promise.withResolvers<string>();
  const entered = Promise.withResolvers<void>();
  const source = (version: string) =>
    pluginSource("p", {
      WAIT: `async (_, host) => ({ got: await host.t.wait(), by: manifest.version })`,
      V: VERSION,
    }, {
      version,
      capabilities: ["t"],
    });
  const wait = () => {
    entered.resolve();
    return release.promise;
  };
  await using bench = await makeBench("inline", { "p.js": source("1.0") }, {
    capabilities: { t: { "t.wait": wait } },
  });
  const pending = bench.call("p", "WAIT");
  await entered.promise;
  await bench.manager.install("p", source("2.0"));
  assertEquals(await bench.call("p", "V"), { version: "2.0" });
  release.resolve("done");
  assertEquals(await pending, { got: "done", by: "1.0" });
});

Deno.test("an installation that fails writes nothing and leaves what was there", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  const before = await Deno.readTextFile(`${bench.dir}/p.js`);
  const bad: [string, PluginErrorCode][] = [
    ["export const x = ;", "invalid"],
    [pluginSource("other", {}), "invalid"],
    [pluginSource("p", {}, { capabilities: ["nope"] }), "invalid"],
    [pluginSource("p", {}, { head: `throw new Error("at the start");` }), "invalid"],
    [pluginSource("p", {}, { head: `export function start() { throw new Error("no"); }` }), "failed"],
    [
      pluginSource("p", {}, {
        head: `export const start = () => new Promise(() => {});`,
        limits: { callMs: 50 },
      }),
      "timeout",
    ],
    [pluginSource("p", {}, { head: `for (;;);` }), "timeout"],
    [pluginSource("p", {}, { head: `JSON.parse("[".repeat(100000));` }), "crashed"],
    [`/*${"x".repeat(5_000_000)}*/`, "limit"],
  ];
  for (const [source, code] of bad) assertEquals(await codeOf(bench.manager.install("p", source)), code);
  assertEquals(await Deno.readTextFile(`${bench.dir}/p.js`), before);
  assertEquals(await bench.call("p", "V"), { version: "1.0" });
  assertEquals([...Deno.readDirSync(bench.dir)].map(({ name }) => name), ["p.js"]);
});

Deno.test("packages are installed as one file or as a folder, and one takes the place of the other", async () => {
  await using bench = await makeBench("inline");
  const { manager } = bench;
  await manager.install("p", pluginSource("p", { V: VERSION }));
  await manager.install("p", {
    "plugin.js": pluginSource("p", { V: VERSION }, { version: "2.0", head: `import "./lib/x.js";` }),
    "lib/x.js": "",
  });
  assertEquals([...Deno.readDirSync(bench.dir)].map(({ name }) => name), ["p"]);
  assertEquals([...Deno.readDirSync(`${bench.dir}/p`)].map(({ name }) => name).sort(), [
    "1.0",
    "2.0",
    "current",
  ]);
  assertEquals(await bench.call("p", "V"), { version: "2.0" });
  await manager.rescan();
  assertEquals(manager.list().map(({ name, version }) => [name, version]), [["p", "2.0"]]);
  await manager.install("p", pluginSource("p", { V: VERSION }, { version: "3.0" }));
  assertEquals(await bench.call("p", "V"), { version: "3.0" });
  await manager.remove("p");
  assertEquals([...Deno.readDirSync(bench.dir)], []);
  assertEquals(await codeOf(bench.call("p", "V")), "absent");
});

Deno.test("paths that leave the package are refused", async () => {
  await using bench = await makeBench("inline");
  for (const path of ["../x.js", "/x.js", "a/../../x.js", ".x.js", "a//b.js", "x.txt", "a\0.js"]) {
    const files = { "plugin.js": pluginSource("p", {}), [path]: "" };
    assertEquals(await codeOf(bench.manager.install("p", files)), "invalid", path);
  }
  for (const name of ["..", "a/b", "", ".x"]) {
    assertEquals(await codeOf(bench.manager.install(name, "")), "invalid", name);
  }
});

Deno.test("links that leave the plug-ins folder are refused", async () => {
  await using bench = await makeBench("inline");
  const outside = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${outside}/plugin.js`, pluginSource("evil", { V: VERSION }));
    await Deno.symlink(`${outside}/plugin.js`, `${bench.dir}/evil.js`);
    await Deno.symlink(outside, `${bench.dir}/evildir`);
    await bench.manager.rescan();
    for (const status of bench.manager.list()) {
      assertEquals(status.state, "errored");
      assert(status.error?.includes("links to outside"), status.error);
    }
    assertEquals(bench.manager.list().length, 2);
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
});

Deno.test("two files with the same plug-in name: the first runs, the second says why it does not", async () => {
  await using bench = await makeBench("inline", { "a.js": pluginSource("p", { V: VERSION }) });
  await Deno.writeTextFile(`${bench.dir}/b.js`, pluginSource("p", { V: VERSION }, { version: "2.0" }));
  await bench.manager.rescan();
  assertEquals(await bench.call("p", "V"), { version: "1.0" });
  const second = bench.manager.list().find(({ source }) => source === "b.js");
  assertEquals([second?.state, second?.error], ["errored", `manifest.name: "p" is taken by "a.js"`]);
});

Deno.test("a stopped plug-in stays stopped over a restart, and runs when it is asked to", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  assertEquals((await bench.manager.stop("p")).state, "stopped");
  assertEquals(await codeOf(bench.call("p", "V")), "not_running");
  await bench.restart();
  assertEquals([bench.manager.get("p")?.state, bench.manager.get("p")?.version], ["stopped", "1.0"]);
  await bench.manager.install("p", pluginSource("p", { V: VERSION }, { version: "2.0" }));
  assertEquals(bench.manager.get("p")?.state, "stopped");
  assertEquals((await bench.manager.run("p")).state, "running");
  assertEquals(await bench.call("p", "V"), { version: "2.0" });
  await bench.restart();
  assertEquals(bench.manager.get("p")?.state, "running");
});

Deno.test("desired states that can't be read count as asked to run", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  await bench.manager.stop("p");
  await Deno.writeTextFile(`${bench.stateDir}/plugins.json`, `{"plugins":{"p":{"desired":"par`);
  await bench.restart();
  assertEquals(bench.manager.get("p")?.state, "running");
});

Deno.test("start and stop of a plug-in are called around its life", async () => {
  const seen: string[] = [];
  const head = `export const start = async (host) => { await host.t.note("start"); };
    export const stop = async (host) => { await host.t.note("stop"); };`;
  const note = ([what]: unknown[]) => void seen.push(String(what));
  const source = pluginSource("p", {}, { head, capabilities: ["t"] });
  await using bench = await makeBench("inline", { "p.js": source }, {
    capabilities: { t: { "t.note": note } },
  });
  await bench.manager.stop("p");
  await bench.manager.run("p");
  await bench.manager.reload("p");
  // The old version's stop is not waited for by reload, but by the end.
  await bench.manager[Symbol.asyncDispose]();
  assertEquals(seen.toSorted(), ["start", "start", "start", "stop", "stop", "stop"]);
});

Deno.test("a call goes to the plug-in that has the command when none is named", async () => {
  await using bench = await makeBench("inline", {
    "a.js": pluginSource("a", { ONE: `() => ({ by: "a" })` }),
    "b.js": pluginSource("b", { TWO: `() => ({ by: "b" })`, ONE: `() => ({ by: "b" })` }),
  });
  assertEquals(await bench.call("", "TWO"), { by: "b" });
  assertEquals(await bench.call("", "ONE"), { by: "a" });
  await bench.manager.stop("a");
  assertEquals(await bench.call("", "ONE"), { by: "b" });
  await bench.manager.stop("b");
  assertEquals(await codeOf(bench.call("", "TWO")), "not_running");
  assertEquals(await codeOf(bench.call("", "THREE")), "unknown_command");
  assertEquals(await codeOf(bench.call("a", "toString")), "unknown_command");
});

Deno.test("another version than the one that is there is refused", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  const call = { plugin: "p", command: "V", request: {}, origin: "local" } as const;
  assertEquals(await codeOf(bench.manager.call({ ...call, version: "9" })), "version");
  assertEquals(await bench.manager.call({ ...call, version: "1.0" }), { version: "1.0" });
  assertEquals(await bench.manager.call({ ...call, version: "" }), { version: "1.0" });
});

Deno.test("a command is called only from the sides that its right names", async () => {
  const source = pluginSource("p", { L: "() => ({})", R: "() => ({})", B: "() => ({})", N: "() => ({})" })
    .replace(`"L":{"right":"both"}`, `"L":{"right":"local"}`)
    .replace(`"R":{"right":"both"}`, `"R":{"right":"remote"}`)
    .replace(`"N":{"right":"both"}`, `"N":{"right":"none"}`);
  await using bench = await makeBench("inline", { "p.js": source });
  const allowed = async (command: string, origin: "local" | "remote") => {
    const call = bench.manager.call({ plugin: "p", command, request: {}, origin });
    return await call.then(() => true, (error) => {
      assertEquals(error.code, "no_right");
      return false;
    });
  };
  const table = async () => {
    const rows = [];
    for (const c of ["L", "R", "B", "N"]) {
      rows.push([c, await allowed(c, "local"), await allowed(c, "remote")]);
    }
    return rows;
  };
  assertEquals(await table(), [["L", true, false], ["R", false, true], ["B", true, true], [
    "N",
    false,
    false,
  ]]);
  await bench.manager.setRight("p", "N", "remote");
  await bench.manager.setRight("p", "B", "none");
  await bench.restart();
  assertEquals(await table(), [["L", true, false], ["R", false, true], ["B", false, false], [
    "N",
    false,
    true,
  ]]);
  await bench.manager.setRight("p", "B", undefined);
  assertEquals((await table())[2], ["B", true, true]);
  assertEquals(await codeOf(bench.manager.setRight("p", "X", "none")), "unknown_command");
});

Deno.test("one call more than allowed in flight is answered busy, and the others are not harmed", async () => {
  const release = Promise.withResolvers<string>();
  const source = pluginSource("p", { WAIT: `async (_, host) => ({ got: await host.t.wait() })` }, {
    capabilities: ["t"],
    limits: { calls: 3 },
  });
  const capabilities = { t: { "t.wait": () => release.promise } };
  await using bench = await makeBench("inline", { "p.js": source }, { capabilities });
  const calls = [1, 2, 3].map(() => bench.call("p", "WAIT"));
  assertEquals(await codeOf(bench.call("p", "WAIT")), "busy");
  assertEquals(bench.manager.get("p")?.inFlight, 3);
  release.resolve("x");
  assertEquals(await Promise.all(calls), [{ got: "x" }, { got: "x" }, { got: "x" }]);
  assertEquals(bench.manager.get("p")?.inFlight, 0);
});

Deno.test("the caller's time counts where it is shorter than the manifest's", async () => {
  const clock = new FakeClock();
  const source = pluginSource("p", { NEVER: `() => new Promise(() => {})` }, { limits: { callMs: 1000 } });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ clock }));
  const ended: string[] = [];
  const call = (name: string, timeoutMs: number) =>
    bench.manager.call({ command: "NEVER", request: {}, origin: "local", timeoutMs }).catch((error) => {
      ended.push(`${name} ${error.code}`);
    });
  const both = [call("short", 200), call("long", 5000)];
  await clock.advance(199);
  assertEquals(ended, []);
  await clock.advance(1);
  assertEquals(ended, ["short timeout"]);
  await clock.advance(800);
  assertEquals(ended, ["short timeout", "long timeout"]);
  await Promise.all(both);
});

Deno.test("requests and replies that are too deep or too long are refused", async () => {
  await using bench = await makeBench("inline", {
    "p.js": pluginSource("p", {
      ECHO: "(r) => r",
      LONG: `() => ({ v: "x".repeat(1100000) })`,
      DEEP: `() => { let v = "x"; for (let i = 0; i < 100; i++) v = [v]; return { v }; }`,
    }),
  });
  let deep: unknown = "x";
  for (let i = 0; i < 70; i++) deep = [deep];
  const call = (request: Record<string, unknown>) =>
    bench.manager.call({ command: "ECHO", request: request as never, origin: "local" });
  assertEquals(await codeOf(call({ deep })), "limit");
  assertEquals(await codeOf(call({ long: "x".repeat(1_100_000) })), "limit");
  assertEquals(await codeOf(bench.call("p", "LONG")), "failed");
  assertEquals(await codeOf(bench.call("p", "DEEP")), "limit");
  const long = { long: "é".repeat(400_000) };
  assertEquals(await call(long), long);
});

Deno.test("a reply cannot bring a prototype with it", async () => {
  await using bench = await makeBench("inline", {
    "p.js": pluginSource("p", {
      EVIL: `() => JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":{"admin":1}}}')`,
    }),
  });
  const reply = await bench.call("p", "EVIL");
  assertEquals(Object.keys(reply), ["a"]);
  assertEquals((Object.assign({}, reply) as Record<string, unknown>)["admin"], undefined);
});

Deno.test("a plug-in reaches the host functions of its capabilities and no others", async () => {
  const calls: [string, HostCall][] = [];
  const note = (name: string) => (args: unknown[], call: HostCall) => {
    calls.push([name, call]);
    return { name, args: args.length };
  };
  const options: Partial<PluginManagerOptions> = {
    capabilities: { a: { "a.one": note("a.one"), "a.two": note("a.two") }, b: { "b.one": note("b.one") } },
  };
  const probe =
    `async (_, host) => ({ groups: Object.keys(host), one: await host.a.one(1, 2), b: typeof host.b })`;
  const source = pluginSource("p", { PROBE: probe }, { capabilities: ["a"] });
  await using bench = await makeBench("inline", { "p.js": source }, options);
  assertEquals(await bench.call("p", "PROBE"), {
    groups: ["a", "log"],
    one: { name: "a.one", args: 2 },
    b: "undefined",
  });
  assertEquals(calls.map(([name, { plugin, version }]) => [name, plugin, version]), [["a.one", "p", "1.0"]]);
});

Deno.test("what a host function throws reaches the plug-in as an error, and one that never answers is given up", async () => {
  const clock = new FakeClock();
  let aborted = false;
  const capabilities = {
    t: {
      "t.bad": () => Promise.reject(new Error("no such interface")),
      "t.never": (_: unknown[], { signal }: HostCall) => {
        signal.addEventListener("abort", () => aborted = true);
        return new Promise<string>(() => {});
      },
    },
  };
  const source = pluginSource("p", {
    BAD:
      `async (_, host) => { try { await host.t.bad(); } catch (e) { return { said: e.message, is: e instanceof Error }; } }`,
    NEVER: `(_, host) => host.t.never()`,
  }, { capabilities: ["t"] });
  await using bench = await makeBench(
    "inline",
    { "p.js": source },
    { capabilities, hostCallMs: 300 },
    testDeps({ clock }),
  );
  assertEquals(await bench.call("p", "BAD"), { said: "no such interface", is: true });
  const never = codeOf(bench.call("p", "NEVER"));
  await clock.advance(300);
  assertEquals(await never, "failed");
  assert(aborted);
});

Deno.test("a host function learns when the plug-in that called it is gone", async () => {
  const entered = Promise.withResolvers<AbortSignal>();
  const capabilities = {
    t: {
      "t.wait": (_: unknown[], { signal }: HostCall) => {
        entered.resolve(signal);
        return new Promise<string>(() => {});
      },
    },
  };
  const source = pluginSource("p", { W: `(_, host) => host.t.wait()` }, {
    capabilities: ["t"],
    limits: { callMs: 50 },
  });
  await using bench = await makeBench("inline", { "p.js": source }, { capabilities });
  const call = codeOf(bench.call("p", "W"));
  const signal = await entered.promise;
  await bench.manager.remove("p");
  assert(signal.aborted);
  await call;
});

Deno.test("a plug-in that fails is started again after a pause, and is broken after three failures in an hour", async () => {
  const clock = new FakeClock();
  const source = pluginSource("p", { DIE: `() => { JSON.parse("[".repeat(100000)); }`, V: VERSION });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ clock }));
  const state = () => bench.manager.get("p")?.state;
  assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
  assertEquals([state(), await codeOf(bench.call("p", "V"))], ["errored", "not_running"]);
  await clock.advance(1_000);
  await bench.manager.rescan(); // the restart takes real time: one more turn of real work is behind it
  await until(() => state() === "running");
  assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
  await clock.advance(10_000);
  await until(() => state() === "running");
  assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
  assertEquals([state(), bench.manager.get("p")?.failures], ["broken", 3]);
  await clock.advance(3_600_000);
  assertEquals(state(), "broken");
  assertEquals((await bench.manager.run("p")).state, "running");
  assertEquals(await bench.call("p", "V"), { version: "1.0" });
});

Deno.test("failures that are more than an hour apart do not break a plug-in", async () => {
  const clock = new FakeClock();
  const source = pluginSource("p", { DIE: `() => { JSON.parse("[".repeat(100000)); }` });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ clock }));
  for (let i = 0; i < 5; i++) {
    assertEquals(await codeOf(bench.call("p", "DIE")), "crashed");
    assertEquals(bench.manager.get("p")?.state, "errored");
    await clock.advance(3_600_001);
    await until(() => bench.manager.get("p")?.state === "running");
  }
});

/** Waits, by real turns of the event loop, for something that is on its way. */
async function until(reached: () => boolean): Promise<void> {
  for (let i = 0; !reached(); i++) {
    assert(i < 2000, "it never came about");
    await new Promise((resolve) => systemClock.setTimer(() => resolve(undefined), 1));
  }
}

Deno.test("more plug-ins than allowed are not taken", async () => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 4; i++) files[`p${i}.js`] = pluginSource(`p${i}`, {});
  await using bench = await makeBench("inline", files, { maxPlugins: 3 });
  assertEquals(bench.manager.list().length, 3);
  assertEquals(await codeOf(bench.manager.install("more", pluginSource("more", {}))), "limit");
});

Deno.test("after the manager was shut down every method says so", async () => {
  const bench: Bench = await makeBench("inline", {
    "p.js": pluginSource("p", { NEVER: "() => new Promise(() => {})" }),
  });
  const call = codeOf(bench.call("p", "NEVER"));
  await bench[Symbol.asyncDispose]();
  assert(["crashed", "closed"].includes(await call));
  assertEquals(await codeOf(bench.manager.install("q", pluginSource("q", {}))), "closed");
});

Deno.test("host functions with names that a plug-in could not call are refused at the start", async () => {
  const options = { dir: "/nowhere", stateDir: "/nowhere", isolation: "inline" as const };
  for (const name of ["cpu", "a.b.c", "log.info", "__proto__.x", "a.__proto__"]) {
    await assertRejects(
      () => createPluginManager(testDeps(), { ...options, capabilities: { a: { [name]: () => 1 } } }),
      TypeError,
    );
  }
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLog, systemClock } from "../base/mod.ts";
import { PluginError, type PluginErrorCode } from "./errors.ts";
import { codeOf, watchEvents } from "./testing/expect.ts";
import { makeBench, pluginSource, testDeps } from "./testing/fixture.ts";

const VERSION = `() => ({ version: manifest.version })`;

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

Deno.test("a start or health that throws, hangs or does not let go is named in the error, the state and the log", async () => {
  await using bench = await makeBench("inline");
  const limits = { callMs: 50, cpuMs: 20 };
  const heads: [string, string][] = [
    [`export function start() { throw new Error("no uplink"); }`, "start(): no uplink"],
    [`export const start = () => new Promise(() => {});`, "start(): no answer within 50 ms"],
    [`export const start = () => { for (;;); };`, "start(): held the processor for more than 20 ms"],
    [`export async function health() { throw new Error("ill"); }`, "health(): ill"],
  ];
  for (const [head, message] of heads) {
    const install = () => bench.manager.install("p", pluginSource("p", {}, { head, limits }));
    assertEquals((await assertRejects(install, PluginError)).message, message);
  }
  await Deno.writeTextFile(`${bench.dir}/q.js`, pluginSource("q", {}, { head: heads[1]![0], limits }));
  await bench.manager.rescan();
  const [status] = bench.manager.list(), [, told] = heads[1]!;
  assertEquals([status?.state, status?.error], ["errored", told]);
  assert(bench.manager.logs("q").some(({ text }) => text === `[gateway] does not load: ${told}`));
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

Deno.test("more plug-ins than allowed are not taken", async () => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 4; i++) files[`p${i}.js`] = pluginSource(`p${i}`, {});
  await using bench = await makeBench("inline", files, { maxPlugins: 3 });
  const names = () => bench.manager.list().map(({ name }) => name);
  const three = names();
  assertEquals(three.length, 3);
  assertEquals(await codeOf(bench.manager.install("more", pluginSource("more", {}))), "limit");
  // A flood of files and folders changes nothing for those that are there.
  for (let i = 0; i < 50; i++) {
    await Deno.writeTextFile(`${bench.dir}/flood${i}.js`, pluginSource(`flood${i}`, {}));
    await Deno.mkdir(`${bench.dir}/folder${i}`);
    await Deno.writeTextFile(`${bench.dir}/folder${i}/plugin.js`, pluginSource(`folder${i}`, {}));
  }
  await bench.manager.rescan();
  assertEquals(names(), three);
  assertEquals(bench.manager.list().map(({ state }) => state), ["running", "running", "running"]);
  // One that is there may be upgraded all the same, and one that goes makes room.
  await bench.manager.install(three[0]!, pluginSource(three[0]!, {}, { version: "2.0" }));
  for (let i = 0; i < 50; i++) {
    await Deno.remove(`${bench.dir}/flood${i}.js`);
    await Deno.remove(`${bench.dir}/folder${i}`, { recursive: true });
  }
  await bench.manager.rescan();
  await bench.manager.remove(three[2]!);
  await bench.manager.rescan();
  const fourth = ["p0", "p1", "p2", "p3"].find((name) => !three.includes(name));
  assertEquals(names(), [three[0], three[1], fourth].sort());
});

Deno.test("a plug-in that there was no room for, or whose name was taken, runs when that is free, and is told of once", async () => {
  const lines: string[] = [];
  const log = createLog({
    level: "error",
    format: "text",
    clock: systemClock,
    write: (line) => void lines.push(line),
  });
  const files = { "a.js": pluginSource("a", { V: VERSION }) };
  await using bench = await makeBench("inline", files, { maxPlugins: 2 }, testDeps({ log }));
  const drop = async (entry: string, name: string) => {
    await Deno.writeTextFile(`${bench.dir}/${entry}`, pluginSource(name, { V: VERSION }, { version: "2.0" }));
    await bench.manager.rescan();
  };
  const shown = () =>
    bench.manager.list().map(({ source, name, state }) => `${source} ${name} ${state}`).sort();
  await drop("b.js", "a");
  await drop("c.js", "c");
  await drop("d.js", "d");
  assertEquals(shown(), ["a.js a running", "b.js b errored"]);
  assertEquals(lines.length, 2);
  assert(/until there is room.*there are 2 plug-ins already \(--max-plugins\)/.test(lines[0]!), lines[0]);

  await bench.manager.remove("a"); // its name goes to b.js, its place to one of the others
  await bench.manager.rescan();
  assertEquals(await bench.call("a", "V"), { version: "2.0" });
  assertEquals(bench.manager.list().length, 2);
  await Deno.remove(`${bench.dir}/b.js`);
  await bench.manager.rescan();
  await bench.manager.rescan();
  assertEquals(shown(), ["c.js c running", "d.js d running"]);

  await drop("c.js", "d"); // it goes on as it was until that name is free
  await bench.manager.remove("d");
  await bench.manager.rescan();
  assertEquals(shown(), ["c.js d running"]);
  assertEquals(lines.length, 2);
});

Deno.test("however many are installed at once, no more run than allowed", async () => {
  await using bench = await makeBench("inline", {}, { maxPlugins: 2 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 6 }, (_, i) => bench.manager.install(`q${i}`, pluginSource(`q${i}`, {}))),
  );
  assertEquals(outcomes.filter(({ status }) => status === "fulfilled").length, 2);
  assertEquals([bench.manager.list().length, [...Deno.readDirSync(bench.dir)].length], [2, 2]);
  // A place that was kept for one that failed is free again.
  await bench.manager.remove(bench.manager.list()[0]!.name);
  assertEquals(await codeOf(bench.manager.install("bad", "export const x = ;")), "invalid");
  await bench.manager.install("good", pluginSource("good", {}));
});

Deno.test("plug-ins that lie in each other's folders do not keep each other's installations waiting", async () => {
  await using bench = await makeBench("inline");
  for (const [folder, name] of [["a", "b"], ["b", "a"]] as const) {
    await Deno.mkdir(`${bench.dir}/${folder}`);
    await Deno.writeTextFile(`${bench.dir}/${folder}/plugin.js`, pluginSource(name, {}));
  }
  await bench.manager.rescan();
  const outcomes = await Promise.all(
    ["a", "b"].map((name) => codeOf(bench.manager.install(name, pluginSource(name, {}, { version: "2.0" })))),
  );
  assertEquals(outcomes, ["invalid", "invalid"]);
  assertEquals((await bench.manager.stop("a")).state, "stopped");
});

Deno.test("a removal that the disk does not carry out can be asked for again", async () => {
  let failing = "";
  await using bench = await makeBench("inline", {}, {
    onStep: (step) => {
      if (step === failing) throw new Error("input/output error");
    },
  });
  for (failing of ["take out of sight", "forget what it kept"]) {
    const step = failing;
    failing = "";
    await bench.manager.install("p", pluginSource("p", {}));
    failing = step;
    await assertRejects(() => bench.manager.remove("p"), Error, "input/output error");
    assertEquals(bench.manager.list().length, 1, step);
    failing = "";
    assertEquals(await codeOf(bench.manager.install("p", pluginSource("p", {}))), "busy");
    await bench.manager.remove("p");
    assertEquals(bench.manager.list(), []);
    assertEquals([...Deno.readDirSync(bench.dir)], []);
  }
});

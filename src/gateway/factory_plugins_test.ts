import { assertEquals } from "@std/assert";
import { silentLog, systemRandom } from "../base/mod.ts";
import { makeBench, pluginSource } from "../sandbox/testing/fixture.ts";
import { FactoryPlugins } from "./factory_plugins.ts";
import { StateStore } from "./state/mod.ts";

Deno.test("factory plug-ins are put in place once, renewed while they are ours, and never forced back", async () => {
  const folder = await Deno.makeTempDir();
  const dir = `${folder}/plugins`;
  const state = await StateStore.open({ random: systemRandom, log: silentLog }, `${folder}/data`);
  const seed = (sources: Record<string, string>) =>
    new FactoryPlugins({ log: silentLog }, state, sources).seed(dir);
  const read = (name: string) => Deno.readTextFile(`${dir}/${name}.js`).catch(() => undefined);

  await Deno.mkdir(`${dir}/folder`, { recursive: true });
  await Deno.writeTextFile(`${dir}/mine.js`, "my own");
  await seed({ a: "a1", b: "b1", c: "c1", mine: "shipped", folder: "shipped" });
  assertEquals([await read("a"), await read("mine"), await read("folder")], ["a1", "my own", undefined]);

  await Deno.remove(`${dir}/b.js`);
  await Deno.writeTextFile(`${dir}/c.js`, "changed by hand");
  await seed({ a: "a1", b: "b1", c: "c1" });
  assertEquals([await read("a"), await read("b"), await read("c")], ["a1", undefined, "changed by hand"]);

  await seed({ a: "a2", b: "b2", c: "c2", d: "d1" });
  assertEquals([await read("a"), await read("b"), await read("c"), await read("d")], [
    "a2",
    undefined,
    "changed by hand",
    "d1",
  ]);
  await state.flushed();
  assertEquals([...Deno.readDirSync(dir)].some(({ name }) => name.startsWith(".")), false);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a factory plug-in that can't be written leaves nothing behind, and is put in place at the next start", async () => {
  const folder = await Deno.makeTempDir(), dir = `${folder}/plugins`;
  const state = await StateStore.open({ random: systemRandom, log: silentLog }, `${folder}/data`);
  const seed = () => new FactoryPlugins({ log: silentLog }, state, { a: "a1" }).seed(dir);
  await Deno.mkdir(`${dir}/a.js`, { recursive: true }); // nothing can be renamed over it
  await seed();
  assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["a.js"]);
  await Deno.remove(`${dir}/a.js`);
  await seed();
  assertEquals(await Deno.readTextFile(`${dir}/a.js`), "a1");
  await state.flushed();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a factory plug-in that was damaged, removed, upgraded, stopped or broken comes back as it shipped", async () => {
  const folder = await Deno.makeTempDir();
  const state = await StateStore.open({ random: systemRandom, log: silentLog }, `${folder}/data`);
  const V = "() => ({ version: manifest.version })";
  const shipped = pluginSource("shipped", { V }, { version: "1.0" });
  const factory = new FactoryPlugins({ log: silentLog }, state, { shipped });
  await using bench = await makeBench("inline");
  await factory.seed(bench.dir);
  await bench.manager.rescan();
  const version = async () => (await bench.call("shipped", "V"))["version"];
  const restore = () => factory.restore(bench.manager, "shipped");

  assertEquals(await version(), "1.0");
  await Deno.writeTextFile(`${bench.dir}/shipped.js`, shipped.slice(0, -30));
  await bench.restart();
  assertEquals(bench.manager.list()[0]!.state, "errored");
  assertEquals(await restore(), true);
  assertEquals([await version(), bench.manager.list().length], ["1.0", 1]);

  await bench.manager.remove("shipped");
  assertEquals(bench.manager.list(), []);
  assertEquals(await restore(), true);
  assertEquals(await version(), "1.0");

  await bench.manager.install("shipped", pluginSource("shipped", { V }, { version: "2.0" }));
  assertEquals(await version(), "2.0");
  assertEquals(await restore(), true);
  assertEquals(await version(), "1.0");

  await bench.manager.stop("shipped");
  assertEquals(await restore(), true);
  assertEquals([await version(), bench.manager.get("shipped")!.desired], ["1.0", "running"]);

  // The files of the version in force are damaged on the disk.
  for (const { name } of [...Deno.readDirSync(`${bench.dir}/shipped`)].filter((one) => one.isDirectory)) {
    await Deno.writeTextFile(`${bench.dir}/shipped/${name}/plugin.js`, "not any more {");
  }
  await bench.restart();
  assertEquals(await restore(), true);
  assertEquals(await version(), "1.0");

  const dies = pluginSource("shipped", { V, DIE: `() => { JSON.parse("[".repeat(100000)); }` }, {
    version: "3.0",
  });
  await bench.manager.install("shipped", dies);
  await bench.call("shipped", "DIE").catch(() => {});
  assertEquals(bench.manager.get("shipped")!.state, "errored");
  assertEquals(await restore(), true);
  await bench.restart();
  assertEquals([await version(), bench.manager.get("shipped")!.state], ["1.0", "running"]);
  assertEquals(await factory.restore(bench.manager, "com.example.nobody"), false);
  await Deno.remove(folder, { recursive: true });
});

import { assertEquals } from "@std/assert";
import { silentLog, systemRandom } from "../base/mod.ts";
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

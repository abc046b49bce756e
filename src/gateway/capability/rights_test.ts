import { assertEquals, assertRejects } from "@std/assert";
import type { PluginStatus, Right } from "../../sandbox/mod.ts";
import { changeRight } from "./rights.ts";

/** Plug-ins with these commands, and what was set. */
function keeper(plugins: Record<string, string[]>) {
  const set: [string, string, Right | undefined][] = [];
  return {
    set,
    list: () =>
      Object.entries(plugins).map(([name, commands]) => ({
        name,
        commands: commands.map((name) => ({ name, right: "both" })),
      })) as unknown as PluginStatus[],
    setRight: (name: string, command: string, right: Right | undefined) => {
      set.push([name, command, right]);
      return Promise.resolve();
    },
  };
}

Deno.test("a right is changed in every plug-in that has the command, by the codes of the wire", async () => {
  const plugins = keeper({ a: ["X", "Y"], b: ["X"], c: ["Z"] });
  for (const code of ["0", "1", "2", "3"]) await changeRight(plugins, "X", code);
  assertEquals(plugins.set.map(([name, , right]) => `${name} ${right}`), [
    "a local",
    "b local",
    "a remote",
    "b remote",
    "a both",
    "b both",
    "a none",
    "b none",
  ]);
});

Deno.test("an unknown command, or a code that is none, changes nothing", async () => {
  const plugins = keeper({ a: ["X"] });
  await assertRejects(
    () => changeRight(plugins, "NOTHING", "1"),
    Error,
    'no plug-in has a command "NOTHING"',
  );
  for (const code of ["", "4", "-1", "both", "toString", "__proto__"]) {
    await assertRejects(() => changeRight(plugins, "X", code), Error, "RIGHT is");
  }
  assertEquals(plugins.set, []);
});

Deno.test("SET_RIGHT can't be put out of the platform's reach", async () => {
  const plugins = keeper({ management: ["SET_RIGHT"] });
  await assertRejects(() => changeRight(plugins, "SET_RIGHT", "0"), Error, "stays remote");
  await assertRejects(() => changeRight(plugins, "SET_RIGHT", "3"), Error, "stays remote");
  await changeRight(plugins, "SET_RIGHT", "2");
  assertEquals(plugins.set.length, 1);
});

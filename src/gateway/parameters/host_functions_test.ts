import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, silentLog } from "../../base/mod.ts";
import type { DeclaredPaths, HostCall, Json, Manifest } from "../../sandbox/mod.ts";
import { openParameters, ParameterFeed, parameterFunctions } from "./mod.ts";

const ROOT = "InternetGatewayDevice.";
const WIFI = `${ROOT}X_GATEHOUSE_WiFiTimer.`;
const MGT = `${ROOT}X_CT-COM_Mgt.`;
const SERVER = `${ROOT}ManagementServer.`;

/** The functions of a tree, called by a plug-in with this in its manifest. */
async function stage() {
  const clock = new FakeClock();
  const tree = await openParameters({ clock, log: silentLog }, undefined);
  const feed = new ParameterFeed(tree);
  const functions = parameterFunctions(tree, feed)["parameters"]!;
  const as = (parameters?: DeclaredPaths, guest = 1, plugin = "p", caller?: string) => {
    const stop = new AbortController();
    const call: HostCall = {
      plugin,
      version: "1.0",
      guest,
      caller,
      manifest: { name: "p", parameters } as Manifest,
      signal: stop.signal,
    };
    return {
      stop,
      // A function may throw at once or later: to a plug-in that is the same.
      ask: async (name: string, ...args: Json[]) => await functions[`parameters.${name}`]!(args, call),
    };
  };
  return { tree, feed, clock, as };
}

Deno.test("a plug-in reads and writes what it declares, in its own name", async () => {
  const { tree, as } = await stage();
  const { ask } = as({ read: [`${ROOT}Time.`, `${SERVER}URL`], write: [WIFI] });
  await ask("set", { [`${WIFI}StartTime`]: "07:30", [`${WIFI}Enable`]: "1" });
  assertEquals(tree.stamp(`${WIFI}Enable`)?.by, "p");
  assertEquals(await ask("get", `${WIFI}StartTime`), "07:30");
  assertEquals(await ask("get", `${SERVER}URL`), "");
  const index = await ask("add", `${WIFI}Entry.`, { Weekday: 3 });
  assertEquals({ ...await ask("values", [`${WIFI}Entry.`, `${SERVER}URL`]) as object }, {
    [`${WIFI}Entry.1.Active`]: true,
    [`${WIFI}Entry.1.Enable`]: false,
    [`${WIFI}Entry.1.Time`]: "00:00",
    [`${WIFI}Entry.1.Weekday`]: 3,
    [`${SERVER}URL`]: "",
  });
  await ask("remove", `${WIFI}Entry.${index}.`);
  assertEquals(tree.instances(`${WIFI}Entry.`), []);
});

Deno.test("what a plug-in writes for somebody is written in that one's name", async () => {
  const { tree, as } = await stage();
  for (
    const [caller, source, by] of [
      ["local", "local", "p"],
      ["platform", "app", "p"],
      ["control", "local", "p, control API"],
      [undefined, "plugin", "p"],
      ["system", "plugin", "p"],
    ] as const
  ) {
    const { ask } = as({ write: [WIFI] }, 1, "p", caller);
    await ask("set", { [`${WIFI}StartTime`]: "07:30" });
    const { source: who, by: whose } = tree.stamp(`${WIFI}StartTime`)!;
    assertEquals([who, whose], [source, by]);
  }
});

Deno.test("a plug-in gets at nothing that it did not declare, by no way", async () => {
  const { tree, as } = await stage();
  const { ask } = as({ read: [`${ROOT}Time.`], write: [`${WIFI}Enable`] });
  const refused = async (name: string, ...args: Json[]) => {
    const error = await assertRejects(() => ask(name, ...args), Error, undefined, JSON.stringify(args));
    assert(
      /manifest|name: a parameter|unknown|no parameter|list|object/.test((error as Error).message),
      `${error}`,
    );
  };
  await refused("get", `${WIFI}StartTime`);
  await refused("get", `${ROOT}Time`);
  await refused("get", "");
  await refused("get", null);
  await refused("get", [`${ROOT}Time.Enable`]);
  await refused("values", [`${ROOT}Time.Enable`, `${SERVER}URL`]);
  await refused("values", `${ROOT}Time.Enable`);
  await refused("set", { [`${ROOT}Time.Enable`]: true });
  await refused("set", { [`${WIFI}Enable`]: true, [`${WIFI}StartTime`]: "07:30" });
  await refused("set", [`${WIFI}Enable`]);
  await refused("set", JSON.parse(`{"__proto__": {"${WIFI}Enable": true}}`));
  await refused("add", `${WIFI}Entry.`);
  await refused("add", `${WIFI}Entry.{i}.`);
  await refused("remove", `${WIFI}Entry.1.`);
  assertEquals(await ask("names", WIFI), [`${WIFI}Enable`]);
  assertEquals((await ask("names") as string[]).every((name) => /Time\.|Timer\.Enable$/.test(name)), true);
  assertEquals(tree.sequence, 0, "nothing was written");
  await refused.call(null, "get", `${ROOT}Time.Enable.`);
  const nothing = as(undefined);
  assertEquals(await nothing.ask("names"), []);
  assertEquals(await nothing.ask("names", null), []); // an undefined of the plug-in's
  await assertRejects(() => nothing.ask("get", `${ROOT}Time.Enable`), Error, "manifest");
});

Deno.test("declaring everything does not give what is hidden, nor what is the management system's, nor passwords", async () => {
  const { tree, as } = await stage();
  await tree.set({ [`${SERVER}Password`]: "s3cret" }, "itms");
  const all = as({ write: [ROOT] });
  await assertRejects(() => all.ask("get", `${MGT}MgtURL`), Error, "manifest");
  await assertRejects(() => all.ask("set", { [`${MGT}MgtURL`]: "evil.example" }), Error, "manifest");
  await assertRejects(
    () => all.ask("set", { [`${SERVER}URL`]: "http://evil.example/" }),
    Error,
    "management system",
  );
  assertEquals(await all.ask("get", `${SERVER}Password`), "");
  assertEquals((await all.ask("names") as string[]).some((name) => name.startsWith(MGT)), false);
  const declared = as({ read: [ROOT, MGT], write: [ROOT, `${MGT}Heartbeat`] });
  assertEquals(await declared.ask("get", `${MGT}MgtURL`), "189cube");
  await declared.ask("set", { [`${MGT}Heartbeat`]: 30 });
  await assertRejects(() => declared.ask("set", { [`${MGT}Port`]: 1 }), Error, "manifest");
  assertEquals((await declared.ask("names", MGT) as string[]).length, 6);
});

Deno.test("waiting for changes tells of those that are declared, without passwords, and misses none", async () => {
  const { tree, as } = await stage();
  const { ask } = as({ read: [WIFI, SERVER] });
  await tree.set({ [`${WIFI}Enable`]: true }, "app");
  const { sequence } = await ask("changes") as { sequence: number };
  assertEquals(sequence, 1);
  const waiting = ask("changes", sequence);
  await tree.set({ [`${MGT}Heartbeat`]: 30 }, "app");
  await tree.set({ [`${SERVER}Password`]: "s3cret", [`${SERVER}URL`]: "http://acs.example/" }, "itms");
  const news = await waiting as { sequence: number; missed: boolean; changes: Record<string, Json>[] };
  assertEquals([news.sequence, news.missed], [3, false]);
  assertEquals(news.changes.map(({ name, value, source }) => [name, value, source]), [
    [`${SERVER}Password`, "", "itms"],
    [`${SERVER}URL`, "http://acs.example/", "itms"],
  ]);
  const again = await ask("changes", sequence) as typeof news;
  assertEquals(again, news, "asking again gives the same");
});

Deno.test("who falls behind is told so, and waits are few and end with the plug-in", async () => {
  const { tree, as } = await stage();
  const { ask, stop } = as({ read: [WIFI] });
  for (let i = 0; i < 600; i++) await tree.set({ [`${WIFI}Enable`]: i % 2 === 0 }, "app");
  const late = await ask("changes", 1) as { missed: boolean; changes: unknown[] };
  assertEquals([late.missed, late.changes.length], [true, 512]);
  const waits = Array.from(
    { length: 4 },
    () => assertRejects(() => ask("changes", tree.sequence), Error, "gone"),
  );
  await assertRejects(() => ask("changes", tree.sequence), Error, "4 calls wait");
  const other = as({ read: [WIFI] }, 2).ask("changes", tree.sequence);
  stop.abort(new Error("gone"));
  await Promise.all(waits);
  await tree.set({ [`${WIFI}StartTime`]: "07:30" }, "app");
  assertEquals((await other as { changes: unknown[] }).changes.length, 1);
  const next = as({ read: [WIFI] }).ask("changes", tree.sequence);
  await tree.set({ [`${WIFI}StartTime`]: "07:31" }, "app");
  await next;
});

Deno.test("one call writes and reads no more than it may", async () => {
  const { as } = await stage();
  const { ask } = as({ write: [ROOT] });
  const many = Object.fromEntries(
    Array.from({ length: 501 }, (_, i) => [`${WIFI}Entry.${i + 1}.Time`, "07:30"]),
  );
  await assertRejects(() => ask("set", many), Error, "500 at once");
  await assertRejects(() => ask("values", Object.keys(many)), Error, "500 at once");
});

Deno.test("a plug-in that writes without end is slowed down, and nobody else is", async () => {
  const { tree, clock, as } = await stage();
  const { ask } = as({ write: [WIFI] });
  const write = () => ask("set", { [`${WIFI}Enable`]: true });
  for (let i = 0; i < 30; i++) await write();
  await assertRejects(write, Error, "writes of parameters a second");
  await assertRejects(() => ask("add", `${WIFI}Entry.`), Error, "a second");
  await assertRejects(() => ask("remove", `${WIFI}Entry.1.`), Error, "a second");
  await tree.set({ [`${WIFI}Enable`]: false }, "app");
  await as({ write: [WIFI] }, 2, "other").ask("set", { [`${WIFI}Enable`]: false });
  await clock.advance(500);
  await write();
  await assertRejects(write, Error, "a second");
});

/**
 * The tree of parameters: who may write what, instances and rows, what is on the disk, names that are none.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock, silentLog } from "../../base/mod.ts";
import { AREAS, ParameterError, ParameterTree } from "./mod.ts";
import { bench, codeOf, MGT, SERVER, TERMINALS, WIFI, WLAN } from "./testing/bench.ts";

Deno.test("what was set is on the disk once set resolves, with who wrote it and when", () =>
  bench(async ({ clock, open }) => {
    const tree = await open();
    await tree.set({ [`${WIFI}Enable`]: "1", [`${WIFI}StartTime`]: "07:30" }, {
      source: "plugin",
      by: "wifi",
    });
    const view = await (await open()).get(`${WIFI}StartTime`);
    assertEquals(view, {
      name: `${WIFI}StartTime`,
      type: "string",
      access: "readWrite",
      owner: "app",
      value: "07:30",
      written: { source: "plugin", by: "wifi", time: clock.now(), sequence: 1 },
    });
  }));

Deno.test("each owner class lets in whom the reference lets in, and nobody else", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const itms = { [`${SERVER}URL`]: "http://acs.example/" };
    const app = { [`${WIFI}Enable`]: true };
    const shared = { [`${MGT}Heartbeat`]: 30 };
    for (const source of ["app", "local", "plugin"] as const) {
      assertEquals(await codeOf(tree.set(itms, source)), "no_right", source);
      await tree.set(app, source);
      await tree.set(shared, source);
    }
    assertEquals(await codeOf(tree.set(app, "itms")), "no_right");
    await tree.set(itms, "itms");
    await tree.set(shared, "itms");
    await tree.set({ ...itms, ...app, ...shared }, "system");
    assertEquals(await codeOf(tree.set({ [`${MGT}Version`]: "1.1" }, "itms")), "read_only");
    await tree.set({ [`${MGT}Version`]: "1.1" }, "system");
  }));

Deno.test("one value at fault refuses all, and every fault is named", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const error = await assertRejects(
      () =>
        tree.set({
          [`${WIFI}Enable`]: true,
          [`${WIFI}StartTime`]: "25:00",
          [`${SERVER}URL`]: "x",
          [`${WIFI}Nothing`]: "x",
          [`${MGT}Port`]: "many",
        }, "app"),
      ParameterError,
    );
    assertEquals((error as ParameterError).faults.map(({ name, code }) => [name, code]), [
      [`${WIFI}StartTime`, "value"],
      [`${SERVER}URL`, "no_right"],
      [`${WIFI}Nothing`, "unknown"],
      [`${MGT}Port`, "type"],
    ]);
    assertEquals(tree.peek(`${WIFI}Enable`), false);
  }));

Deno.test("the last writer wins, also when the clock was set back and the gateway started again", () =>
  bench(async ({ clock, path, open }) => {
    const name = `${MGT}Heartbeat`;
    await clock.advance(10_000_000);
    await (await open()).set({ [name]: 30 }, "app");
    const earlier = { clock: new FakeClock(), log: silentLog };
    await (await ParameterTree.open(earlier, { path, areas: AREAS })).set({ [name]: 45 }, "itms");
    const { value, written } = await (await open()).get(name);
    assertEquals([value, written?.source, written?.sequence], [45, "itms", 2]);
    assert(written!.time < clock.now() - 9_000_000, "its time is before that of the write it came after");
  }));

Deno.test("restoring by the management system leaves the app platform's own as it is", () =>
  bench(async ({ open }) => {
    const tree = await filled(open);
    await tree.restore("itms");
    assertEquals(
      [
        tree.peek(`${SERVER}URL`),
        tree.instances(TERMINALS),
        tree.peek(`${WIFI}StartTime`),
        tree.peek(`${MGT}Port`),
      ],
      ["", [], "07:30", 999],
    );
    const again = await open();
    assertEquals([again.peek(`${SERVER}URL`), again.instances(TERMINALS), again.peek(`${MGT}Port`)], [
      "",
      [],
      999,
    ]);
  }));

Deno.test("of what is shared, the app platform restores the access control of terminals and nothing else", () =>
  bench(async ({ open }) => {
    const tree = await filled(open);
    await tree.restore("app");
    assertEquals(
      [
        tree.peek(`${SERVER}URL`),
        tree.instances(TERMINALS),
        tree.peek(`${WIFI}StartTime`),
        tree.peek(`${MGT}Port`),
      ],
      ["http://acs.example/", [], "00:00", 999],
    );
    assertEquals(tree.peek(`${WLAN}1.SSID`), "shared");
    assertEquals(await codeOf(tree.restore({ source: "plugin", by: "p" })), "no_right");
  }));

Deno.test("instances are added, numbered on without reuse, and removed with all that is in them", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const first = await tree.add(`${WIFI}Entry.`, "app", { values: { Weekday: 3, Time: "08:00" } });
    const second = await tree.add(`${WIFI}Entry.{i}.`, "app");
    await tree.remove(`${WIFI}Entry.${first}.`, "app");
    assertEquals(await tree.add(`${WIFI}Entry.`, "app"), 3);
    const again = await open();
    assertEquals([again.instances(`${WIFI}Entry.`), second], [[2, 3], 2]);
    assertEquals((await again.get(`${WIFI}EntryNumberOfEntries`)).value, 2);
    assertThrows(() => again.peek(`${WIFI}Entry.1.Time`), ParameterError, "no parameter");
    assertEquals(await codeOf(again.add(`${WIFI}Entry.`, "itms")), "no_right");
    assertEquals(await codeOf(again.add("InternetGatewayDevice.LANDevice.", "itms")), "read_only");
    assertEquals(await codeOf(again.remove(`${WIFI}Entry.9.`, "app")), "unknown");
  }));

Deno.test("a table's rows are replaced in one write, or not at all", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const times = (from: ParameterTree) =>
      from.instances(`${WIFI}Entry.`).map((row) => from.peek(`${WIFI}Entry.${row}.Time`));
    await tree.replace(
      `${WIFI}Entry.`,
      ["01:00", "02:00", "03:00"].map((Time) => ({ Time, Weekday: 2 })),
      "app",
    );
    const seen: string[] = [];
    tree.watch(WIFI, ({ kind, name }) => seen.push(`${kind} ${name.slice(WIFI.length)}`));
    const { sequence } = tree;
    await tree.replace(`${WIFI}Entry.`, [{ Time: "04:00" }], "app", { [`${WIFI}Enable`]: true });
    assertEquals([times(tree), tree.peek(`${WIFI}Enable`), tree.sequence], [["04:00"], true, sequence + 1]);
    assertEquals(seen.filter((line) => !line.startsWith("set Entry.2") && !line.startsWith("set Entry.3")), [
      "remove Entry.2.",
      "remove Entry.3.",
      "set Entry.1.Time",
      "set Enable",
    ]);
    assertEquals(await codeOf(tree.replace(`${WIFI}Entry.`, [{}, { Time: "25:00" }], "app")), "value");
    assertEquals(await codeOf(tree.replace(`${WIFI}Entry.`, [], "itms")), "no_right");
    assertEquals(await codeOf(tree.replace(`${WIFI}Entry.`, Array(65).fill({}), "app")), "limit");
    assertEquals(times(await open()), ["04:00"]);
    await tree.replace(`${WIFI}Entry.`, [], "app");
    assertEquals((await open()).instances(`${WIFI}Entry.`), []);
  }));

Deno.test("a table takes no more instances than it may have", () =>
  bench(async ({ open }) => {
    const tree = await open();
    for (let i = 0; i < 64; i++) await tree.add(`${WIFI}Entry.`, "app");
    assertEquals(await codeOf(tree.add(`${WIFI}Entry.`, "app")), "limit");
  }));

Deno.test("an added instance whose values are at fault is not there", () =>
  bench(async ({ open }) => {
    const tree = await open();
    assertEquals(await codeOf(tree.add(`${WIFI}Entry.`, "app", { values: { Weekday: 8 } })), "value");
    assertEquals(tree.instances(`${WIFI}Entry.`), []);
  }));

Deno.test("what is hidden is in no list, and is read and written by its exact name", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const all = tree.names();
    assert(all.length > 30);
    assertEquals(all.filter((name) => name.startsWith(MGT)), []);
    assertEquals(tree.names({ prefix: MGT }), []);
    assertEquals(tree.names({ prefix: MGT, hidden: true }).length, 6);
    assertEquals(tree.names({ prefix: `${MGT}Port` }), [`${MGT}Port`]);
    await tree.set({ [`${MGT}Port`]: 999 }, "itms");
    assertEquals((await tree.get(`${MGT}Port`)).value, 999);
  }));

Deno.test("passwords read as empty from outside", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const name = `${SERVER}Password`;
    await tree.set({ [name]: "s3cret" }, "itms");
    assertEquals((await tree.get(name)).value, "");
    assertEquals((await tree.get(name, { secrets: true })).value, "s3cret");
  }));

Deno.test("a preset that is changed after a write wins over it, and one that is not does not", () =>
  bench(async ({ open }) => {
    const name = `${MGT}MgtURL`;
    await (await open({ [name]: "first.example" })).set({ [name]: "written.example" }, "itms");
    assertEquals((await open({ [name]: "first.example" })).peek(name), "written.example");
    assertEquals((await open({ [name]: "second.example" })).peek(name), "second.example");
    assertEquals((await open({ [name]: "second.example" })).peek(name), "second.example");
  }));

Deno.test("a hundred writes at once cost the disk few, and all are there", () =>
  bench(async ({ path, open }) => {
    const tree = await open();
    const files = new Set<number | null>();
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      await tree.set({ [`${MGT}Heartbeat`]: i + 1 }, "app");
      files.add((await Deno.stat(path)).ino);
    }));
    assert(files.size < 50, `${files.size} files were seen`);
    assertEquals((await open()).peek(`${MGT}Heartbeat`), 100);
  }));

Deno.test("a write that the disk refuses is taken back everywhere, and the next one goes on", () =>
  bench(async ({ path, open }) => {
    const tree = await open();
    const applied: unknown[] = [];
    using _ = tree.bind(`${MGT}Heartbeat`, { apply: ([change]) => void applied.push(change!.value) });
    await Deno.mkdir(`${path}.new`);
    assertEquals(await codeOf(tree.set({ [`${MGT}Heartbeat`]: 30 }, "app")), "disk");
    assertEquals([tree.peek(`${MGT}Heartbeat`), applied], [60, [30, 60]]);
    await Deno.remove(`${path}.new`);
    await tree.set({ [`${MGT}Heartbeat`]: 40 }, "app");
    assertEquals((await open()).peek(`${MGT}Heartbeat`), 40);
  }));

Deno.test("of a file with values that are none any more, the others are taken", () =>
  bench(async ({ path, open }) => {
    await (await open()).set({ [`${MGT}Heartbeat`]: 30, [`${MGT}Port`]: 999 }, "app");
    const file = JSON.parse(await Deno.readTextFile(path));
    file.values[`${MGT}Port`].value = 70_000;
    file.values["InternetGatewayDevice.Gone.Long.Ago"] = file.values[`${MGT}Heartbeat`];
    await Deno.writeTextFile(path, JSON.stringify(file));
    const tree = await open();
    assertEquals([tree.peek(`${MGT}Heartbeat`), tree.peek(`${MGT}Port`)], [30, 12112]);
  }));

Deno.test("a file that is damaged is set aside, and the gateway comes up with its presets", () =>
  bench(async ({ path, open }) => {
    for (const damaged of ["", "{", "[]", '{"sequence":-1}', "null"]) {
      await Deno.writeTextFile(path, damaged);
      assertEquals((await open()).peek(`${MGT}Heartbeat`), 60);
      assertEquals(await Deno.readTextFile(`${path}.broken`), damaged);
    }
  }));

Deno.test("names that are none are refused, however odd", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const odd = [
      "",
      ".",
      "..",
      "__proto__",
      "InternetGatewayDevice",
      "InternetGatewayDevice..",
      `${WIFI}Entry.0.Time`,
      `${WIFI}Entry.{i}.Time`,
      `${WIFI}enable`,
      `${WIFI}Enable.`,
      `${WIFI} Enable`,
      "x".repeat(100_000),
      "InternetGatewayDevice.LANDevice.99999999999999999999.",
      "toString",
      `${WIFI}constructor`,
    ];
    for (const name of odd) {
      assertEquals(
        await codeOf(tree.set(JSON.parse(`{${JSON.stringify(name)}: "1"}`), "system")),
        "unknown",
        name,
      );
      if (name !== "") assertThrows(() => tree.names({ prefix: name }), ParameterError);
    }
  }));

/** A tree with something of everybody's in it. */
async function filled(open: () => Promise<ParameterTree>): Promise<ParameterTree> {
  const tree = await open();
  tree.bind("InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.", {
    instances: () => [1],
    apply: () => {},
  });
  await tree.set({ [`${SERVER}URL`]: "http://acs.example/" }, "itms");
  await tree.set({ [`${WIFI}StartTime`]: "07:30", [`${WLAN}1.SSID`]: "shared", [`${MGT}Port`]: 999 }, "app");
  await tree.add(TERMINALS, "itms", { values: { MACAddress: "64:D9:54:20:21:4B", InternetAccess: "OFF" } });
  return tree;
}

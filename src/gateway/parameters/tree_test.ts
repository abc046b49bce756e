import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock, silentLog } from "../../base/mod.ts";
import type { Area } from "./definition.ts";
import {
  AREAS,
  type ParameterChange,
  ParameterError,
  type ParameterErrorCode,
  ParameterTree,
} from "./mod.ts";

const WIFI = "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.";
const TERMINALS = "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.";
const MGT = "InternetGatewayDevice.X_CT-COM_Mgt.";
const SERVER = "InternetGatewayDevice.ManagementServer.";
const WLAN = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.";

/** A folder of its own, and ways to open the tree in it. */
async function bench(
  test: (bench: {
    clock: FakeClock;
    path: string;
    open: (
      presets?: Record<string, string | number | boolean>,
      areas?: readonly Area[],
    ) => Promise<ParameterTree>;
  }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock(), path = `${folder}/parameters.json`;
  try {
    await test({
      clock,
      path,
      open: (presets = {}, areas = AREAS) =>
        ParameterTree.open({ clock, log: silentLog }, { path, areas, presets }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function codeOf(promise: Promise<unknown>): Promise<ParameterErrorCode> {
  return (await assertRejects(() => promise, ParameterError)).code;
}

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

Deno.test("what the machine does not take is not kept, and what it took with it is taken back", () =>
  bench(async ({ open }) => {
    const tree = await open();
    const terminals: [string, unknown][] = [];
    using _a = tree.bind(`${MGT}Heartbeat`, {
      apply: (changes) =>
        void terminals.push(...changes.map(({ name, value }) => [name, value] as [string, unknown])),
    });
    using _b = tree.bind(WIFI, { apply: () => Promise.reject(new Error("no radio")) });
    const error = await assertRejects(
      () => tree.set({ [`${MGT}Heartbeat`]: 30, [`${WIFI}Enable`]: true }, "app"),
      ParameterError,
      "no radio",
    );
    assertEquals(error.code, "apply");
    assertEquals([tree.peek(`${MGT}Heartbeat`), tree.peek(`${WIFI}Enable`)], [60, false]);
    assertEquals(terminals, [[`${MGT}Heartbeat`, 30], [`${MGT}Heartbeat`, 60]]);
  }));

Deno.test("a change that takes for ever fails, and does not hold up those after it for ever", () =>
  bench(async ({ clock, open }) => {
    const tree = await open();
    using _ = tree.bind(WIFI, { apply: () => new Promise<void>(() => {}) });
    const stuck = codeOf(tree.set({ [`${WIFI}Enable`]: true }, "app"));
    const after = tree.set({ [`${MGT}Heartbeat`]: 30 }, "app");
    await clock.advance(60_000);
    assertEquals(await stuck, "apply");
    await after;
  }));

Deno.test("a change that comes into force after it was given up is taken back, or gives way to what was written since", () =>
  bench(async ({ clock, open }) => {
    const tree = await open(), machine: unknown[] = [];
    let hold: PromiseWithResolvers<void> | undefined;
    using _ = tree.bind(`${WIFI}StartTime`, {
      apply: async ([change]) => {
        await hold?.promise;
        machine.push(change!.value);
      },
    });
    await tree.set({ [`${WIFI}StartTime`]: "07:00" }, "app");
    const giveUp = async () => {
      const gate = hold = Promise.withResolvers<void>();
      const stuck = codeOf(tree.set({ [`${WIFI}StartTime`]: "09:00" }, "app"));
      await clock.advance(60_000);
      assertEquals(await stuck, "apply");
      hold = undefined;
      return gate;
    };
    (await giveUp()).resolve();
    await clock.advance(0);
    await tree.set({}, "app"); // after whatever is in turn
    assertEquals(machine, ["07:00", "09:00", "07:00"]);
    const gate = await giveUp();
    await tree.set({ [`${WIFI}StartTime`]: "10:00" }, "app");
    gate.resolve();
    await clock.advance(0);
    await tree.set({}, "app");
    assertEquals(machine.slice(3), ["10:00", "09:00", "10:00"]);
  }));

Deno.test("a row that was given up and is there all the same, since somebody added it again, stays", () =>
  bench(async ({ clock, open }) => {
    const tree = await open(), told: [string, number][] = [];
    let hold: Promise<void> | undefined;
    using _ = tree.bind(`${TERMINALS}{i}.`, {
      apply: async (changes) => {
        await hold;
        for (const { kind, indices } of changes) if (kind !== "set") told.push([kind, indices[0]!]);
      },
    });
    const gate = Promise.withResolvers<void>(), values = { MACAddress: "02:00:00:00:00:11" };
    hold = gate.promise;
    const stuck = codeOf(tree.add(TERMINALS, "app", { values }));
    await clock.advance(60_000);
    assertEquals(await stuck, "apply");
    hold = undefined;
    assertEquals(await tree.add(TERMINALS, "app", { values }), 1);
    gate.resolve();
    await clock.advance(0);
    await tree.set({}, "app");
    assertEquals(told, [["add", 1], ["add", 1], ["add", 1]]);
  }));

Deno.test("what lives in the machine can't be set without it, and reads as the machine says", () =>
  bench(async ({ open }) => {
    const tree = await open();
    using _rows = tree.bind(`${WLAN}{i}.`.replace("LANDevice.1", "LANDevice.{i}"), {
      instances: () => [1, 2],
    });
    assertEquals(await codeOf(tree.set({ [`${WLAN}1.SSID`]: "mine" }, "app")), "unavailable");
    assertEquals((await tree.get(`${WLAN}1.SSID`)).value, undefined);
    let ssid = "from the machine";
    using _one = tree.bind("InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.SSID", {
      read: () => ssid,
      apply: ([change]) => void (ssid = String(change!.value)),
    });
    assertEquals((await tree.get(`${WLAN}2.SSID`)).value, "from the machine");
    await tree.set({ [`${WLAN}1.SSID`]: "mine" }, "app");
    assertEquals((await tree.get(`${WLAN}1.SSID`)).value, "mine");
    assertEquals(tree.names({ prefix: WLAN }).filter((name) => name.endsWith(".SSID")), [
      `${WLAN}1.SSID`,
      `${WLAN}2.SSID`,
    ]);
    assertEquals(await codeOf(tree.get(`${WLAN}3.SSID`)), "unknown");
  }));

Deno.test("watchers are told of changes beneath their prefix once these are on the disk, and of nothing else", () =>
  bench(async ({ path, open }) => {
    const tree = await open();
    const seen: ParameterChange[] = [], onDisk: boolean[] = [];
    const watching = tree.watch(WIFI, (change) => {
      seen.push(change);
      onDisk.push(Deno.readTextFileSync(path).includes("07:30"));
    });
    tree.watch("", () => {
      throw new Error("a bad watcher");
    });
    await tree.set({ [`${WIFI}StartTime`]: "07:30", [`${MGT}Heartbeat`]: 30 }, "app");
    await tree.set({ [`${WIFI}StartTime`]: "07:30" }, "local");
    const added = await tree.add(`${WIFI}Entry.`, "app");
    await tree.remove(`${WIFI}Entry.${added}.`, "app");
    watching[Symbol.dispose]();
    await tree.set({ [`${WIFI}StartTime`]: "07:31" }, "app");
    assertEquals(
      seen.map(({ kind, name, value, before, sequence }) => [kind, name, value, before, sequence]),
      [
        ["set", `${WIFI}StartTime`, "07:30", "00:00", 1],
        ["add", `${WIFI}Entry.1.`, undefined, undefined, 3],
        ["remove", `${WIFI}Entry.1.`, undefined, undefined, 4],
      ],
    );
    assertEquals(onDisk, [true, true, true]);
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

Deno.test("of several writes that the disk refuses nothing is left, neither in the tree nor on the machine", () =>
  bench(async ({ path, open }) => {
    const tree = await open();
    let machine: unknown = 60;
    using _ = tree.bind(`${MGT}Heartbeat`, { apply: (changes) => void (machine = changes.at(-1)!.value) });
    await tree.set({ [`${MGT}Heartbeat`]: 50 }, "app");
    await tree.add(TERMINALS, "app");
    await Deno.mkdir(`${path}.new`);
    const outcomes = await Promise.allSettled([
      ...[51, 52, 53].map((value) => tree.set({ [`${MGT}Heartbeat`]: value }, "app")),
      tree.add(TERMINALS, "app"),
      tree.remove(`${TERMINALS}1.`, "app"),
      tree.set({ [`${MGT}Heartbeat`]: 53 }, "app"),
    ]);
    assertEquals(outcomes.map(({ status }) => status), Array(6).fill("rejected"));
    assertEquals([tree.peek(`${MGT}Heartbeat`), machine, tree.instances(TERMINALS)], [50, 50, [1]]);
    await Deno.remove(`${path}.new`);
    await tree.set({ [`${MGT}Port`]: 999 }, "app");
    const again = await open();
    assertEquals([again.peek(`${MGT}Heartbeat`), again.instances(TERMINALS)], [50, [1]]);
  }));

Deno.test("a machine that never tells does not hold up whoever asks for ever", () =>
  bench(async ({ clock, open }) => {
    const tree = await open();
    using _ = tree.bind("InternetGatewayDevice.DeviceInfo.UpTime", { read: () => new Promise(() => {}) });
    const asked = codeOf(tree.get("InternetGatewayDevice.DeviceInfo.UpTime"));
    await clock.advance(10_000);
    assertEquals(await asked, "unavailable");
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

Deno.test("loading a configuration leaves alone what is so already, and does not trouble the machine with it", () =>
  bench(async ({ open }) => {
    const tree = await open();
    let servers = "192.0.2.53";
    const applied: unknown[] = [];
    using _ = tree.bind("InternetGatewayDevice.LANDevice.{i}.LANHostConfigManagement.DNSServers", {
      read: () => servers,
      apply: ([change]) => {
        applied.push(change!.value);
        servers = String(change!.value);
      },
    });
    const name = "InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.DNSServers";
    assertEquals(await tree.load({ [name]: "192.0.2.53", [`${WIFI}Enable`]: false }, "app"), {
      written: 0,
      skipped: [],
    });
    assertEquals([applied, tree.stamp(name)], [[], undefined]);
    assertEquals((await tree.load({ [name]: "192.0.2.54", [`${WIFI}Enable`]: true }, "app")).written, 2);
    assertEquals([applied, servers], [["192.0.2.54"], "192.0.2.54"]);
  }));

Deno.test("instances that a configuration has and the tree has not are added, those in instances too", () =>
  bench(async ({ open }) => {
    const tree = await open();
    await tree.load({ [`${WIFI}Entry.5.Time`]: "05:05", [`${WIFI}Entry.2.Weekday`]: 2 }, "app");
    assertEquals([tree.instances(`${WIFI}Entry.`), tree.peek(`${WIFI}Entry.5.Time`)], [[2, 5], "05:05"]);
    assertEquals(await tree.add(`${WIFI}Entry.`, "app"), 6);
    const passed = await tree.load({ [`${WIFI}Entry.9.Time`]: "05:05", [`${SERVER}URL`]: "x" }, "itms");
    assertEquals([passed.written, passed.skipped.map(({ code }) => code)], [1, ["no_right"]]);
    using _ = tree.bind("InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.", { apply: () => {} });
    const gone = await tree.load({ [`${WLAN}7.SSID`]: "of a larger gateway" }, "itms");
    assertEquals([gone.written, gone.skipped.map(({ code }) => code)], [0, ["unknown"]]);
    assertEquals(await codeOf(tree.load({ [`${WLAN}7.Nothing`]: "x" }, "system")), "unknown");
    const many = Array.from({ length: 70 }, (_, i) => [`${WIFI}Entry.${i + 10}.Time`, "05:05"]);
    assertEquals(await codeOf(tree.load(Object.fromEntries(many), "app")), "limit");
    assertEquals(tree.instances(`${WIFI}Entry.`), [2, 5, 6]);
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

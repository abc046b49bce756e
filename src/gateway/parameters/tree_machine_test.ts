/**
 * What is bound to the machine: taken by it or taken back, given up, watched, brought in by a configuration.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { type ParameterChange, ParameterError } from "./mod.ts";
import { bench, codeOf, MGT, SERVER, TERMINALS, WIFI, WLAN } from "./testing/bench.ts";

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

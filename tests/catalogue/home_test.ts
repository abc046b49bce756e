/**
 * WiFi and the home network of the catalogue, command by command, on the simulated machine.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeClock } from "../../src/base/mod.ts";
import { decryptWifiPassword, encryptWifiPassword } from "../../src/gateway/capability/wifi_cipher.ts";
import { type CapabilityBench, capabilityBench } from "../support/capability_bench.ts";

const LOID = "LOID0001";
const TELEVISION = "02005E005301";
/** A Monday, at seven in the morning by the machine's own clock. */
const MONDAY_SEVEN = new Date(2026, 2, 2, 7).getTime();
const HOUR = 3_600_000;

function atHome(name: string, fn: (bench: CapabilityBench, clock: FakeClock) => Promise<void>): void {
  Deno.test(name, async () => {
    const clock = new FakeClock(MONDAY_SEVEN);
    await using bench = await capabilityBench({ plugins: ["wifi", "lan"], clock });
    await fn(bench, clock);
  });
}

/** Answers Status "1" with a reason like this. */
async function refused(bench: CapabilityBench, cmdType: string, fields: Record<string, string>, why: RegExp) {
  const { status, reason } = await bench.ask(cmdType, fields);
  assertEquals(status, "1", cmdType);
  assertMatch(reason, why, cmdType);
}

atHome("GET_WIFI_INFO tells a network with its password as it crosses the wire", async (bench) => {
  const { PWD, ...rest } = await bench.ok("GET_WIFI_INFO", { SSIDIndex: "5" });
  assertEquals(rest, { SSID: "Simulated-5G", ENCRYPT: "4", PowerLevel: "100", Channel: "36", Enable: "1" });
  assertMatch(PWD!, /^[0-9A-F]{32}$/);
  assertEquals(await decryptWifiPassword(PWD!, LOID), "simulated-home");
  await refused(bench, "GET_WIFI_INFO", { SSIDIndex: "9" }, /no WiFi network with the index 9/);
  await refused(bench, "GET_WIFI_INFO", { SSIDIndex: "x" }, /SSIDIndex/);
});

atHome(
  "SET_WIFI_INFO changes what is given, keeps it as a setting, and refuses what can't be",
  async (bench) => {
    const PWD = await encryptWifiPassword("new password", LOID);
    await bench.ok("SET_WIFI_INFO", {
      SSIDIndex: "1",
      SSID: "Garten",
      PWD,
      ENCRYPT: "5",
      PowerLevel: "60",
      Channel: "11",
    });
    assertEquals(await bench.ok("GET_WIFI_INFO"), {
      SSID: "Garten",
      PWD,
      ENCRYPT: "5",
      PowerLevel: "60",
      Channel: "11",
      Enable: "1",
    });
    const path = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.";
    const kept = await bench.tree.get(`${path}SSID`);
    assertEquals([kept.value, kept.written?.source, kept.written?.by], ["Garten", "app", "wifi"]);
    assertEquals((await bench.tree.get(`${path}KeyPassphrase`)).value, "", "from outside");
    // The management system's word counts where it is the later one.
    await bench.tree.set({ [`${path}SSID`]: "Keller", [`${path}BeaconType`]: "None" }, "itms");
    const later = await bench.ok("GET_WIFI_INFO");
    assertEquals([later.SSID, later.ENCRYPT, later.PWD], ["Keller", "1", ""]);

    for (
      const [fields, why] of [
        [{ SSID: "x".repeat(33) }, /32/],
        [{ PWD: "00" }, /AES/],
        [{ PWD: await encryptWifiPassword("new password", "another") }, /LOID/],
        [{ ENCRYPT: "4", PWD: await encryptWifiPassword("short", LOID) }, /8 to 63/],
        [{ ENCRYPT: "6" }, /ENCRYPT/],
        [{ Channel: "36" }, /2\.4 GHz/],
        [{ PowerLevel: "50" }, /100, 80, 60, 30, 20/],
        [{ Enable: "maybe" }, /Enable/],
        [{}, /nothing/],
      ] as const
    ) await refused(bench, "SET_WIFI_INFO", { SSIDIndex: "1", ...fields }, why);
    assertEquals(await bench.ok("GET_WIFI_INFO"), later, "all or nothing");
  },
);

atHome(
  "SET_WLAN_SSID_DISABLE throws everybody off, GET_WLAN_ATTACH_INFO and GET_WLAN_INTF_INFO show it",
  async (bench, clock) => {
    const attached = async () => (await bench.ok("GET_WLAN_ATTACH_INFO")).Info!.split("/").filter(Boolean);
    const on = async () => (await attached()).filter((one) => one.includes(":SSID1:"));
    await clock.advance(60_000);
    assert((await on()).some((one) => /^printer::02005E005306:192\.168\.1\.106:WIFI:SSID1:::60$/.test(one)));
    assertEquals((await bench.ok("GET_WLAN_ATTACH_INFO")).Num, String((await attached()).length));
    const before = await bench.ok("GET_WLAN_INTF_INFO", { SSIDIndex: "1" });
    assertEquals([before.SSID, before.Enable, before.ENCRYPT], ["Simulated", "1", "4"]);
    assert(Number(before.RECV) > 0 && Number(before.SEND) > 0);
    await bench.ok("SET_WLAN_SSID_DISABLE", { SSIDIndex: "1" });
    assertEquals(await on(), []);
    await clock.advance(HOUR);
    const after = await bench.ok("GET_WLAN_INTF_INFO", { SSIDIndex: "1" });
    assertEquals([after.Enable, after.SEND], ["0", before.SEND]);
    await bench.ok("SET_WLAN_SSID_ENABLE", { SSIDIndex: "1" });
    assert((await on()).length > 0);
    await refused(bench, "SET_WLAN_SSID_ENABLE", { SSIDIndex: "4" }, /index 4/);
  },
);

atHome("SET_HG_WIFI_TIMER takes WiFi off the air and back at its minutes", async (bench, clock) => {
  const up = async () => (await bench.ok("SYSTEST")).WIFIModuleStatus;
  assertEquals(await up(), "ON");
  await bench.ok("SET_HG_WIFI_TIMER", {
    StartTime: "8:00",
    EndTime: "22:30",
    ControlCycle: "DAY",
    Enable: "1",
  });
  assertEquals(await up(), "OFF", "it is seven");
  await clock.advance(HOUR - 1);
  assertEquals(await up(), "OFF");
  await clock.advance(1);
  assertEquals(await up(), "ON");
  clock.jump(14 * HOUR);
  await clock.advance(0.5 * HOUR);
  assertEquals(await up(), "OFF");
  await bench.ok("SET_HG_WIFI_TIMER", {
    StartTime: "08:00",
    EndTime: "22:30",
    ControlCycle: "DAY",
    Enable: "0",
  });
  assertEquals(await up(), "ON", "no timer, no silence");
  const timer = { StartTime: "08:00", EndTime: "22:30", ControlCycle: "DAY", Enable: "1" };
  await refused(bench, "SET_HG_WIFI_TIMER", { ...timer, StartTime: "25:00" }, /StartTime/);
  await refused(bench, "SET_HG_WIFI_TIMER", { ...timer, ControlCycle: "0,9" }, /ControlCycle/);
  await refused(bench, "SET_HG_WIFI_TIMER", { ...timer, Enable: "" }, /Enable/);
});

atHome(
  "SET_HG_WIFI_TIMER_EX keeps a list by weekday, GET_HG_WIFI_TIMER_EX gives it back",
  async (bench, clock) => {
    const line = (Weekday: string, Time: string, Active: string, Enable = "1") => ({
      Weekday,
      Time,
      Active,
      Enable,
    });
    const list = async () => (await bench.ask("GET_HG_WIFI_TIMER_EX")).rich.WifiTimer;
    const set = (...lines: ReturnType<typeof line>[]) =>
      bench.ok("SET_HG_WIFI_TIMER_EX", { WifiTimer: lines });
    assertEquals(await list(), []);
    await set(line("1,2", "07:30", "0"), line("1,2", "9:00", "1"), line("1", "08:00", "1", "0"));
    assertEquals(await list(), [
      line("1", "07:30", "0"),
      line("2", "07:30", "0"),
      line("1", "09:00", "1"),
      line("2", "09:00", "1"),
      line("1", "08:00", "1", "0"),
    ]);
    const up = async () => (await bench.ok("SYSTEST")).WIFIModuleStatus;
    assertEquals(await up(), "ON");
    await clock.advance(HOUR / 2);
    assertEquals(await up(), "OFF");
    await clock.advance(HOUR);
    assertEquals(await up(), "OFF", "that line is not enabled");
    await clock.advance(HOUR / 2);
    assertEquals(await up(), "ON");
    await set(line("7", "12:00", "1"));
    assertEquals(await list(), [line("7", "12:00", "1")]);
    await set();
    assertEquals(await list(), []);
    const { status, reason } = await bench.ask("SET_HG_WIFI_TIMER_EX", {
      WifiTimer: [line("8", "07:30", "1")],
    });
    assertEquals([status, /Weekday/.test(reason)], ["1", true]);
  },
);

Deno.test("WiFi timers survive a restart, which brings the radio to what they say now", async () => {
  const clock = new FakeClock(MONDAY_SEVEN);
  const { openParameters } = await import("../../src/gateway/parameters/mod.ts");
  const { House } = await import("../../src/gateway/house/mod.ts");
  const { SimulatedDriver } = await import("../../src/gateway/driver/mod.ts");
  const { seededRandom, silentLog: log } = await import("../../src/base/mod.ts");
  const dataDir = await Deno.makeTempDir();
  const life = async (work: (house: InstanceType<typeof House>) => Promise<void>) => {
    await using driver = new SimulatedDriver({ clock, random: seededRandom(1) });
    await using tree = await openParameters({ clock, log }, dataDir);
    await using house = new House({ clock, log, driver, tree, dataDir });
    await work(house);
    await clock.advance(0);
    return await driver.wifi.radioOn();
  };
  const window = { enabled: true, start: "08:00", end: "22:00", cycle: "DAY" };
  assertEquals(await life((house) => house.wifiTimer.setWindow(window, "app")), false);
  assertEquals(
    await life(() => Promise.resolve()),
    false,
    "seven: off, in a machine that started with it on",
  );
  clock.jump(2 * HOUR);
  assertEquals(await life(() => Promise.resolve()), true, "nine");
  await Deno.remove(dataDir, { recursive: true });
});

atHome("WPS_ON lets a device join, WPS_QY tells of it, WPS_OFF ends it", async (bench, clock) => {
  assertEquals(await bench.ok("WPS_QY"), { WPSStatus: "IDLE", devInfo: "" });
  await bench.ok("WPS_ON", { SSID: "Simulated-5G", Timeout: "60" });
  assertEquals(await bench.ok("WPS_QY"), { WPSStatus: "ACTIVE", devInfo: "" });
  await bench.ok("WPS_OFF");
  assertEquals((await bench.ok("WPS_QY")).WPSStatus, "IDLE");
  await bench.ok("WPS_ON", { SSID: "1" });
  await clock.advance(10_000);
  assertEquals(await bench.ok("WPS_QY"), { WPSStatus: "SUCCESS", devInfo: "02005E005307" });
  await refused(bench, "WPS_ON", { SSID: "Nobody" }, /name or index/);
  await refused(bench, "WPS_ON", { SSID: "1", Timeout: "121" }, /Timeout/);
});

atHome("GET_LAN_NET_INFO, GET_LAN_INFO2 and SYSTEST tell devices, ports and states", async (bench, clock) => {
  await clock.advance(HOUR);
  const devices = (await bench.ok("GET_LAN_NET_INFO")).Info!.split("/");
  assert(devices.includes(`television::${TELEVISION}:192.168.1.101:LAN:LAN1:::3600`));
  const ports = await bench.ok("GET_LAN_INFO2");
  assertEquals(Object.keys(ports).length, 8);
  assert(Number(ports.LAN1TX) > Number(ports.LAN1RX) && Number(ports.LAN1RX) > 0);
  assertEquals([ports.LAN4RX, ports.LAN4TX], ["0", "0"]);
  assertEquals(await bench.ok("SYSTEST"), {
    LAN1Status: "ON",
    LAN2Status: "ON",
    LAN3Status: "OFF",
    LAN4Status: "OFF",
    WANStatus: "ON",
    WIFIModuleStatus: "ON",
  });
});

atHome(
  "SET_ATTACH_DEVICE_RIGHT stops a device's traffic, and only the app's restoration takes it back",
  async (bench, clock) => {
    const sent = async () => Number((await bench.ok("GET_LAN_INFO2")).LAN1TX);
    await bench.ok("SET_ATTACH_DEVICE_RIGHT", { MAC: TELEVISION, InternetAccessRight: "OFF" });
    await bench.ok("SET_ATTACH_DEVICE_RIGHT", { MAC: "02-00-5e-00-53-02", StorageAccessRight: "OFF" });
    assertEquals(await bench.ok("GET_ATTACH_DEVICE_RIGHT"), {
      MACList: TELEVISION,
      StorageMACList: "02005E005302",
    });
    const before = await sent();
    await clock.advance(HOUR);
    assertEquals(await sent(), before);
    assert(await bench.tree.restore("app") > 0);
    assertEquals((await bench.ok("GET_ATTACH_DEVICE_RIGHT")).MACList, "");
    await clock.advance(HOUR);
    assert(await sent() > before);
    const none = { InternetAccessRight: "ON" };
    await refused(bench, "SET_ATTACH_DEVICE_RIGHT", { MAC: "nonsense", ...none }, /MAC/);
    await refused(bench, "SET_ATTACH_DEVICE_RIGHT", { MAC: "FFFFFFFFFFFF", ...none }, /MAC/);
    await refused(
      bench,
      "SET_ATTACH_DEVICE_RIGHT",
      { MAC: TELEVISION, InternetAccessRight: "maybe" },
      /ON or OFF/,
    );
    await refused(bench, "SET_ATTACH_DEVICE_RIGHT", { MAC: TELEVISION }, /neither/);
  },
);

atHome("SET_ATTACH_DEVICE_NAME gives a device a name that it is listed by", async (bench) => {
  await bench.ok("SET_ATTACH_DEVICE_NAME", { MAC: TELEVISION, DevName: "Fernseher: groß/oben" });
  const devices = (await bench.ok("GET_LAN_NET_INFO")).Info!.split("/");
  assert(devices.some((one) => one.startsWith(`Fernseher_ groß_oben::${TELEVISION}:`)));
  await bench.ok("SET_ATTACH_DEVICE_NAME", { MAC: TELEVISION, DevName: "" });
  assertEquals(bench.house.devices.list(), [], "nothing is left to remember");
  await refused(bench, "SET_ATTACH_DEVICE_NAME", { MAC: TELEVISION }, /DevName/);
  await refused(bench, "SET_ATTACH_DEVICE_NAME", { MAC: TELEVISION, DevName: "x".repeat(65) }, /64/);
});

atHome(
  "SET_ATTACH_DEVICE_BANDWIDTH holds a device to it, GET_ATTACH_DEVICE_BANDWIDTH tells",
  async (bench, clock) => {
    const ask = (fields = {}) => bench.ok("GET_ATTACH_DEVICE_BANDWIDTH", fields);
    assertEquals(await ask(), { Info: "" });
    await bench.ok("SET_ATTACH_DEVICE_BANDWIDTH", { MAC: TELEVISION, UsBandwidth: "0", DsBandwidth: "100" });
    assertEquals(await ask({ MAC: TELEVISION }), { MAC: TELEVISION, UsBandwidth: "0", DsBandwidth: "100" });
    assertEquals(await ask(), { Info: `${TELEVISION}:0:100` });
    const before = Number((await bench.ok("GET_LAN_INFO2")).LAN1TX);
    await clock.advance(HOUR);
    const grown = Number((await bench.ok("GET_LAN_INFO2")).LAN1TX) - before;
    assert(grown > 0 && grown <= 3600 * 100_000 / 8 / 1024 + 1);
    for (const DsBandwidth of ["-1", "1.5", "x", "", "7", "99999999"]) {
      await refused(bench, "SET_ATTACH_DEVICE_BANDWIDTH", { MAC: TELEVISION, DsBandwidth }, /kbit\/s/);
    }
    assertEquals(await ask(), { Info: `${TELEVISION}:0:100` });
  },
);

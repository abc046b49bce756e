/**
 * WiFi and the home network of the catalogue, command by command, on real Linux: a gateway in a network namespace with
 * a bridge, devices behind it in namespaces of their own, real packets, a real hostapd (which has no radio here).
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { systemClock as clock } from "../../src/base/mod.ts";
import { decryptWifiPassword, encryptWifiPassword } from "../../src/gateway/capability/wifi_cipher.ts";
import { LinuxDriver } from "../../src/gateway/driver/mod.ts";
import {
  DEVICE_MACS,
  GATEWAY_ADDRESS,
  homeless,
  SERVER_ADDRESS,
  type TestHome,
  testHome,
} from "../../src/gateway/driver/lan/testing.ts";
import { type TestHostapd, testHostapd, withoutHostapd } from "../../src/gateway/driver/wifi/testing.ts";
import { type CapabilityBench, capabilityBench } from "../support/capability_bench.ts";
import { unless } from "../support/namespaces.ts";

const PLUGINS = ["wifi", "lan"];
const noHome = await homeless(), noHostapd = await withoutHostapd();
const PHONE = DEVICE_MACS.phone.replaceAll(":", "");

function atHome(name: string, fn: (bench: CapabilityBench, home: TestHome) => Promise<void>): void {
  Deno.test({
    ...unless(name, noHome),
    async fn() {
      await using home = await testHome();
      const driver = new LinuxDriver({ clock, runner: home.runner, leaseFiles: [], hostapdFiles: [] });
      await using bench = await capabilityBench({ plugins: PLUGINS, driver });
      await fn(bench, home);
    },
  });
}

function onAir(name: string, fn: (bench: CapabilityBench, ap: TestHostapd) => Promise<void>): void {
  Deno.test({
    ...unless(name, noHostapd),
    async fn() {
      await using ap = await testHostapd();
      const driver = new LinuxDriver({ clock, runner: ap.runner(), leaseFiles: [], hostapdFiles: [ap.conf] });
      await using bench = await capabilityBench({ plugins: PLUGINS, driver });
      await fn(bench, ap);
    },
  });
}

atHome(
  "GET_LAN_NET_INFO, GET_LAN_INFO2 and SYSTEST tell the ports and devices of a real bridge",
  async (bench, home) => {
    await home.in("phone", "ping", "-c", "1", GATEWAY_ADDRESS);
    await bench.ok("SET_ATTACH_DEVICE_NAME", { MAC: PHONE, DevName: "Mobile" });
    const devices = (await bench.ok("GET_LAN_NET_INFO")).Info!.split("/");
    assert(devices.includes(`Mobile::${PHONE}:192.168.77.11:LAN:LAN1:::`), devices.join(" "));
    const before = await bench.ok("GET_LAN_INFO2");
    await home.transfer("phone", "up", 500_000);
    const after = await bench.ok("GET_LAN_INFO2");
    assert(Number(after.LAN1RX) - Number(before.LAN1RX) >= 488);
    assertEquals(await bench.ok("SYSTEST"), {
      LAN1Status: "ON",
      LAN2Status: "ON",
      LAN3Status: "",
      LAN4Status: "",
      WANStatus: "ON",
      WIFIModuleStatus: "",
    });
  },
);

atHome("SET_ATTACH_DEVICE_RIGHT stops real packets and lets them go again", async (bench, home) => {
  await home.serve("gateway", 445);
  const outwards = () => home.transfer("phone", "up", 1000);
  const storage = () => home.transfer("phone", "up", 1000, `${GATEWAY_ADDRESS}:445`);
  await Promise.all([outwards(), storage()]);
  const set = (fields: Record<string, string>) =>
    bench.ok("SET_ATTACH_DEVICE_RIGHT", { MAC: PHONE, ...fields });
  await set({ InternetAccessRight: "OFF" });
  await assertRejects(outwards);
  await storage();
  await set({ InternetAccessRight: "ON", StorageAccessRight: "OFF" });
  await assertRejects(storage);
  await outwards();
  assertEquals(await bench.ok("GET_ATTACH_DEVICE_RIGHT"), { MACList: "", StorageMACList: PHONE });
  // A gateway that starts again finds its rules where somebody flushed them.
  await home.in("gateway", "nft", "flush", "ruleset");
  await storage();
  await bench.house[Symbol.asyncDispose]();
  const { House } = await import("../../src/gateway/house/mod.ts");
  const { silentLog: log } = await import("../../src/base/mod.ts");
  const { driver, tree, folder: dataDir } = bench;
  await using again = new House({ clock, log, driver, tree, dataDir });
  await again.devices.set(PHONE, { storage: false }, "app");
  await assertRejects(storage);
  await tree.restore("app");
  await storage();
  assertEquals(await home.in("gateway", "nft", "list", "tables"), "");
});

atHome("SET_ATTACH_DEVICE_BANDWIDTH slows real transfers in both directions", async (bench, home) => {
  await bench.ok("SET_ATTACH_DEVICE_BANDWIDTH", { MAC: PHONE, UsBandwidth: "2000", DsBandwidth: "2000" });
  assertEquals((await bench.ok("GET_ATTACH_DEVICE_BANDWIDTH", { MAC: PHONE })).UsBandwidth, "2000");
  // 350 kB beyond every burst take 1.4 seconds at 2 Mbit/s; being slower is never wrong on a busy machine.
  for (const direction of ["up", "down"] as const) {
    const took = await home.transfer("phone", direction, 500_000);
    assert(took >= 1400, `${direction} took ${took} ms`);
  }
  await bench.ok("SET_ATTACH_DEVICE_BANDWIDTH", { MAC: PHONE, UsBandwidth: "0", DsBandwidth: "0" });
  assert(!/htb/.test(await home.in("gateway", "tc", "qdisc", "show")));
  await home.in("phone", "ping", "-c", "1", SERVER_ADDRESS);
});

atHome("a machine without WiFi says so to every command about it", async (bench) => {
  for (
    const [cmdType, fields] of [
      ["GET_WIFI_INFO", {}],
      ["SET_WIFI_INFO", { SSID: "x" }],
      ["SET_WLAN_SSID_ENABLE", {}],
      ["SET_WLAN_SSID_DISABLE", {}],
      ["GET_WLAN_INTF_INFO", {}],
      ["GET_WLAN_ATTACH_INFO", {}],
      ["SET_HG_WIFI_TIMER", { StartTime: "08:00", EndTime: "09:00", Enable: "1" }],
      ["SET_HG_WIFI_TIMER_EX", { WifiTimer: "[]" }],
      ["WPS_ON", {}],
      ["WPS_OFF", {}],
      ["WPS_QY", {}],
    ] as const
  ) {
    const { status, reason } = await bench.ask(cmdType, { ...fields });
    assertEquals([cmdType, status], [cmdType, "1"]);
    assertMatch(reason, /there is no WiFi/, cmdType);
  }
});

Deno.test("a kernel without nftables or shaping refuses with the reason, and nothing is kept", async () => {
  const { unsupported } = await import("../../src/gateway/driver/mod.ts");
  const none = (program: string) => Promise.reject(unsupported(`there is no ${program} on this machine`));
  const bare = { run: none, output: none, json: none, read: none, list: none, write: none } as never;
  const driver = new LinuxDriver({ clock, runner: bare, lanInterfaces: ["br-lan"], hostapdFiles: [] });
  await using bench = await capabilityBench({ plugins: PLUGINS, driver });
  for (
    const [cmdType, fields] of [
      ["SET_ATTACH_DEVICE_RIGHT", { InternetAccessRight: "OFF" }],
      ["SET_ATTACH_DEVICE_BANDWIDTH", { UsBandwidth: "100" }],
      ["GET_LAN_NET_INFO", {}],
      ["GET_LAN_INFO2", {}],
    ] as const
  ) {
    const { status, reason } = await bench.ask(cmdType, { MAC: PHONE, ...fields });
    assertEquals([cmdType, status], [cmdType, "1"]);
    assertMatch(reason, /there is no (?:nft|tc|ip) on this machine/, cmdType);
  }
  assertEquals(await bench.ok("GET_ATTACH_DEVICE_RIGHT"), { MACList: "", StorageMACList: "" });
  // A name is only remembered: that every machine can.
  await bench.ok("SET_ATTACH_DEVICE_NAME", { MAC: PHONE, DevName: "Mobile" });
});

onAir("GET_WIFI_INFO and SET_WIFI_INFO read and change a running hostapd", async (bench, ap) => {
  const { PWD, ...rest } = await bench.ok("GET_WIFI_INFO", { SSIDIndex: "1" });
  // No radio, so nobody tells its power.
  assertEquals(rest, { SSID: "Home", ENCRYPT: "4", PowerLevel: "", Channel: "6", Enable: "1" });
  assertEquals(await decryptWifiPassword(PWD!, "LOID0001"), "secret123");
  const next = await encryptWifiPassword("next password", "LOID0001");
  await bench.ok("SET_WIFI_INFO", { SSIDIndex: "1", SSID: "Garten", PWD: next, ENCRYPT: "5", Channel: "11" });
  const now = await bench.ok("GET_WLAN_INTF_INFO", { SSIDIndex: "1" });
  assertEquals([now.SSID, now.ENCRYPT, now.Channel, now.Enable], ["Garten", "5", "11", "1"]);
  assert(Number(now.RECV) >= 0 && now.SEND !== "");
  assertMatch(await Deno.readTextFile(ap.conf), /^ssid=Garten\n(?:.*\n)*wpa_passphrase=next password$/m);
  const refused = await bench.ask("SET_WIFI_INFO", { SSIDIndex: "1", PowerLevel: "60" });
  assertEquals(refused.status, "1");
  assertEquals(await bench.ok("GET_WLAN_ATTACH_INFO"), { Num: "0", Info: "" });
});

onAir(
  "SET_WLAN_SSID_DISABLE and SET_WLAN_SSID_ENABLE take a real network off the air and bring it back",
  async (bench) => {
    const up = async () => (await bench.ok("SYSTEST")).WIFIModuleStatus;
    assertEquals(await up(), "ON");
    await bench.ok("SET_WLAN_SSID_DISABLE", { SSIDIndex: "1" });
    assertEquals([await up(), (await bench.ok("GET_WIFI_INFO")).Enable], ["OFF", "0"]);
    await bench.ok("SET_WLAN_SSID_ENABLE", { SSIDIndex: "1" });
    assertEquals([await up(), (await bench.ok("GET_WIFI_INFO")).Enable], ["ON", "1"]);
  },
);

onAir(
  "SET_HG_WIFI_TIMER and SET_HG_WIFI_TIMER_EX switch a real hostapd by the clock on the wall",
  async (bench) => {
    const up = async () => (await bench.ok("SYSTEST")).WIFIModuleStatus;
    const text = (hours: number) => `${String((hours + 24) % 24).padStart(2, "0")}:00`;
    // A window that begins in two hours at the earliest and is over before now comes again.
    const hour = new Date(clock.now()).getHours();
    const window = { StartTime: text(hour + 2), EndTime: text(hour + 3), ControlCycle: "DAY" };
    await bench.ok("SET_HG_WIFI_TIMER", { ...window, Enable: "1" });
    assertEquals(await up(), "OFF");
    await bench.ok("SET_HG_WIFI_TIMER", { ...window, Enable: "0" });
    assertEquals(await up(), "ON");
    const every = "1,2,3,4,5,6,7";
    const line = { Weekday: every, Time: text(hour - 1), Active: "0", Enable: "1" };
    await bench.ok("SET_HG_WIFI_TIMER_EX", { WifiTimer: [line] });
    assertEquals(await up(), "OFF");
    assertEquals((await bench.ask("GET_HG_WIFI_TIMER_EX")).rich.WifiTimer instanceof Array, true);
    await bench.ok("SET_HG_WIFI_TIMER_EX", { WifiTimer: [] });
    assertEquals(await up(), "ON");
  },
);

onAir("WPS_ON, WPS_QY and WPS_OFF press, watch and release the button of a real hostapd", async (bench) => {
  assertEquals((await bench.ok("WPS_QY")).WPSStatus, "IDLE");
  await bench.ok("WPS_ON", { SSID: "Home", Timeout: "60" });
  assertEquals((await bench.ok("WPS_QY")).WPSStatus, "ACTIVE");
  await bench.ok("WPS_OFF");
  assert((await bench.ok("WPS_QY")).WPSStatus !== "ACTIVE");
});

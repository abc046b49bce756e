/**
 * Identity, system, lines to the outside, diagnosis and service of the catalogue, over the simulated machine.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { FakeClock, seededRandom } from "../../src/base/mod.ts";
import { SimulatedDriver } from "../../src/gateway/driver/mod.ts";
import { ACTION_DELAY_MS } from "../../src/gateway/house/mod.ts";
import { md5Hex } from "../support/md5.ts";
import { type CapabilityBench, capabilityBench, PASSWORD, SHOWN } from "../support/capability_bench.ts";
import { startFileServer } from "../support/file_server.ts";

const PLUGINS = ["device-identity", "system-monitor", "diagnostics", "wan", "service"];
const simulated = (clock = new FakeClock(Date.UTC(2026, 10, 1, 12))) => {
  const driver = new SimulatedDriver({ clock, random: seededRandom(3) });
  return { clock, driver };
};

/** Asks again until the field says something else than RUNNING. */
async function ended(bench: CapabilityBench, cmdType: string, field: string, fields = {}) {
  for (;;) {
    const reply = await bench.ok(cmdType, fields);
    if (reply[field] !== "RUNNING") return reply;
  }
}

Deno.test("the simulated gateway says who it is, and that it is simulated", async () => {
  await using bench = await capabilityBench({ plugins: PLUGINS });
  assertEquals(await bench.ok("GET_SN_INFO", {}, "local"), {
    MAC: "64D95420214B",
    BussinessStatus: "SUCCESS",
  });
  assertEquals(await bench.ok("GET_HG_LOID"), { LOID: "LOID0001", CARD: "CARD7" });
  assertEquals(await bench.ok("GET_VERSION"), {
    Version: "1.0 (simulated)",
    Version1: "2.0",
    Version2: "B",
  });
  const right = await bench.ok("CHECK_PASSWD_PARAM", { PassWD: PASSWORD }, "local");
  const { devRnd } = JSON.parse(await Deno.readTextFile(`${bench.folder}/gateway.json`));
  assertEquals(right, {
    LOID: "LOID0001",
    SN: md5Hex(devRnd + "64D954-D6AEE64D95420214B"),
    CARD: "CARD7",
  });
  const wrong = await bench.ask("CHECK_PASSWD_PARAM", { PassWD: "wrong" }, "local");
  assertEquals([wrong.status, wrong.reason], ["1", "password err!"]);
});

Deno.test("each side may call only what is for it, and what asks for the password gets it", async () => {
  await using bench = await capabilityBench({ plugins: PLUGINS });
  for (
    const [cmdType, origin] of [
      ["GET_SN_INFO", "remote"],
      ["CHECK_PASSWD_PARAM", "remote"],
      ["QUERY_CPU_INFO", "local"],
      ["GET_HG_LOID", "local"],
      ["HG_COMMAND_REBOOT", "local"],
      ["UPGRADE", "local"],
      ["SET_REDIRECT_INFO", "local"],
    ] as const
  ) {
    const { status, reason } = await bench.ask(cmdType, {}, origin);
    assertEquals([status, reason], ["1", "NO_RIGHT_ACCESS"], cmdType);
  }
  for (
    const cmdType of ["GET_DEVICE_INFO_ALL", "GET_TRACEROUTE_RESULT", "HTTP_DOWNLOAD_REQUEST", "SET_HTTP_CFG"]
  ) {
    const fields = { URL: "http://speed.example/1" };
    assertEquals((await bench.ask(cmdType, fields, "local")).reason, "LOCAL_AUTH_FAIL", cmdType);
    assertEquals((await bench.ask(cmdType, { ...fields, ...SHOWN }, "local")).status, "0", cmdType);
    assertEquals((await bench.ask(cmdType, fields, "remote")).status, "0", cmdType);
  }
});

Deno.test("the simulated machine has load, memory, hardware, durations and a name", async () => {
  const { clock, driver } = simulated();
  await using bench = await capabilityBench({ plugins: PLUGINS, clock, driver });
  for (const cmdType of ["QUERY_CPU_INFO", "QUERY_MEM_INFO"]) {
    const percent = Number((await bench.ok(cmdType)).Percent);
    assert(percent > 0 && percent < 100, cmdType);
  }
  const info = await bench.ok("QUERY_SYSTEM_INFO");
  assertEquals(
    [info.DEVType, info.ProductCLass, info.UPLink, info.Cardno, info.LED, info.NFC, info.VLANbind],
    [
      "simulated",
      "Model",
      "GPON",
      "CARD7",
      "1",
      "1",
      "1",
    ],
  );
  await clock.advance(90_000);
  assertEquals(await bench.ok("GET_TIME_DURATION"), {
    SYSDuration: "90",
    PPPoEDuration: "90",
    PONDuration: "90",
  });
  const all = await bench.ok("GET_DEVICE_INFO_ALL");
  for (const [name, value] of Object.entries(info)) assertEquals(all[name], value, name);
  assertEquals([all.MAC, all.LOID, all.SYSDuration], ["64D95420214B", "LOID0001", "90"]);

  assertEquals((await bench.ok("GET_HG_DEV_NAME")).DevName, "simulated-gateway");
  await bench.ok("SET_HG_DEV_NAME", { DevName: " 客厅网关 " });
  assertEquals((await bench.ok("GET_HG_DEV_NAME")).DevName, "客厅网关");
  assertEquals((await bench.ok("QUERY_SYSTEM_INFO")).DevName, "客厅网关");
  assertEquals((await bench.ask("SET_HG_DEV_NAME", { DevName: "x".repeat(65) })).status, "1");
});

Deno.test("the simulated clock is set to what the wall shows, and to nothing that is no time", async () => {
  const { clock, driver } = simulated();
  await using bench = await capabilityBench({ plugins: PLUGINS, clock, driver });
  const wall = new Date(2026, 10, 2, 7, 30, 5).getTime();
  for (const Time of ["2026-11-02 07:30:05", "20261102073005", "2026-11-02T07:30:05"]) {
    await bench.ok("SET_HG_DATE_TIME_SYNC", { Time });
    assertEquals(driver.clockSet, wall, Time);
  }
  await bench.ok("SET_HG_DATE_TIME_SYNC", { Time: "2026-11-02T07:30:05+08:00" });
  assertEquals(driver.clockSet, Date.UTC(2026, 10, 1, 23, 30, 5));
  for (
    const Time of ["", "now", "2026-02-30 00:00:00", "2026-01-01 24:00:00", "1999-01-01 00:00:00", "1e9"]
  ) {
    assertEquals((await bench.ask("SET_HG_DATE_TIME_SYNC", { Time })).status, "1", Time);
  }
});

Deno.test("the simulated machine restarts and recovers after it answered, and does one thing at a time", async () => {
  const { clock, driver } = simulated();
  await using bench = await capabilityBench({ plugins: PLUGINS, clock, driver });
  await clock.advance(60_000);
  await bench.ok("HG_COMMAND_REBOOT");
  assertEquals((await bench.ok("GET_TIME_DURATION")).SYSDuration, "60", "answered, not done yet");
  assertMatch((await bench.ask("HG_LOCAL_RECOVERY")).reason, /reboot is about to begin/);
  await clock.advance(ACTION_DELAY_MS);
  assertEquals((await bench.ok("GET_TIME_DURATION")).SYSDuration, "0");

  await bench.ok("SET_HG_LED_INDICATOR_TIMER", { StartTime: "07:00", EndTime: "22:00", Enable: "1" });
  await bench.ok("SET_HG_DEV_NAME", { DevName: "mine" });
  await bench.ok("HG_LOCAL_RECOVERY");
  assertEquals((await bench.ok("GET_SERVICE")).LEDTimer, "1");
  await clock.advance(ACTION_DELAY_MS);
  while (bench.house.power.pending) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals((await bench.ok("GET_SERVICE")).LEDTimer, "0", "the app platform's own is restored");
  assertEquals((await bench.ok("GET_HG_DEV_NAME")).DevName, "mine", "what is shared is not");
  assertEquals(bench.recoveries, [], "the platform knows what it asked for");
  await bench.ask("HG_LOCAL_RECOVERY", {}, "remote", "control");
  await clock.advance(ACTION_DELAY_MS);
  while (bench.house.power.pending) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(bench.recoveries, ["control"]);
});

Deno.test("the simulated machine takes an upgrade that has the digest that was told, and no other", async () => {
  const { clock, driver } = simulated();
  await using files = startFileServer({ "/fw.bin": new Uint8Array(50_000).fill(7) });
  await using bench = await capabilityBench({ plugins: PLUGINS, clock, driver });
  const order = (upgrade_ID: string, digest: string) => ({
    downurl: `${files.url}/fw.bin`,
    mode: "1",
    method: "2",
    upgrade_ID,
    digest,
  });
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(50_000).fill(7)));
  assertEquals(
    (await bench.ok("UPGRADE", order("u1", `sha256:${"0".repeat(64)}`))).UpgradeStatus,
    "downloading",
  );
  await bench.house.upgrades.idle();
  assertMatch(bench.house.upgrades.status.reason, /another digest/);
  await clock.advance(30_000);
  await bench.ok("UPGRADE", order("u2", `sha256:${bytes.toHex()}`));
  await bench.house.upgrades.idle();
  const done = await bench.ok("UPGRADE", order("u2", `sha256:${bytes.toHex()}`));
  assertEquals([done.UpgradeStatus, done.Percent], ["succeeded", "100"]);
  assertEquals((await bench.ok("GET_TIME_DURATION")).SYSDuration, "0", "it restarted with it");
  for (const downurl of ["", "file:///etc/passwd", "no url"]) {
    assertEquals((await bench.ask("UPGRADE", { ...order("u3", ""), downurl })).status, "1", downurl);
  }
});

Deno.test("the simulated lines to the outside are told, dialled and registered", async () => {
  const { clock, driver } = simulated();
  await using bench = await capabilityBench({ plugins: PLUGINS, clock, driver });
  assertEquals(await bench.ok("QUERY_WAN_NUM"), {
    NUM: "2",
    Description: "1_TR069_R_VID_46,2_INTERNET_R_VID_41",
  });
  const internet = await bench.ok("QUERY_WAN_INFO");
  assertEquals(
    [internet.INDEX, internet.SERVICELIST, internet.CONNECTIONTYPE, internet.VLANID, internet["8021P"]],
    ["2", "INTERNET", "PPPoE_Routed", "41", "0"],
  );
  assertEquals([internet.PROTOCOL, internet.IP, internet.DNS], [
    "PPPoE",
    "100.64.0.2",
    "192.0.2.53,192.0.2.54",
  ]);
  assertEquals((await bench.ok("QUERY_WAN_INFO", { WANName: "1_TR069_R_VID_46" })).PROTOCOL, "DHCP");
  assertEquals((await bench.ok("QUERY_WAN_INFO", { WANName: "wan1" })).INDEX, "1");
  assertEquals((await bench.ask("QUERY_WAN_INFO", { WANName: "none" })).status, "1");

  let rate: Record<string, string> | undefined;
  const asked = bench.ok("QUERY_WAN_REALRATE").then((reply) => rate = reply);
  while (!rate) await clock.advance(50);
  await asked;
  assert(Number(rate.RealTimeRate) > 0 && Number(rate.DownRate) > Number(rate.UpRate));

  const dial = async (Account: string) => {
    await bench.ok("PPPOE_DIAL_REQUEST", { Account, Password: "secret" });
    return await bench.ok("PPPOE_DIAG_REQ");
  };
  const state = { ConnectionStatus: "Connected", WANStatus: "Up", DialReason: "" };
  assertEquals(await bench.ok("PPPOE_DIAG_REQ"), state);
  assertEquals(await dial("bad@example"), {
    ...state,
    ConnectionStatus: "Disconnected",
    DialReason: "AUTH_FAILED",
  });
  assertEquals((await bench.ok("QUERY_WAN_INFO")).STATUS, "Disconnected");
  assertEquals(await dial("home@example"), state);
  assertEquals((await bench.ask("PPPOE_DIAL_REQUEST", { Account: "home@example" })).status, "1");

  assertEquals(await bench.ok("GET_PON_STATUS"), { PonStatus: "UP", PonType: "GPON" });
  const optics = await bench.ok("GET_PONINFORM_REQ");
  assertEquals(Object.keys(optics), ["Temperature", "Vottage", "Current", "TXPower", "RXPower"]);
  assert(Number(optics.RXPower) < -14 && Number(optics.RXPower) > -27);

  assertEquals(await bench.ok("REGISTER_GETSTAT"), { RegisterStatus: "NONE", RegisterResult: "" });
  await bench.ok("REGISTER", { USERID: "bad1", PASSWORD: "x" });
  assertEquals((await bench.ok("REGISTER_GETSTAT")).RegisterStatus, "RUNNING");
  await clock.advance(1_000);
  assertEquals((await bench.ok("REGISTER_GETSTAT")).RegisterStatus, "FAIL");
  await bench.ok("REGISTER", { USERID: "LOID7", PASSWORD: "x" });
  await clock.advance(1_000);
  assertEquals((await bench.ok("REGISTER_GETSTAT")).RegisterStatus, "SUCCESS");
  assertEquals((await bench.ask("REGISTER", {})).status, "1");
});

Deno.test("the same seed makes the same simulated gateway, another seed another", async () => {
  const optics = async (seed: number) => {
    const clock = new FakeClock();
    await using driver = new SimulatedDriver({ clock, random: seededRandom(seed) });
    return [await driver.pon.optics(), await driver.pon.optics(), await driver.cpuPercent()];
  };
  assertEquals(await optics(1), await optics(1));
  assertNotEquals(await optics(1), await optics(2));
});

Deno.test("the simulated name servers are set and remembered, and names are redirected by a list", async () => {
  const { clock, driver } = simulated();
  await using files = startFileServer({
    "/list":
      "# the carrier's\n203.0.113.80 portal.example.com www.portal.example.com\n2001:db8::80\tsix.example.com\n",
    "/bad": "203.0.113.80 good.example.com\nserver=/x/ bad.example.com\n",
  });
  const http = {
    lookup: (_name: string, type: string) => Promise.resolve(type === "A" ? ["203.0.113.1"] : []),
    mayReach: (address: string) => address === "203.0.113.1",
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: files.port }),
  };
  await using bench = await capabilityBench({ plugins: PLUGINS, clock, driver, http });
  assertEquals(await bench.ok("GET_NETWORK_DNS"), { DNS1: "192.0.2.53", DNS2: "192.0.2.54" });
  await bench.ok("SET_NETWORK_DNS", { DNS1: "198.51.100.1", DNS2: "2001:db8::53" });
  assertEquals(await bench.ok("GET_NETWORK_DNS"), { DNS1: "198.51.100.1", DNS2: "2001:db8::53" });
  assertEquals((await bench.ask("SET_NETWORK_DNS", { DNS1: "8.8.8.8\nno-resolv" })).status, "1");
  await bench.ok("SET_NETWORK_DNS", {});
  assertEquals((await bench.ok("GET_NETWORK_DNS")).DNS1, "192.0.2.53");

  const look = (name: string, type: "A" | "AAAA" = "A") => driver.diagnosis.lookup(name, type);
  assertEquals(await bench.ok("SET_REDIRECT_INFO", { downurl: "http://lists.example/list" }), { Num: "3" });
  assertEquals(await look("portal.example.com"), ["203.0.113.80"]);
  assertEquals(await look("deep.www.portal.example.com"), ["203.0.113.80"]);
  assertEquals(await look("six.example.com", "AAAA"), ["2001:db8::80"]);
  const bad = await bench.ask("SET_REDIRECT_INFO", { downurl: "http://lists.example/bad" });
  assertMatch(bad.reason, /line 2/);
  assertEquals(await look("portal.example.com"), ["203.0.113.80"], "what was there stays");
  assertEquals(await bench.ok("SET_REDIRECT_INFO", { downurl: "" }), { Num: "0" });
  assertEquals(await look("portal.example.com"), ["192.0.2.9"]);
});

Deno.test("the simulated network is pinged, traced, measured and reported", async () => {
  await using files = startFileServer({ "/big": new Uint8Array(300_000) });
  const http = {
    lookup: (_name: string, type: string) => Promise.resolve(type === "A" ? ["203.0.113.1"] : []),
    mayReach: (address: string) => address === "203.0.113.1",
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: files.port }),
  };
  await using bench = await capabilityBench({ plugins: PLUGINS, http });
  assertEquals((await bench.ok("GET_PING_RESULT")).PingStatus, "NONE");
  await bench.ok("PING_DIAG_REQ", {
    Dest: "host.example",
    WANName: "2_INTERNET_R_VID_41",
    time: "3",
    leng: "64",
  });
  const ping = await ended(bench, "GET_PING_RESULT", "PingStatus");
  assertMatch(ping.PingResult!, /^3 sent, 3 received, 0% lost/);
  assertEquals((await bench.ask("PING_DIAG_REQ", { Dest: "x", WANName: "nowhere" })).status, "1");

  await bench.ok("TRACEROUTE_DIAG_REQ", { Dest: "host.example" });
  const trace = await ended(bench, "GET_TRACEROUTE_RESULT", "TraceStatus");
  assertEquals(trace, {
    TraceStatus: "SUCCESS",
    TraceResult: "1 100.64.0.1 2 ms; 2 192.0.2.1 4 ms; 3 192.0.2.9 6 ms",
  });
  assertEquals((await bench.ok("INFORM_DIAG_REQ")).InformStatus, "SUCCESS");

  assertEquals(
    (await bench.ask("HTTP_DOWNLOAD_REQUEST", { Method: "START" })).status,
    "1",
    "no address is set",
  );
  assertEquals((await bench.ask("SET_HTTP_CFG", { URL: "ftp://x/y" })).status, "1");
  await bench.ok("SET_HTTP_CFG", { URL: "http://speed.example/big" });
  await bench.ok("HTTP_DOWNLOAD_REQUEST", { Method: "START", Time: "5" });
  const speed = await ended(bench, "HTTP_DOWNLOAD_REQUEST", "HttpStatus", { Method: "QUERY" });
  assertEquals([speed.HttpStatus, speed.Bytes], ["SUCCESS", "300000"]);
  assert(Number(speed.Rate) > 0);
});

Deno.test("what a phone on the LAN sets is the phone's, and what the platform sets is the platform's", async () => {
  await using bench = await capabilityBench({
    plugins: ["system-monitor", "lan", "wifi", "service"],
  });
  const name = "InternetGatewayDevice.DeviceInfo.X_GATEHOUSE_Name";
  const written = (name: string) => bench.tree.stamp(name)!.source;
  for (const [origin, source] of [["local", "local"], ["remote", "app"]] as const) {
    await bench.ok("SET_HG_DEV_NAME", { DevName: origin }, origin);
    assertEquals(written(name), source);
    await bench.ok("SET_ATTACH_DEVICE_RIGHT", { MAC: "02005E005303", InternetAccessRight: "OFF" }, origin);
    assertEquals(written("InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.1.InternetAccess"), source);
    const timer = { StartTime: "08:00", EndTime: "22:00", ControlCycle: "DAY", Enable: "1" };
    await bench.ok("SET_HG_WIFI_TIMER", timer, origin);
    assertEquals(written("InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.StartTime"), source);
    await bench.ok("SET_HG_LED_INDICATOR_TIMER", timer, origin);
    assertEquals(written("InternetGatewayDevice.X_GATEHOUSE_LEDTimer.StartTime"), source);
  }
});

Deno.test("the simulated telephone lines, lights and sleep are told and switched", async () => {
  const clock = new FakeClock(new Date(2026, 10, 2, 6).getTime());
  const { driver } = simulated(clock);
  await using bench = await capabilityBench({ plugins: PLUGINS, clock, driver });
  const info = await bench.ask("GET_VOIP_INFO");
  assertEquals([info.fields.Num, (info.rich.Info as unknown[]).length], ["2", 2]);
  const lines = (await bench.ask("GET_VOIP_REG_STATUS")).rich.Info as { Status: string }[];
  assertEquals(lines.map(({ Status }) => Status), ["Up", "Disabled"]);

  const led = async () => (await bench.ok("GET_SERVICE")).LED;
  assertEquals(await led(), "1");
  assertEquals((await bench.ok("GET_SERVICE")).wifi, "1");
  const window = { enabled: false, start: "07:00", end: "22:00", cycle: "1,7" };
  await bench.house.wifiTimer.setWindow(window, "app");
  const { wifiTimer, wifiStartTime, wifiEndTime, wifiControlCycle } = await bench.ok("GET_SERVICE");
  assertEquals([wifiTimer, wifiStartTime, wifiEndTime, wifiControlCycle], ["0", "07:00", "22:00", "1,7"]);
  await bench.ok("SET_LED_STATUS", { Action: "0" });
  assertEquals(await led(), "0");
  await bench.ok("SET_LED_STATUS", { Action: "1" });
  assertEquals((await bench.ask("SET_LED_STATUS", { Action: "2" })).status, "1");

  const timer = { StartTime: "7:00", EndTime: "22:30", ControlCycle: "1,2,3,4,5", Enable: "1" };
  await bench.ok("SET_HG_LED_INDICATOR_TIMER", timer);
  assertEquals(await led(), "0", "six in the morning of a Monday");
  await clock.advance(61 * 60_000);
  assertEquals(await led(), "1");
  await clock.advance(16 * 3_600_000);
  assertEquals(await led(), "0");
  const service = await bench.ok("GET_SERVICE");
  assertEquals([service.LEDStartTime, service.LEDEndTime, service.LEDControlCycle], [
    "07:00",
    "22:30",
    "1,2,3,4,5",
  ]);
  for (const wrong of [{ StartTime: "25:00" }, { ControlCycle: "8" }, { Enable: "maybe" }, { EndTime: "" }]) {
    assertEquals((await bench.ask("SET_HG_LED_INDICATOR_TIMER", { ...timer, ...wrong })).status, "1");
  }
  await bench.ok("SET_HG_LED_INDICATOR_TIMER", { ...timer, Enable: "0" });
  assertEquals(await led(), "1", "no timer, and it is light again");

  assertEquals(await bench.ok("GET_SLEEP_STATUS"), { Action: "0", SLEEPTimer: "0" });
  await bench.ok("SET_SLEEP_STATUS", { Action: "1", SLEEPTimer: "10" });
  assertEquals(await bench.ok("GET_SLEEP_STATUS"), { Action: "1", SLEEPTimer: "10" });
  assertEquals((await bench.ok("GET_SERVICE")).HGWSLEEP, "0");
  await clock.advance(600_000);
  assertEquals((await bench.ok("GET_SERVICE")).HGWSLEEP, "1");
  await bench.ok("SET_SLEEP_STATUS", { Action: "0" });
  assertEquals(await bench.ok("GET_SLEEP_STATUS"), { Action: "0", SLEEPTimer: "0" });
  assertEquals((await bench.ask("SET_SLEEP_STATUS", { Action: "1", SLEEPTimer: "2000" })).status, "1");
});

/**
 * What of the catalogue depends on a box's own hardware or on its maker: over a /sys that the test writes, with the
 * real `cat`, `ls` and `tee`, and over programs of the test's own in the place of the vendor's command, the operator's
 * commands and OpenWrt's `ubus` and `uci`.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { systemClock } from "../../src/base/mod.ts";
import { LinuxDriver, SystemRunner } from "../../src/gateway/driver/mod.ts";
import { capabilityBench } from "../support/capability_bench.ts";
import { startFileServer } from "../support/file_server.ts";
import { unless, without } from "../support/namespaces.ts";

const PLUGINS = ["device-identity", "system-monitor", "diagnostics", "wan", "service"];
const clock = systemClock;

/** A folder with files and programs (those whose text begins with `#!`). */
async function box(files: Record<string, string>) {
  const root = await Deno.makeTempDir({ prefix: "gatehouse-box-" });
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${root}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(root + path, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
  }
  return {
    root,
    read: (path: string) => Deno.readTextFile(root + path),
    exists: (path: string) => Deno.stat(root + path).then(() => true, () => false),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

const eventually = async (what: () => Promise<boolean>) => {
  while (!await what()) await new Promise((resolve) => setTimeout(resolve, 10));
};

Deno.test("lights go out and on again by what the kernel offers, also after a restart in the dark", async () => {
  await using files = await box({
    "/sys/class/leds/power/trigger": "none timer [default-on] netdev\n",
    "/sys/class/leds/power/brightness": "255\n",
    "/sys/class/leds/wan/trigger": "none timer default-on [netdev]\n",
    "/sys/class/leds/wan/brightness": "0\n",
    "/sys/class/leds/usb/trigger": "[none] timer\n",
    "/sys/class/leds/usb/brightness": "0\n",
    "/data/x": "",
  });
  const driver = () =>
    new LinuxDriver({
      clock,
      runner: new SystemRunner({ clock, root: files.root }),
      dataDir: `${files.root}/data`,
    });
  const led = (name: string, file: string) => files.read(`/sys/class/leds/${name}/${file}`);
  {
    await using bench = await capabilityBench({ plugins: PLUGINS, driver: driver() });
    assertEquals((await bench.ok("GET_SERVICE")).LED, "1");
    await bench.ok("SET_LED_STATUS", { Action: "0" });
    assertEquals([await led("power", "trigger"), await led("power", "brightness")], ["none", "0"]);
    assertEquals([await led("wan", "trigger"), await led("usb", "trigger")], ["none", "[none] timer\n"]);
    // As the kernel writes it back.
    for (const name of ["power", "wan"]) {
      await Deno.writeTextFile(
        `${files.root}/sys/class/leds/${name}/trigger`,
        "[none] timer default-on netdev\n",
      );
    }
    assertEquals((await bench.ok("GET_SERVICE")).LED, "0");
  }
  await using bench = await capabilityBench({ plugins: PLUGINS, driver: driver() });
  await bench.ok("SET_LED_STATUS", { Action: "1" });
  assertEquals([await led("power", "trigger"), await led("wan", "trigger")], ["default-on", "netdev"]);
  assertEquals(await led("usb", "brightness"), "0\n", "what was dark stays dark");
  // A timer that says that it is night puts them out at once, and taken back lights them again.
  const inHours = (hours: number) => {
    const at = new Date(Date.now() + hours * 3_600_000);
    return `${at.getHours()}:${String(at.getMinutes()).padStart(2, "0")}`;
  };
  const night = { StartTime: inHours(2), EndTime: inHours(4) };
  await Deno.writeTextFile(`${files.root}/sys/class/leds/power/trigger`, "none timer [default-on]\n");
  await bench.ok("SET_HG_LED_INDICATOR_TIMER", { ...night, Enable: "1" });
  assertEquals(await led("power", "trigger"), "none");
  await bench.ok("SET_HG_LED_INDICATOR_TIMER", { ...night, Enable: "0" });
  assertEquals(await led("power", "trigger"), "default-on");
});

Deno.test("a pluggable optical module is read by the kernel's sensors", async () => {
  const at = "/sys/class/hwmon/hwmon1";
  await using files = await box({
    "/sys/class/hwmon/hwmon0/name": "coretemp\n",
    "/sys/class/hwmon/hwmon0/temp1_input": "99000\n",
    [`${at}/name`]: "sfp\n",
    [`${at}/temp1_input`]: "41500\n",
    [`${at}/in0_input`]: "3284\n",
    [`${at}/curr1_input`]: "12\n",
    [`${at}/power1_label`]: "TX_power\n",
    [`${at}/power1_input`]: "1585\n",
    [`${at}/power2_label`]: "RX_power\n",
    [`${at}/power2_input`]: "13\n",
    "/sys/class/net/sfp0/carrier": "1\n",
    "/bin/ip": `#!/bin/sh\necho '[{"dst":"default","gateway":"198.18.0.1","dev":"sfp0","flags":[]}]'\n`,
  });
  const runner = new SystemRunner({ clock, root: files.root, paths: { ip: `${files.root}/bin/ip` } });
  await using bench = await capabilityBench({ plugins: PLUGINS, driver: new LinuxDriver({ clock, runner }) });
  assertEquals(await bench.ok("GET_PONINFORM_REQ"), {
    Temperature: "41.50",
    Vottage: "3.28",
    Current: "12.00",
    TXPower: "2.00",
    RXPower: "-18.86",
  });
  assertEquals(await bench.ok("GET_PON_STATUS"), { PonStatus: "UP", PonType: "SFP" });
  await Deno.writeTextFile(`${files.root}/sys/class/net/sfp0/carrier`, "0\n");
  assertEquals((await bench.ok("GET_PON_STATUS")).PonStatus, "DOWN");
  await Deno.writeTextFile(`${files.root}${at}/power2_input`, "0\n");
  assertEquals((await bench.ok("GET_PONINFORM_REQ")).RXPower, "", "no light has no level");
});

const VENDOR = `#!/bin/sh
cd "$(dirname "$0")"
read -r input
echo "$input" > "$1.asked"
case "$1" in
pon-status) echo '{"up":true,"kind":"GPON","uptimeSeconds":77}';;
pon-optics) echo '{"temperature":40,"rxPower":-20.5}';;
pon-register) echo running > registration;;
pon-registration) if [ -f registration ]; then echo '{"state":"succeeded"}'; else echo '{"state":"none"}'; fi;;
pppoe-dial) echo '{}';;
pppoe-status) echo '{"link":true,"connected":false,"reason":"AUTH_FAILED"}';;
voip-lines) echo '{"lines":[{"line":1,"enabled":true,"number":"+8621","server":"ims","registration":"failed","reason":"403"}]}';;
nfc-status) echo '{"on":true}';;
sleep) case "$input" in *true*) echo asleep > asleep;; *) rm -f asleep;; esac;;
sleep-status) if [ -f asleep ]; then echo '{"on":true}'; else echo '{"on":false}'; fi;;
inform) echo '{"ok":false,"text":"the ITMS did not answer"}';;
*) exit 3;;
esac
`;

Deno.test("the vendor's command tells and does what Linux has no common way for", async () => {
  await using files = await box({ "/vendor": VENDOR });
  const driver = new LinuxDriver({ clock, vendorCommand: [`${files.root}/vendor`] });
  await using bench = await capabilityBench({ plugins: PLUGINS, driver });
  assertEquals(await bench.ok("GET_PON_STATUS"), { PonStatus: "UP", PonType: "GPON" });
  assertEquals((await bench.ok("GET_PONINFORM_REQ")).RXPower, "-20.50");
  assertEquals((await bench.ok("GET_TIME_DURATION")).PONDuration, "77");
  assertEquals((await bench.ok("REGISTER_GETSTAT")).RegisterStatus, "NONE");
  await bench.ok("REGISTER", { USERID: "LOID1", PASSWORD: "it's secret" });
  assertEquals(JSON.parse(await files.read("/pon-register.asked")), {
    user: "LOID1",
    password: "it's secret",
  });
  assertEquals((await bench.ok("REGISTER_GETSTAT")).RegisterStatus, "SUCCESS");
  await bench.ok("PPPOE_DIAL_REQUEST", { Account: "a@b", Password: "p $(id)" });
  assertEquals(JSON.parse(await files.read("/pppoe-dial.asked")), { account: "a@b", password: "p $(id)" });
  assertEquals(await bench.ok("PPPOE_DIAG_REQ"), {
    ConnectionStatus: "Disconnected",
    WANStatus: "Up",
    DialReason: "AUTH_FAILED",
  });
  assertEquals((await bench.ask("GET_VOIP_INFO")).rich.Info, [
    { Line: "1", Enable: "1", Number: "+8621", Server: "ims", Protocol: "" },
  ]);
  assertEquals((await bench.ask("GET_VOIP_REG_STATUS")).rich.Info, [{
    Line: "1",
    Status: "Error",
    Reason: "403",
  }]);
  assertEquals((await bench.ok("GET_SERVICE")).NFC, "1");
  assertEquals(await bench.ok("GET_SLEEP_STATUS"), { Action: "0", SLEEPTimer: "0" });
  await bench.ok("SET_SLEEP_STATUS", { Action: "1" });
  assertEquals(await bench.ok("GET_SLEEP_STATUS"), { Action: "1", SLEEPTimer: "0" });
  assertEquals((await bench.ok("GET_SERVICE")).HGWSLEEP, "1");
  assertEquals(await bench.ok("INFORM_DIAG_REQ"), {
    InformStatus: "FAIL",
    InformResult: "the ITMS did not answer",
  });
  assertMatch((await bench.ask("SET_LED_STATUS", { Action: "0" })).reason, /has no way to switch lights/);
});

Deno.test("a vendor's command that answers nonsense, too much, or not at all is a reason and no more", async () => {
  for (
    const [script, reason] of [
      ["echo no json", /no JSON/],
      [`echo '{"lines":[{"line":"one"}]}'`, /lines\.0\.line/],
      [`echo '{"lines":{}}'`, /lines/],
      [`echo '[]'`, /vendor's command/],
      ["yes '{' | head -c 3000000", /no JSON/],
      ["echo 'the DSP is gone' >&2; exit 1", /^the DSP is gone$/],
      ["exit 1", /ended with 1/],
    ] as const
  ) {
    await using files = await box({ "/vendor": `#!/bin/sh\n${script}\n` });
    const driver = new LinuxDriver({ clock, vendorCommand: [`${files.root}/vendor`] });
    await using bench = await capabilityBench({ plugins: ["service"], driver });
    const { status, reason: why } = await bench.ask("GET_VOIP_INFO");
    assertEquals(status, "1", script);
    assertMatch(why, reason, script);
  }
});

Deno.test("the operator's commands restart, recover and upgrade the machine, after the answer", async () => {
  await using files = await box({
    "/act": `#!/bin/sh\necho "$@" > "$0.$1"\n`,
    "/upgrade": `#!/bin/sh\ncat > "$0.input"\ncp "$2" "$0.took"\necho "$1" > "$0.flag"\n`,
  });
  await using server = startFileServer({ "/fw": new Uint8Array(300_000).fill(9), "/empty": "" });
  const act = `${files.root}/act`;
  const driver = new LinuxDriver({
    clock,
    commands: {
      reboot: [act, "reboot", "now"],
      recover: [act, "recover"],
      upgrade: [`${files.root}/upgrade`, "-F"],
    },
  });
  await using bench = await capabilityBench({ plugins: PLUGINS, driver });
  await bench.ok("HG_COMMAND_REBOOT");
  assertEquals(await files.exists("/act.reboot"), false, "answered first");
  await eventually(() => files.exists("/act.reboot"));
  assertEquals(await files.read("/act.reboot"), "reboot now\n");
  await eventually(() => Promise.resolve(bench.house.power.pending === undefined));
  await bench.ok("HG_LOCAL_RECOVERY");
  await eventually(() => files.exists("/act.recover"));

  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(300_000).fill(9)))
    .toHex();
  const order = {
    downurl: `${server.url}/fw`,
    mode: "1",
    method: "0",
    upgrade_ID: "7",
    digest: `sha256:${digest}`,
  };
  await bench.ok("UPGRADE", order);
  await bench.house.upgrades.idle();
  assertEquals((await bench.ok("UPGRADE", order)).UpgradeStatus, "succeeded");
  assertEquals((await Deno.readFile(`${files.root}/upgrade.took`)).length, 300_000);
  assertEquals(await files.read("/upgrade.flag"), "-F\n");
  assertEquals(JSON.parse(await files.read("/upgrade.input")), { mode: "1", method: "0" });
  for (const [path, reason] of [["/none", /404/], ["/empty", /empty/]] as const) {
    await bench.ok("UPGRADE", { downurl: server.url + path, upgrade_ID: path });
    await bench.house.upgrades.idle();
    assertMatch((await bench.house.upgrades.status).reason, reason);
  }
});

Deno.test({
  ...unless(
    "the clock is set by `date`, and a machine that may not says so",
    await without("unshare", "date"),
  ),
  async fn() {
    await using files = await box({ "/date": `#!/bin/sh\nprintf '%s|' "$@" > "$0.args"\n` });
    const paths = { date: `${files.root}/date` };
    const driver = new LinuxDriver({ clock, runner: new SystemRunner({ clock, paths }) });
    await using bench = await capabilityBench({ plugins: ["system-monitor"], driver });
    await bench.ok("SET_HG_DATE_TIME_SYNC", { Time: "2026-11-02T07:30:05Z" });
    assertEquals(await files.read("/date.args"), "-u|-s|2026-11-02 07:30:05|");
    // The real one, where nobody may set a clock: the present time, should it be possible after all.
    const bound = new LinuxDriver({
      clock,
      runner: new SystemRunner({ clock, within: ["unshare", "--user"] }),
    });
    await using real = await capabilityBench({ plugins: ["system-monitor"], driver: bound });
    const now = new Date().toISOString().slice(0, 19) + "Z";
    const { status, reason } = await real.ask("SET_HG_DATE_TIME_SYNC", { Time: now });
    assertEquals([status, /not permitted|unshare/.test(reason)], ["1", true], reason);
  },
});

/** A `ubus` and a `uci` that remember: what is set is in the next dump. */
const UBUS = `#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >> ubus.log
case "$2.$3" in
network.interface.dump)
  user=$(sed -n "s/^set network.wan.username='\\(.*\\)'$/\\1/p" settings 2>/dev/null | tail -1)
  dns=$(sed -n "s/^add_list network.wan.dns='\\(.*\\)'$/\\"\\1\\"/p" settings 2>/dev/null | paste -sd,)
  if [ "$user" = wrong ]; then up=false; error='{"subsystem":"pppoe","code":"AUTH_FAILED"}'; else up=true; error=; fi
  cat <<END
{"interface":[
 {"interface":"lan","up":true,"uptime":900,"l3_device":"br-lan","device":"br-lan","proto":"static","ipv4-address":[{"address":"192.168.1.1","mask":24}],"route":[],"dns-server":[]},
 {"interface":"wan","up":$up,"uptime":321,"l3_device":"pppoe-wan","device":"eth1","proto":"pppoe",
  "ipv4-address":[{"address":"100.64.3.4","mask":32}],"ipv6-address":[],
  "route":[{"target":"0.0.0.0","mask":0,"nexthop":"100.64.3.1","source":"0.0.0.0/0"}],
  "dns-server":[\${dns:-"\\"198.51.100.53\\""}],"errors":[$error]}]}
END
  ;;
esac
`;
const IP = `#!/bin/sh
case "$*" in
*address*) echo '[{"ifname":"eth1","flags":["UP","LOWER_UP"],"operstate":"UP","link_type":"ether","address":"02:00:00:00:00:01","addr_info":[]},{"ifname":"pppoe-wan","flags":["UP","LOWER_UP"],"operstate":"UNKNOWN","link_type":"ppp","linkinfo":{"info_kind":"ppp"},"addr_info":[]}]';;
*) echo '[]';;
esac
`;

Deno.test("on OpenWrt connections, dialling and name servers go by its own network manager", async () => {
  await using files = await box({
    "/ubus": UBUS,
    "/uci": `#!/bin/sh\ncat >> "$(dirname "$0")/settings"\n`,
    "/ip": IP,
  });
  const paths = Object.fromEntries(["ubus", "uci", "ip"].map((name) => [name, `${files.root}/${name}`]));
  const driver = new LinuxDriver({ clock, runner: new SystemRunner({ clock, paths }) });
  await using bench = await capabilityBench({ plugins: PLUGINS, driver });
  assertEquals(await bench.ok("QUERY_WAN_NUM"), { NUM: "1", Description: "1_INTERNET_R" });
  const wan = await bench.ok("QUERY_WAN_INFO");
  assertEquals(
    [wan.PROTOCOL, wan.IP, wan.GATEWAY, wan.DNS, wan.UPTIME, wan.MAC],
    ["PPPoE", "100.64.3.4", "100.64.3.1", "198.51.100.53", "321", "02:00:00:00:00:01"],
  );
  assertEquals((await bench.ok("GET_TIME_DURATION")).PPPoEDuration, "321");
  await bench.ok("PPPOE_DIAL_REQUEST", { Account: "wrong", Password: "pass word" });
  assertEquals(await bench.ok("PPPOE_DIAG_REQ"), {
    ConnectionStatus: "Disconnected",
    WANStatus: "Up",
    DialReason: "AUTH_FAILED",
  });
  await bench.ok("PPPOE_DIAL_REQUEST", { Account: "home@isp", Password: "pass word" });
  assertEquals((await bench.ok("PPPOE_DIAG_REQ")).ConnectionStatus, "Connected");
  assertMatch(await files.read("/settings"), /set network\.wan\.password='pass word'\ncommit network\n/);
  assertMatch(
    await files.read("/ubus.log"),
    /call network\.interface\.wan down\ncall network\.interface\.wan up/,
  );
  for (const Password of ["it's", "a\nset x.y='z", "back\\slash"]) {
    assertEquals((await bench.ask("PPPOE_DIAL_REQUEST", { Account: "a", Password })).status, "1", Password);
  }
  await bench.ok("SET_NETWORK_DNS", { DNS1: "203.0.113.53", DNS2: "203.0.113.54" });
  assertEquals(await bench.ok("GET_NETWORK_DNS"), { DNS1: "203.0.113.53", DNS2: "203.0.113.54" });
  assertEquals((await files.read("/settings")).includes("set x.y"), false);
  assertMatch((await bench.ask("SET_REDIRECT_INFO", { downurl: "" })).reason, /--dnsmasq-dir/);
});

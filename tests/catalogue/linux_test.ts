/**
 * Identity, system, diagnosis and lines to the outside of the catalogue, on the real Linux system: this machine itself,
 * and machines in network namespaces.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { systemClock } from "../../src/base/mod.ts";
import { LinuxDriver, SystemRunner } from "../../src/gateway/driver/mod.ts";
import { type CapabilityBench, capabilityBench, SHOWN } from "../support/capability_bench.ts";
import { startFileServer } from "../support/file_server.ts";
import { Namespaces, unless, without, withoutNamespaces } from "../support/namespaces.ts";

const PLUGINS = ["device-identity", "system-monitor", "diagnostics", "wan", "service"];
const clock = systemClock;
const namespaces = await withoutNamespaces();
const programs = await without("ping", "dnsmasq", "ip");

async function ended(bench: CapabilityBench, cmdType: string, field: string, fields = {}) {
  for (;;) {
    const reply = await bench.ok(cmdType, fields);
    if (reply[field] !== "RUNNING") return reply;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A driver whose programs run in a namespace. */
function driverIn(
  within: readonly string[],
  more: Partial<ConstructorParameters<typeof LinuxDriver>[0]> = {},
) {
  return new LinuxDriver({ clock, runner: new SystemRunner({ clock, within }), ...more });
}

/** A home with a line to a carrier, and a host behind the carrier's router. */
async function carrier() {
  const spaces = new Namespaces();
  const [home, router, host] = [
    await spaces.make("home"),
    await spaces.make("isp"),
    await spaces.make("host"),
  ];
  await spaces.cable([home, "wan0", "198.18.0.2/24"], [router, "cust0", "198.18.0.1/24"]);
  await spaces.cable([router, "core0", "198.18.1.1/24"], [host, "eth0", "198.18.1.9/24"]);
  await home.run("ip", "route", "add", "default", "via", "198.18.0.1");
  await host.run("ip", "route", "add", "default", "via", "198.18.1.1");
  await router.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
  return { spaces, home, router, host };
}

Deno.test("this machine tells its load, memory, hardware and durations, and that it is no simulation", async () => {
  await using bench = await capabilityBench({ plugins: PLUGINS, driver: new LinuxDriver({ clock }) });
  assertEquals((await bench.ok("GET_SN_INFO", {}, "local")).MAC, "64D95420214B");
  assertEquals((await bench.ok("CHECK_PASSWD_PARAM", { PassWD: SHOWN.PASSWORD }, "local")).LOID, "LOID0001");
  assertEquals((await bench.ok("GET_HG_LOID")).LOID, "LOID0001");
  assertEquals((await bench.ok("GET_VERSION")).Version, "1.0");
  for (const cmdType of ["QUERY_CPU_INFO", "QUERY_MEM_INFO"]) {
    assertMatch((await bench.ok(cmdType)).Percent!, /^\d{1,3}$/, cmdType);
  }
  const meminfo = await new Deno.Command("cat", { args: ["/proc/meminfo"] }).output();
  const total = /MemTotal:\s+(\d+)/.exec(new TextDecoder().decode(meminfo.stdout))![1];
  const info = await bench.ok("QUERY_SYSTEM_INFO");
  assertEquals([info.RamSize, info.DEVType, info.DevName], [total, "", Deno.hostname()]);
  assertEquals(info.UPLink, "Ethernet");
  const { SYSDuration, PONDuration } = await bench.ok("GET_TIME_DURATION");
  assert(Math.abs(Number(SYSDuration) - Deno.osUptime()) < 30);
  assertEquals(PONDuration, "", "there is no fibre");
  const all = await bench.ok("GET_DEVICE_INFO_ALL", SHOWN, "local");
  assertEquals([all.RamSize, all.MAC], [total, "64D95420214B"]);
  const service = await bench.ok("GET_SERVICE");
  assertEquals([service.NFC, service.HGWSLEEP, service.LEDTimer], ["", "", "0"], "there is none");
  await bench.ok("SET_HG_DEV_NAME", { DevName: "cellar" });
  assertEquals((await bench.ok("GET_HG_DEV_NAME")).DevName, "cellar");
});

Deno.test("what this machine does not have is refused with the reason, never made up", async () => {
  await using bench = await capabilityBench({ plugins: PLUGINS, driver: new LinuxDriver({ clock }) });
  for (
    const [cmdType, fields, reason] of [
      ["HG_COMMAND_REBOOT", {}, /--reboot-command/],
      ["UPGRADE", { downurl: "http://x.example/f" }, /--upgrade-command/],
      ["GET_VOIP_INFO", {}, /--vendor-command/],
      ["GET_VOIP_REG_STATUS", {}, /--vendor-command/],
      ["REGISTER", { USERID: "u", PASSWORD: "p" }, /--vendor-command/],
      ["REGISTER_GETSTAT", {}, /--vendor-command/],
      ["PPPOE_DIAL_REQUEST", { Account: "a", Password: "b" }, /--vendor-command/],
      ["INFORM_DIAG_REQ", {}, /--vendor-command/],
      ["SET_NETWORK_DNS", { DNS1: "198.51.100.1" }, /--dnsmasq-dir/],
      ["SET_SLEEP_STATUS", { Action: "1" }, /does not sleep/],
      ["GET_SLEEP_STATUS", {}, /does not sleep/],
    ] as const
  ) {
    const { status, reason: why } = await bench.ask(cmdType, fields);
    assertEquals(status, "1", cmdType);
    assertMatch(why, reason, cmdType);
  }
});

Deno.test({
  ...unless(
    "the lines to the outside of a machine are told as they are, and change with it",
    namespaces ?? programs,
  ),
  async fn() {
    const { spaces, home } = await carrier();
    await using _ = spaces;
    await using bench = await capabilityBench({ plugins: PLUGINS, driver: driverIn(home.within) });
    assertEquals(await bench.ok("QUERY_WAN_NUM"), { NUM: "1", Description: "1_INTERNET_R" });
    const static_ = await bench.ok("QUERY_WAN_INFO");
    assertEquals(
      [static_.IP, static_.GATEWAY, static_.PROTOCOL, static_.STATUS, static_.CONNECTIONTYPE, static_.VLANID],
      ["198.18.0.2", "198.18.0.1", "STATIC", "Connected", "IP_Routed", ""],
    );
    const mac = /link\/ether (\S+)/.exec(await home.run("ip", "link", "show", "wan0"))![1]!;
    assertEquals(static_.MAC, mac.toUpperCase());
    await home.run("ip", "address", "flush", "dev", "wan0");
    await home.run(..."ip address add 198.18.0.7/24 dev wan0 valid_lft 600 preferred_lft 600".split(" "));
    await home.run("ip", "route", "add", "default", "via", "198.18.0.1");
    const leased = await bench.ok("QUERY_WAN_INFO", { WANName: "wan0" });
    assertEquals([leased.IP, leased.PROTOCOL], ["198.18.0.7", "DHCP"]);
    await home.run("ip", "route", "del", "default");
    assertEquals((await bench.ok("QUERY_WAN_NUM")).NUM, "0");
    assertMatch((await bench.ask("QUERY_WAN_REALRATE")).reason, /no connection to the internet/);
    assertMatch((await bench.ask("PPPOE_DIAG_REQ")).reason, /no common way to tell how dialling goes/);

    await using named = await capabilityBench({
      plugins: PLUGINS,
      driver: driverIn(home.within, { wanInterfaces: ["wan0"] }),
    });
    assertEquals((await named.ok("QUERY_WAN_INFO")).STATUS, "Connected", "named: told without a route");
    await home.run("ip", "link", "set", "wan0", "down");
    assertEquals((await named.ok("QUERY_WAN_INFO")).STATUS, "Disconnected");
    assertMatch((await named.ask("GET_PON_STATUS")).reason, /no optical module/);
    assertMatch((await named.ask("GET_PONINFORM_REQ")).reason, /no optical module/);
  },
});

Deno.test({
  ...unless("the real-time rate is what goes through the interface", namespaces ?? programs),
  async fn() {
    const { spaces, home } = await carrier();
    await using _ = spaces;
    await using bench = await capabilityBench({ plugins: PLUGINS, driver: driverIn(home.within) });
    const counters = async () => {
      const text = await home.run("cat", "/sys/class/net/wan0/statistics/rx_bytes");
      return Number(text);
    };
    home.start("ping", "-q", "-i", "0.002", "-s", "1400", "198.18.0.1");
    const start = await counters();
    while (await counters() === start) await new Promise((resolve) => setTimeout(resolve, 20));
    const before = await counters(), began = performance.now();
    const { RealTimeRate, DownRate, UpRate } = await bench.ok("QUERY_WAN_REALRATE");
    const most = 8 * (await counters() - before) / 1000; // kbit in all, over more than the measured second
    assert(performance.now() - began >= 1000);
    assert(Number(DownRate) > 0 && Number(UpRate) > 0, `${DownRate} ${UpRate}`);
    assert(Number(DownRate) <= most, `${DownRate} kbit/s measured, ${most} kbit came`);
    assert(Math.abs(Number(RealTimeRate) - Number(DownRate) - Number(UpRate)) <= 1);
  },
});

Deno.test({
  ...unless("hosts are pinged and traced by a connection, through real routers", namespaces ?? programs),
  async fn() {
    const { spaces, home } = await carrier();
    await using _ = spaces;
    await using bench = await capabilityBench({ plugins: PLUGINS, driver: driverIn(home.within) });
    await bench.ok("PING_DIAG_REQ", { Dest: "198.18.1.9", WANName: "1_INTERNET_R", time: "2", leng: "200" });
    const ping = await ended(bench, "GET_PING_RESULT", "PingStatus");
    assertEquals(ping.PingStatus, "SUCCESS", ping.PingResult);
    assertMatch(ping.PingResult!, /^2 sent, 2 received, 0% lost, min\/avg\/max/);

    await bench.ok("TRACEROUTE_DIAG_REQ", { Dest: "198.18.1.9", WANName: "wan0" });
    const trace = await ended(bench, "GET_TRACEROUTE_RESULT", "TraceStatus");
    assertMatch(trace.TraceResult!, /^1 198\.18\.0\.1 [\d.]+ ms; 2 198\.18\.1\.9 [\d.]+ ms$/);

    await home.run("ip", "route", "add", "unreachable", "198.18.9.0/24");
    await bench.ok("PING_DIAG_REQ", { Dest: "198.18.9.1", time: "1" });
    assertEquals((await ended(bench, "GET_PING_RESULT", "PingStatus")).PingStatus, "FAIL");
  },
});

Deno.test("a download is measured over a real connection, and nothing but the internet is fetched", async () => {
  await using files = startFileServer({ "/big": new Uint8Array(5_000_000) });
  let open = false;
  const http = {
    lookup: (name: string, type: string) =>
      Promise.resolve(type === "A" ? [name === "home.example" ? "192.168.1.1" : "127.0.0.1"] : []),
    ...{ mayReach: (address: string) => open && address === "127.0.0.1" },
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: files.port }),
  };
  await using bench = await capabilityBench({ plugins: PLUGINS, driver: new LinuxDriver({ clock }), http });
  const measure = async (URL: string) => {
    await bench.ok("SET_HTTP_CFG", { URL, ...SHOWN }, "local");
    await bench.ok("HTTP_DOWNLOAD_REQUEST", { Method: "START", Time: "5", ...SHOWN }, "local");
    return await ended(bench, "HTTP_DOWNLOAD_REQUEST", "HttpStatus");
  };
  for (const url of ["http://speed.example/big", "http://home.example/", "http://127.0.0.1/"]) {
    const refused = await measure(url);
    assertEquals(refused.HttpStatus, "FAIL", url);
    assertMatch(refused.HttpResult!, /not on the internet/, url);
  }
  open = true;
  const done = await measure("http://speed.example/big");
  assertEquals([done.HttpStatus, done.Bytes], ["SUCCESS", "5000000"], done.HttpResult);
  const rate = 8 * 5_000_000 / 1000 / Number(done.Time);
  assert(
    Math.abs(Number(done.Rate) / rate - 1) < 0.6 || Number(done.Time) < 0.05,
    `${done.Rate} ${done.Time}`,
  );
  const missing = await measure("http://speed.example/none");
  assertMatch(missing.HttpResult!, /answered 404/);
});

Deno.test({
  ...unless(
    "name servers and redirections reach a real dnsmasq, and one that refuses them keeps its own",
    namespaces ?? programs,
  ),
  async fn() {
    const { spaces, home, router } = await carrier();
    await using _ = spaces;
    const folder = await Deno.makeTempDir();
    const dir = `${folder}/conf`;
    await Deno.mkdir(dir);
    const upstream = (
      address: string,
    ) => ["--no-daemon", "--no-resolv", "--no-hosts", `--address=/up.example/${address}`];
    for (
      const [address, answer] of [["198.18.0.1", "203.0.113.1"], ["198.18.0.53", "203.0.113.2"]] as const
    ) {
      if (address !== "198.18.0.1") await router.run("ip", "address", "add", `${address}/24`, "dev", "cust0");
      router.start(
        "dnsmasq",
        ...upstream(answer),
        "--bind-interfaces",
        `--listen-address=${address}`,
        "--conf-file=/dev/null",
      );
    }
    const script = `${folder}/reload`;
    const server = "dnsmasq --conf-file=/dev/null --no-hosts --resolv-file=" +
      `${folder}/resolv.conf --user=root ` +
      `--listen-address=127.0.0.1 --bind-interfaces --pid-file=${folder}/pid --conf-dir=${dir},*.conf`;
    await Deno.writeTextFile(`${folder}/resolv.conf`, "nameserver 198.18.0.1\n");
    await Deno.writeTextFile(
      script,
      `#!/bin/sh\nif read pid < ${folder}/pid; then kill $pid; while grep -q "^State:.[^Z]" /proc/$pid/status; do sleep 0.02; done; fi 2>/dev/null\n` +
        `exec ${server}\n`,
      { mode: 0o755 },
    );
    await home.run(script);
    const look = async (name: string) => {
      const program = `console.log((await Deno.resolveDns("${name}", "A", ` +
        `{ nameServer: { ipAddr: "127.0.0.1" } }).catch(() => ["none"])).join())`;
      for (let turn = 0; turn < 100; turn++) {
        const found = (await home.run(Deno.execPath(), "eval", program)).trim();
        if (found !== "none") return found;
      }
      return "none";
    };
    await using files = startFileServer({ "/list": "203.0.113.80 portal.example\n", "/none": "" });
    await using bench = await capabilityBench({
      plugins: PLUGINS,
      driver: driverIn(home.within, {
        dnsmasq: { dir, reload: [script] },
        resolvFiles: [`${folder}/resolv.conf`],
      }),
      http: {
        lookup: (_name, type) => Promise.resolve(type === "A" ? ["127.0.0.1"] : []),
        mayReach: () => true,
        connect: () => Deno.connect({ hostname: "127.0.0.1", port: files.port }),
      },
    });
    assertEquals((await bench.ok("GET_NETWORK_DNS")).DNS1, "198.18.0.1");
    assertEquals(await look("up.example"), "203.0.113.1");
    await bench.ok("SET_NETWORK_DNS", { DNS1: "198.18.0.53" });
    assertEquals(await bench.ok("GET_NETWORK_DNS"), { DNS1: "198.18.0.53", DNS2: "" });
    assertEquals(await look("up.example"), "203.0.113.2");

    assertEquals(await bench.ok("SET_REDIRECT_INFO", { downurl: "http://lists.example/list" }), { Num: "1" });
    assertEquals(await look("portal.example"), "203.0.113.80");
    assertEquals(await look("deep.portal.example"), "203.0.113.80");

    // A dnsmasq that does not come up again gets back what it had.
    const kept = await Deno.readTextFile(script);
    await Deno.writeTextFile(
      script,
      kept.replace(
        "#!/bin/sh\n",
        `#!/bin/sh\ngrep -q 198.18.0.99 ${dir}/*.conf && { echo "bad option" >&2; exit 1; }\n`,
      ),
    );
    const refused = await bench.ask("SET_NETWORK_DNS", { DNS1: "198.18.0.99" });
    assertEquals([refused.status, refused.reason.includes("bad option")], ["1", true], refused.reason);
    assertEquals((await bench.ok("GET_NETWORK_DNS")).DNS1, "198.18.0.53");
    assertEquals(await look("up.example"), "203.0.113.2");

    assertEquals(await bench.ok("SET_REDIRECT_INFO", { downurl: "" }), { Num: "0" });
    await bench.ok("SET_NETWORK_DNS", {});
    assertEquals((await bench.ok("GET_NETWORK_DNS")).DNS1, "198.18.0.1");
    assertEquals(await look("up.example"), "203.0.113.1");
    await Deno.remove(folder, { recursive: true });
  },
});

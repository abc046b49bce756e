import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../../base/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import { OpenWrt, type Runner, Vendor } from "../linux/mod.ts";
import { LinuxWan } from "./linux.ts";

const ether = (ifname: string, more: object = {}) => ({
  ifname,
  flags: ["UP", "LOWER_UP"],
  operstate: "UP",
  link_type: "ether",
  address: "64:d9:54:20:21:4b",
  addr_info: [],
  ...more,
});
const inet = (local: string, more: object = {}) => ({ family: "inet", local, scope: "global", ...more });
const inet6 = (local: string, more: object = {}) => ({ family: "inet6", local, scope: "global", ...more });

/** A machine whose `ip` says this; nothing else is there. */
function machine(links: unknown, four: unknown[] = [], six: unknown[] = [], interfaces?: readonly string[]) {
  const clock = new FakeClock();
  let bytes = 1000;
  const json = (program: string, args: readonly string[]) => {
    if (program !== "ip") return Promise.reject(unsupported(`there is no ${program} on this machine`));
    const line = args.join(" ");
    if (line.includes("address")) return Promise.resolve(links);
    if (line.includes("-s link")) {
      bytes += 125_000;
      return Promise.resolve([{ stats64: { rx: { bytes }, tx: { bytes: bytes / 2 } } }]);
    }
    return Promise.resolve(line.includes("-4") ? four : six);
  };
  const runner = {
    json,
    run: (program: string) => Promise.reject(unsupported(`there is no ${program} on this machine`)),
  } as unknown as Runner;
  const wan = new LinuxWan({
    clock,
    runner,
    openWrt: new OpenWrt(runner),
    vendor: new Vendor(runner, undefined),
    interfaces,
    resolvFiles: ["/none"],
  });
  return { clock, wan };
}

Deno.test("a tagged connection has its VLAN and priority, and the way its address came", async () => {
  const tagged = ether("eth0.41", {
    linkinfo: {
      info_kind: "vlan",
      info_data: { id: 41, egress_qos: [{ from: 0, to: 5 }, { from: 1, to: 6 }] },
    },
    addr_info: [inet("192.0.2.7", { dynamic: true }), inet6("fe80::1", { scope: "link" })],
  });
  const { wan } = machine([ether("eth0"), tagged], [{
    dst: "default",
    gateway: "192.0.2.1",
    dev: "eth0.41",
  }]);
  const [one, ...others] = await wan.connections();
  assertEquals(others, []);
  assertEquals(
    [one!.name, one!.vlan, one!.priority, one!.protocol, one!.addresses, one!.gateway, one!.mode],
    ["1_INTERNET_R_VID_41", 41, 5, "DHCP", ["192.0.2.7"], "192.0.2.1", "route"],
  );
});

Deno.test("what dials is a connection also while it has no route, and is told as what it is", async () => {
  const ppp = {
    ifname: "ppp0",
    flags: ["UP", "LOWER_UP"],
    operstate: "UNKNOWN",
    link_type: "ppp",
    addr_info: [],
  };
  const { wan } = machine([ether("eth0"), ppp]);
  const [one] = await wan.connections();
  assertEquals([one!.interface, one!.protocol, one!.up, one!.services, one!.mac], [
    "ppp0",
    "PPPoE",
    true,
    undefined,
    undefined,
  ]);
  assertEquals((await wan.pppoe()).connected, false, "no address yet");
  const { wan: up } = machine([{ ...ppp, addr_info: [inet("100.64.0.9")] }]);
  assertEquals((await up.pppoe()).connected, true);
  const { wan: none } = machine([ether("eth0")]);
  assertEquals((await assertRejects(() => none.pppoe(), DriverError)).code, "unsupported");
});

Deno.test("connections are numbered by their routes, v4 first, each once, with those that were named", async () => {
  const links = [
    ether("lan0", { addr_info: [inet("192.168.1.1")] }),
    ether("wan0", { addr_info: [inet("192.0.2.7"), inet6("2001:db8::7")] }),
    ether("wan1", { addr_info: [inet6("2001:db8:1::7", { dynamic: true })] }),
    ether("iptv0", { master: "br-iptv" }),
  ];
  const { wan } = machine(
    links,
    [{ dst: "default", gateway: "192.0.2.1", dev: "wan0" }],
    [{ dst: "default", gateway: "fe80::1", dev: "wan1" }, {
      dst: "default",
      gateway: "fe80::2",
      dev: "wan0",
    }],
    ["iptv0", "gone0"],
  );
  assertEquals(
    (await wan.connections()).map((
      { index, interface: name, protocol, mode },
    ) => [index, name, protocol, mode]),
    [[1, "iptv0", "NONE", "bridge"], [2, "wan0", "STATIC", "route"], [3, "wan1", "SLAAC", "route"]],
  );
  assertEquals(await wan.interface(), "wan0");
});

Deno.test("the rate is that of a second, and none where nothing goes out", async () => {
  const { wan, clock } = machine([], [{ dst: "default", dev: "wan0" }]);
  let rate: unknown;
  const asked = wan.rate(new AbortController().signal).then((found) => rate = found);
  while (!rate) await clock.advance(1_000);
  await asked;
  assertEquals((rate as { down: number; up: number }).down, 2 * (rate as { up: number }).up);
  const { wan: alone } = machine([]);
  await assertRejects(() => alone.rate(new AbortController().signal), DriverError, "no connection");
});

Deno.test("an `ip` that says nonsense is a failure, not a connection", async () => {
  for (const links of [{}, "x", 7]) {
    await assertRejects(() => machine(links).wan.connections(), DriverError, "no list");
  }
  assertEquals(
    await machine([null, { ifname: "../x" }], [{ dst: "default", dev: "../x" }]).wan.connections(),
    [],
  );
});

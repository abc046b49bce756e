import { assertEquals, assertThrows } from "@std/assert";
import { DriverError } from "../errors.ts";
import { parseCounters, parseLinks, parseRoutes } from "./ip.ts";

/** As iproute2 6.1 writes it, with addresses of documentation. */
const LINKS = [
  {
    ifindex: 1,
    ifname: "lo",
    flags: ["LOOPBACK", "UP", "LOWER_UP"],
    operstate: "UNKNOWN",
    link_type: "loopback",
    address: "00:00:00:00:00:00",
    addr_info: [{ family: "inet", local: "127.0.0.1", prefixlen: 8, scope: "host", label: "lo" }],
  },
  {
    ifindex: 7,
    link: "eth0",
    ifname: "eth0.41",
    flags: ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
    mtu: 1500,
    operstate: "UP",
    link_type: "ether",
    address: "64:d9:54:20:21:4b",
    linkinfo: {
      info_kind: "vlan",
      info_data: { protocol: "802.1Q", id: 41, flags: ["REORDER_HDR"], egress_qos: [{ from: 0, to: 5 }] },
    },
    addr_info: [
      { family: "inet", local: "192.0.2.7", prefixlen: 24, scope: "global", dynamic: true },
      { family: "inet6", local: "fe80::66d9:54ff:fe20:214b", prefixlen: 64, scope: "link" },
    ],
  },
];

Deno.test("links are read with addresses, tag and priority", () => {
  const [lo, tagged] = parseLinks(LINKS);
  assertEquals([lo!.ifname, lo!.addr_info[0]!.scope], ["lo", "host"]);
  assertEquals(tagged!.linkinfo?.info_data?.id, 41);
  assertEquals(tagged!.linkinfo?.info_data?.egress_qos, [{ from: 0, to: 5 }]);
  assertEquals(tagged!.addr_info.map(({ dynamic }) => dynamic), [true, false]);
});

Deno.test("default routes come with the best metric first, and others not at all", () => {
  const routes = parseRoutes([
    { dst: "default", gateway: "192.0.2.1", dev: "eth1", metric: 600, flags: [] },
    { dst: "192.0.2.0/24", dev: "eth0", flags: [] },
    { dst: "default", gateway: "198.51.100.1", dev: "eth0", flags: [] },
  ]);
  assertEquals(routes.map(({ dev }) => dev), ["eth0", "eth1"]);
  assertEquals(parseRoutes(undefined), [], "no output: no route");
});

Deno.test("what is no link among links is left out, and what is no list refused", () => {
  const hostile = [
    null,
    7,
    "x",
    {},
    { ifname: 7 },
    { ifname: "" },
    { ifname: "a/../b" },
    { ifname: "x".repeat(16) },
    { ifname: "a b" },
    { ifname: "ok", flags: "UP" },
    { ifname: "ok", addr_info: { local: "1" } },
    { ifname: "ok", linkinfo: { info_kind: "vlan", info_data: { id: "41" } } },
    { ifname: "fine" },
  ];
  assertEquals(parseLinks(hostile).map(({ ifname }) => ifname), ["fine"]);
  assertEquals(parseLinks(Array(100_000).fill({ ifname: "a" })).length, 1024);
  for (const value of [{}, "x", 7, null]) assertThrows(() => parseLinks(value), DriverError, "no list");
});

Deno.test("counters are numbers, or there are none", () => {
  const link = (
    rx: unknown,
    tx: unknown,
  ) => [{ ifname: "a", stats64: { rx: { bytes: rx }, tx: { bytes: tx } } }];
  assertEquals(parseCounters(link(177041390, 294513)), { rx: 177041390, tx: 294513 });
  for (const bad of [[], [{}], link("1", 2), link(1, null), link(Infinity, 1)]) {
    assertThrows(() => parseCounters(bad), DriverError, "no counters");
  }
});

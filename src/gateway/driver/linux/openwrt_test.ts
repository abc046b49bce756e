import { assertEquals, assertThrows } from "@std/assert";
import { DriverError } from "../errors.ts";
import { hasDefaultRoute, parseDump } from "./openwrt.ts";

const wan = {
  interface: "wan",
  up: true,
  pending: false,
  uptime: 5123,
  l3_device: "pppoe-wan",
  proto: "pppoe",
  device: "eth1",
  "ipv4-address": [{ address: "192.0.2.7", mask: 32, ptpaddress: "192.0.2.1" }],
  route: [{ target: "0.0.0.0", mask: 0, nexthop: "192.0.2.1", source: "0.0.0.0/0" }],
  "dns-server": ["192.0.2.53"],
};

Deno.test("a dump is read with what is absent filled in", () => {
  const [one, two] = parseDump({ interface: [wan, { interface: "lan", up: false, proto: "static" }] });
  assertEquals([one!.interface, one!.uptime, hasDefaultRoute(one!)], ["wan", 5123, true]);
  assertEquals([two!["dns-server"], two!.errors, hasDefaultRoute(two!)], [[], [], false]);
});

Deno.test("a dump that is none is refused, and one without end is cut", () => {
  const bad = [undefined, null, [], {}, { interface: {} }, { interface: [{ ...wan, up: "yes" }] }, {
    interface: [{ ...wan, "dns-server": [7] }],
  }];
  for (const dump of bad) assertThrows(() => parseDump(dump), DriverError, "no list of interfaces");
  assertEquals(parseDump({ interface: Array(500).fill(wan) }).length, 64);
});

import { assertEquals } from "@std/assert";
import { isLanConnection, lanAddresses, type LanView } from "./lan.ts";

const LAN = { name: "br-lan", address: "192.168.1.1", prefix: 24 };
const GUEST = { name: "br-guest", address: "192.168.3.1", prefix: 24 };
const LAN6 = { name: "br-lan", address: "fe80::1", prefix: 64 };
const PRIVATE_WAN = { name: "wan", address: "10.20.0.7", prefix: 16 };
const PUBLIC_WAN = { name: "wan", address: "203.0.113.9", prefix: 24 };

Deno.test("connections are let in by interface, at both their ends", () => {
  const home: LanView = { interfaces: [PRIVATE_WAN, LAN, LAN6, GUEST], wanAddress: "10.20.0.7" };
  const table: readonly [what: string, view: LanView, peer: string, own: string, allowed: boolean][] = [
    ["the LAN", home, "192.168.1.50", "192.168.1.1", true],
    ["the LAN over IPv6", home, "fe80::50%br-lan", "fe80::1%br-lan", true],
    ["another LAN bridge, where none is named", home, "192.168.3.50", "192.168.3.1", true],
    ["the carrier's side, private as it is", home, "10.20.99.1", "10.20.0.7", false],
    ["a LAN address that comes in at the carrier's side", home, "192.168.1.50", "10.20.0.7", false],
    ["a carrier's address that comes in at the LAN", home, "10.20.99.1", "192.168.1.1", false],
    ["the internet", { interfaces: [PUBLIC_WAN, LAN] }, "198.51.100.1", "203.0.113.9", false],
    ["the internet's neighbour", { interfaces: [PUBLIC_WAN, LAN] }, "203.0.113.10", "203.0.113.9", false],
    ["a private network behind the LAN", home, "192.168.2.50", "192.168.1.1", false],
    [
      "the guests, where only the LAN is named",
      { ...home, named: ["br-lan"] },
      "192.168.3.50",
      "192.168.3.1",
      false,
    ],
    ["the LAN, where it is named", { ...home, named: ["br-lan"] }, "192.168.1.50", "192.168.1.1", true],
    [
      "the named one, although it leads to the internet",
      { ...home, named: ["wan"] },
      "10.20.1.1",
      "10.20.0.7",
      true,
    ],
    ["this machine", home, "127.0.0.1", "127.0.0.1", true],
    [
      "the only interface there is",
      { interfaces: [PRIVATE_WAN], wanAddress: "10.20.0.7" },
      "10.20.1.1",
      "10.20.0.7",
      true,
    ],
    ["nothing, where there is none", { interfaces: [] }, "192.168.1.50", "192.168.1.1", false],
  ];
  for (const [what, view, peer, own, allowed] of table) {
    assertEquals(isLanConnection(peer, own, view), allowed, what);
  }
});

Deno.test("a machine whose only other networks are inside it serves the one that leads to the internet", () => {
  const inner = ["docker0", "br-0123456789ab", "virbr0", "veth1a2b"].map((name, i) => ({
    name,
    address: `172.${17 + i}.0.1`,
    prefix: 16,
  }));
  const view = {
    interfaces: [{ name: "eth0", address: "192.168.1.9", prefix: 24 }, ...inner],
    wanAddress: "192.168.1.9",
  };
  assertEquals(isLanConnection("192.168.1.50", "192.168.1.9", view), true);
});

Deno.test("what the settings call the outside is never the LAN, also while no route goes out by it", () => {
  const view = { interfaces: [PRIVATE_WAN, LAN], outside: ["wan"] };
  assertEquals(isLanConnection("10.20.1.1", "10.20.0.7", view), false);
  assertEquals(isLanConnection("192.168.1.50", "192.168.1.1", view), true);
});

Deno.test("the interface to the internet is not the LAN where another one is left", () => {
  const names = (view: LanView) => lanAddresses(view).map(({ name }) => name);
  assertEquals(names({ interfaces: [PRIVATE_WAN, LAN], wanAddress: "10.20.0.7" }), ["br-lan"]);
  assertEquals(names({ interfaces: [PRIVATE_WAN, LAN] }), ["wan", "br-lan"]);
  assertEquals(names({ interfaces: [PRIVATE_WAN, LAN6], wanAddress: "10.20.0.7" }), ["wan", "br-lan"]);
});

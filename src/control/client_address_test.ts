import { assertEquals } from "@std/assert";
import { networkOf } from "./mod.ts";

Deno.test("limits count an IPv4 address as it is and an IPv6 address by its first 64 bits", () => {
  const networks = {
    "192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.7": "192.0.2.7",
    "2001:db8::1": "2001:db8:0:0::/64",
    "2001:DB8:0:0:ffff::9": "2001:db8:0:0::/64",
    "2001:0db8:0001:0002:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1::5:6": "2001:db8:1:0::/64",
    "fe80::1%eth0": "fe80:0:0:0::/64",
    "::1": "0:0:0:0::/64",
    "": "",
  };
  for (const [address, network] of Object.entries(networks)) {
    assertEquals(networkOf(address), network, address);
  }
});

import { assert, assertEquals, assertFalse } from "@std/assert";
import { isIpAddress, plainAddress } from "./addresses.ts";

Deno.test("an IP address is told from a host name", () => {
  for (
    const address of ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0", "2001:db8::a:1"]
  ) {
    assert(isIpAddress(address), address);
  }
  for (
    const name of [
      "",
      "256.1.1.1",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.4.",
      "189cube",
      "a:b",
      "::1]/x",
      "[::1]",
      ":::",
    ]
  ) {
    assertFalse(isIpAddress(name), name);
  }
});

Deno.test("an IPv4 address in IPv6's clothes is shown as IPv4", () => {
  assertEquals(plainAddress("::ffff:10.0.0.1"), "10.0.0.1");
  assertEquals(plainAddress("::1"), "::1");
});

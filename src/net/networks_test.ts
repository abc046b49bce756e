import { assertEquals } from "@std/assert";
import { addressBits, inNetwork, isLocal, isLoopback } from "./networks.ts";

Deno.test("addresses are read as bits, with zones and all the ways to write IPv6", () => {
  assertEquals(addressBits("10.0.0.1"), { bits: 0x0a000001n, length: 32 });
  assertEquals(addressBits("::1"), { bits: 1n, length: 128 });
  assertEquals(addressBits("fe80::1%eth0"), { bits: (0xfe80n << 112n) | 1n, length: 128 });
  assertEquals(addressBits("::ffff:10.0.0.1")?.bits, (0xffffn << 32n) | 0x0a000001n);
  for (const wrong of ["", "10.0.0", "256.1.1.1", "10.0.0.1.1", "::g", "name", "1:2:3", ":::"]) {
    assertEquals(addressBits(wrong), undefined, wrong);
  }
});

Deno.test("an address lies in a network by its first bits, of its own family only", () => {
  assertEquals(inNetwork("192.168.1.200", "192.168.1.1", 24), true);
  assertEquals(inNetwork("192.168.2.200", "192.168.1.1", 24), false);
  assertEquals(inNetwork("192.168.2.200", "192.168.1.1", 0), true);
  assertEquals(inNetwork("::1", "0.0.0.0", 0), false);
  assertEquals(inNetwork("10.0.0.1", "10.0.0.1", 33), false);
});

Deno.test("private, link-local and loopback addresses are told from public ones", () => {
  for (
    const local of [
      "10.1.2.3",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.0.1",
      "169.254.1.1",
      "fd00::1",
      "fe80::1",
    ]
  ) {
    assertEquals(isLocal(local), true, local);
  }
  for (const other of ["172.32.0.1", "100.64.0.1", "8.8.8.8", "2001:db8::1", "127.0.0.1", "nonsense"]) {
    assertEquals(isLocal(other), false, other);
  }
  assertEquals([isLoopback("127.9.9.9"), isLoopback("::1"), isLoopback("10.0.0.1")], [true, true, false]);
});

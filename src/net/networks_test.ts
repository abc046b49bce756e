import { assert, assertEquals } from "@std/assert";
import { addressBits, inNetwork, isLocal, isLoopback, networkHas, parseNetwork } from "./networks.ts";

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

Deno.test("a network holds the addresses that share its prefix, in either family and however they are written", () => {
  const cases: [network: string, inside: string[], outside: string[]][] = [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.1.2", "::ffff:10.1.2.3", "::FFFF:a01:203"], [
      "11.0.0.1",
      "::a00:1",
      "x",
    ]],
    ["192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.70"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]],
    ["192.0.2.77/25", ["192.0.2.1"], ["192.0.2.129"]],
    ["2001:db8::/33", ["2001:db8::1", "2001:DB8:7fff::", "2001:db8::1%eth0"], [
      "2001:db8:8000::",
      "2001:db9::",
    ]],
    ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]],
    ["::ffff:10.0.0.0/104", ["10.9.9.9"], ["11.0.0.0"]],
    ["0.0.0.0/0", ["203.0.113.9"], ["2001:db8::1"]],
    ["::/0", ["203.0.113.9", "2001:db8::1"], [""]],
  ];
  for (const [text, inside, outside] of cases) {
    const network = parseNetwork(text);
    if (!network) throw new Error(text);
    for (const address of inside) assert(networkHas(network, address), `${address} in ${text}`);
    for (const address of outside) assert(!networkHas(network, address), `${address} not in ${text}`);
  }
});

Deno.test("what is no network is not taken for one", () => {
  for (
    const text of [
      "",
      "/8",
      "10.0.0.0/33",
      "::/129",
      "10.0.0/8",
      "10.0.0.0/8/8",
      "10.0.0.0/-1",
      "host",
      "fe80::%eth0/64",
    ]
  ) {
    assertEquals(parseNetwork(text), undefined, text);
  }
});

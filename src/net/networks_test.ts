import { assert, assertEquals } from "@std/assert";
import { inNetwork, parseNetwork } from "./mod.ts";

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
    for (const address of inside) assert(inNetwork(network, address), `${address} in ${text}`);
    for (const address of outside) assert(!inNetwork(network, address), `${address} not in ${text}`);
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

import { assert, assertEquals, assertMatch } from "@std/assert";
import { hostOf, Targets } from "./target.ts";

/** Nobody on the internet, however it is written. */
const INSIDE = [
  ...["127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"],
  ...["100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"],
  ...["::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "2002:7f00:1::1", "64:ff9b::7f00:1"],
  ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "2001:db8::1"],
];

Deno.test("webhooks lead to the internet and nowhere else where nothing is allowed", () => {
  const targets = new Targets();
  for (const address of INSIDE) {
    assert(!targets.allows("hooks.example", address), address);
    assert(!targets.allows(address, address), address);
  }
  for (const address of ["8.8.8.8", "::ffff:8.8.8.8", "2400:3200::1"]) {
    assert(targets.allows("hooks.example", address), address);
  }
});

Deno.test("what is allowed by name, address or network may be called, and its neighbours may not", () => {
  const targets = new Targets(["Hooks.example", "10.1.0.0/16", "192.168.1.7", "fd00:1::/32"]);
  for (const [host, address] of [["hooks.example", "127.0.0.1"], ["HOOKS.example", "10.9.9.9"]] as const) {
    assert(targets.allows(host, address), host);
  }
  for (const address of ["10.1.255.1", "::ffff:10.1.0.1", "192.168.1.7", "fd00:1:2::3"]) {
    assert(targets.allows("other.example", address), address);
  }
  for (const address of ["10.2.0.1", "192.168.1.8", "fd00:2::1", "127.0.0.1", "a.hooks.example"]) {
    assert(!targets.allows("a.hooks.example", address), address);
  }
});

Deno.test("a URL is refused for its scheme, its password, or an address in any notation", () => {
  const targets = new Targets(["10.1.0.0/16"]);
  const FAULTS: readonly (readonly [url: string, fault: RegExp])[] = [
    ["ftp://hooks.example/", /scheme/],
    ["file:///etc/passwd", /scheme/],
    ["javascript:alert(1)", /scheme/],
    ["https://user:secret@hooks.example/", /password/],
    ["https://user@hooks.example/", /name or password/],
    ["http://", /not a URL/],
    ["http://[::1", /not a URL/],
    ...[
      ...["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"],
      ...["[::ffff:7f00:1]", "169.254.169.254", "[fd00:ec2::254]", "0", "10.2.0.1", "127.0.0.1."],
    ].map((host) => [`http://${host}:8080/x`, /not on the internet/] as const),
  ];
  for (const [url, fault] of FAULTS) assertMatch(targets.fault(url) ?? "taken", fault, url);
  for (
    const url of [
      "https://hooks.example/a?b=c",
      "http://8.8.8.8:81/",
      "http://10.1.2.3/",
      "https://[2400:3200::1]/",
    ]
  ) {
    assertEquals(targets.fault(url), undefined, url);
  }
});

Deno.test("a host is known without the brackets and the dot that a URL may have", () => {
  assertEquals([hostOf("[::1]"), hostOf("a.example."), hostOf("a.example")], [
    "::1",
    "a.example",
    "a.example",
  ]);
});

import { assertEquals } from "@std/assert";
import * as kinds from "./parsers.ts";

/** Texts that are values, with what they mean, and texts that are not. */
const CASES: Record<string, [kinds.Kind<unknown>, [string, unknown][], string[]]> = {
  "an address to listen on": [
    kinds.listenAddress,
    [
      ["0.0.0.0:8080", { host: "0.0.0.0", port: 8080 }],
      ["[::1]:0", { host: "::1", port: 0 }],
      ["localhost:1", { host: "127.0.0.1", port: 1 }],
    ],
    [
      "8080",
      ":8080",
      "0.0.0.0",
      "0.0.0.0:65536",
      "example.net:80",
      "256.0.0.1:80",
      "::1:80",
      "0.0.0.0:80x",
      "",
    ],
  ],
  "somebody else's address": [
    kinds.remoteAddress,
    [["push.example.net:12115", { host: "push.example.net", port: 12115 }]],
    ["push.example.net", "push.example.net:0", "a b:1", "1.2.3:4", "-:"],
  ],
  "a host": [
    kinds.host,
    [["189cube", "189cube"], ["a.b-c.net", "a.b-c.net"], ["10.0.0.1", "10.0.0.1"], ["::1", "::1"]],
    ["", "a:1", "a b", "http://a", "1.2.3", "a..b", "x".repeat(64)],
  ],
  "hosts and networks": [
    kinds.targets,
    [
      ["10.1.0.0/16, Hooks.example,fd00::/8", ["10.1.0.0/16", "hooks.example", "fd00::/8"]],
      ["127.0.0.1", ["127.0.0.1"]],
    ],
    [
      "",
      "10.1.0.0/33",
      "10.1.0.0/",
      "10.1/16",
      "a.example/8",
      "a.example,",
      "10.0.0.0/8/8",
      "a b",
      "*",
      "::/129",
    ],
  ],
  "a number in a range": [
    kinds.whole(1, 65_535),
    [["1", 1], ["65535", 65_535], ["007", 7]],
    ["0", "65536", "-1", "1.5", "1e3", "0x10", "", " 1", "9".repeat(20)],
  ],
  "one of several": [kinds.oneOf(["process", "inline"]), [["inline", "inline"]], ["Inline", "", "x"]],
  "some of several": [
    kinds.someOf(["a", "b", "c"]),
    [["b,a", ["a", "b"]], ["c", ["c"]], ["a, b , a", ["a", "b"]]],
    ["", "a,", "d", "a;b"],
  ],
  "a MAC": [
    kinds.mac,
    [["64D95420214B", "64D95420214B"], ["64:d9:54:20:21:4b", "64D95420214B"]],
    ["64D95420214", "64D95420214BB", "G4D95420214B", ""],
  ],
  "an SN": [
    kinds.sn,
    [["64D954-D6AEE64D95420214B", "64D954-D6AEE64D95420214B"]],
    ["64d954-1", "64D954", "64D954-", ""],
  ],
  "a LOID": [kinds.loid, [["0123456789", "0123456789"]], ["", "x".repeat(25), "a b"]],
  "a path": [kinds.path("DIR"), [["./data", "./data"]], ["", "a\0b"]],
  "words": [kinds.words("TEXT", 5), [["a b", "a b"]], ["", " ", "123456", "a\nb", "a\u2028b"]],
  "a command": [kinds.command, [
    ["  sysupgrade  -n ", ["sysupgrade", "-n"]],
    [`sh -c "a b"`, ["sh", "-c", `"a`, `b"`]], // nothing in it is quoted
  ], ["", "  ", "a\nb", "a\u0000", "x".repeat(2000)]],
  "interfaces": [kinds.names, [["eth0, br-lan", ["eth0", "br-lan"]]], ["", "a b", "x".repeat(16)]],
  "the database": [kinds.database, [["sqlite:/x.db", "sqlite:/x.db"], [
    "postgres://u:p@h:1/d",
    "postgres://u:p@h:1/d",
  ]], [
    "postgres://h",
    "postgres://h/",
    "mysql://h/d",
    "sqlite:",
    "x",
  ]],
  "yes or no": [kinds.yesOrNo, [["yes", true], ["no", false]], ["", "true", "YES", "1"]],
  "a time zone": [
    kinds.zone,
    [["+08:00", 480], ["-03:30", -210], ["+00:00", 0], ["-14:00", -840], ["+14:00", 840]],
    ["", "8", "+8:00", "+14:01", "+08:60", "Z", "+08:00 "],
  ],
  "beginnings of numbers": [
    kinds.prefixes,
    [["139, 1380013", ["139", "1380013"]]],
    ["", "+86139", "139,,138", "1".repeat(21), Array(1001).fill("1").join()],
  ],
  "a node": [kinds.nodeId, [["node-1.eu", "node-1.eu"]], ["", "a b", "x".repeat(65)]],
  "NATS servers": [
    kinds.nats,
    ["nats://127.0.0.1:4222", "nats://me:secret@a:4222,nats://b", "tls://nats.example.net"].map((
      url,
    ) => [url, url]),
    ["", "http://x", "nats://", "nats://a/b", "127.0.0.1:4222", "nats://a,b"],
  ],
};

for (const [what, [kind, good, bad]] of Object.entries(CASES)) {
  Deno.test(`${what} is told from what is none`, () => {
    for (const [text, value] of good) assertEquals(kind.parse(text), value, text);
    for (const text of bad) assertEquals(kind.parse(text), undefined, text);
  });
}

Deno.test("a zone and a choice of yes or no are shown as they are written", () => {
  for (const text of ["+08:00", "-03:30", "+00:00"]) {
    assertEquals(kinds.zone.show!(kinds.zone.parse(text)!), text);
  }
  assertEquals([true, false].map((value) => kinds.yesOrNo.show!(value)), ["yes", "no"]);
});

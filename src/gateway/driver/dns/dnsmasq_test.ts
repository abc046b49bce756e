import { assert, assertEquals, assertThrows } from "@std/assert";
import { DriverError } from "../errors.ts";
import { MAX_REDIRECTIONS, parseRedirections, redirectConf, serversConf, serversOf } from "./dnsmasq.ts";

Deno.test("servers are written and read back", () => {
  const conf = serversConf(["192.0.2.53", "2001:db8::53"]);
  assert(conf.includes("\nno-resolv\nserver=192.0.2.53\nserver=2001:db8::53\n"));
  assertEquals(serversOf(conf), ["192.0.2.53", "2001:db8::53"]);
  assertEquals(serversConf([]), "");
});

Deno.test("a list of redirections is read as a hosts file is", () => {
  assertEquals(
    parseRedirections("# remark\n192.0.2.1 A.example b.example. # two\r\n\n2001:db8::1\tc.example\n"),
    [
      { name: "a.example", address: "192.0.2.1" },
      { name: "b.example", address: "192.0.2.1" },
      { name: "c.example", address: "2001:db8::1" },
    ],
  );
  assertEquals(parseRedirections(""), []);
});

Deno.test("nothing gets into a piece of configuration that is no name and no address", () => {
  for (
    const name of [
      "",
      ".",
      "a b",
      "a/b",
      "a\nconf-file=/etc/passwd",
      "-a",
      "a..b",
      "x".repeat(64),
      "A.example",
      "#",
    ]
  ) {
    assertThrows(() => redirectConf([{ name, address: "192.0.2.1" }]), DriverError, "host name", name);
  }
  for (
    const address of ["", "192.0.2.999", "192.0.2.1\nlog-queries", "192.0.2.1#53", "localhost", "::1%lo/x"]
  ) {
    assertThrows(() => redirectConf([{ name: "a.example", address }]), DriverError, "IP address", address);
  }
  for (
    const line of [
      "a.example 192.0.2.1",
      "192.0.2.1",
      "192.0.2.1 a/b",
      "server=/x/1.1.1.1 y",
      "192.0.2.1 \u0000",
    ]
  ) {
    assertThrows(() => parseRedirections(`192.0.2.1 ok.example\n${line}\n`), DriverError, "line 2");
  }
});

Deno.test("a list has its end", () => {
  const line = (i: number) => `192.0.2.1 n${i}.example\n`;
  const most = Array.from({ length: MAX_REDIRECTIONS }, (_, i) => line(i)).join("");
  assertEquals(parseRedirections(most).length, MAX_REDIRECTIONS);
  assertThrows(() => parseRedirections(most + line(0)), DriverError, "more than");
});

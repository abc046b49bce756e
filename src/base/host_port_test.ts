import { assertEquals } from "@std/assert";
import { formatHostPort, parseHostPort } from "./mod.ts";

Deno.test("addresses are read with and without port, names, IPv4 and IPv6", () => {
  assertEquals(parseHostPort("ops.example:12113"), { host: "ops.example", port: 12113 });
  assertEquals(parseHostPort("[2001:db8::1]:80"), { host: "2001:db8::1", port: 80 });
  assertEquals(parseHostPort("189cube", 12112), { host: "189cube", port: 12112 });
  for (const bad of ["", ":80", "a:99999", "a b:1", "http://a:1", "2001:db8::1", "a:", "a:x"]) {
    assertEquals(parseHostPort(bad), undefined, bad);
  }
  for (const text of ["a:1", "[::1]:65535"]) assertEquals(formatHostPort(parseHostPort(text)!), text);
});

import { assertEquals } from "@std/assert";
import { parseNetwork } from "../net/mod.ts";
import { originOf } from "./forwarded.ts";

const trusted = ["10.0.0.0/8", "2001:db8:1::/48"].map((text) => parseNetwork(text)!);
const from = (peer: string, list?: string, protocol?: string) =>
  originOf(
    new Headers({
      ...(list === undefined ? {} : { "x-forwarded-for": list }),
      ...(protocol === undefined ? {} : { "x-forwarded-proto": protocol }),
    }),
    peer,
    trusted,
  );
const addressFrom = (peer: string, list?: string) => from(peer, list).address;

Deno.test("a trusted proxy says whom it speaks for, through further trusted proxies", () => {
  assertEquals(addressFrom("10.0.0.1", "203.0.113.9"), "203.0.113.9");
  assertEquals(addressFrom("::ffff:10.0.0.1", "203.0.113.9"), "203.0.113.9");
  assertEquals(addressFrom("10.0.0.1", "203.0.113.9, 10.0.0.2,10.0.0.3"), "203.0.113.9");
  assertEquals(addressFrom("2001:db8:1::7", "2001:db8:2::9"), "2001:db8:2::9");
  assertEquals(addressFrom("10.0.0.1", "[2001:db8:2::9]:4711"), "2001:db8:2::9");
  assertEquals(addressFrom("10.0.0.1", "203.0.113.9:4711"), "203.0.113.9");
  // Inside the trusted network nothing further is known: the outermost of them is the caller.
  assertEquals(addressFrom("10.0.0.1", "10.0.0.7, 10.0.0.2"), "10.0.0.7");
  assertEquals(addressFrom("10.0.0.1"), "10.0.0.1");
});

Deno.test("nobody else is believed, and nothing that stands left of the first stranger", () => {
  assertEquals(from("203.0.113.9", "198.51.100.1", "https"), { address: "203.0.113.9", secure: false });
  assertEquals(addressFrom("10.0.0.1", "198.51.100.1, 203.0.113.9"), "203.0.113.9");
  assertEquals(addressFrom("10.0.0.1", "10.0.0.5, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
});

Deno.test("garbage ends the reading at the proxy that let it in", () => {
  for (
    const junk of [
      "unknown",
      "-",
      "1.2.3",
      "203.0.113.9 ",
      "for=203.0.113.9",
      "[::1",
      "'",
      "\u00e9",
      "a".repeat(5000),
    ]
  ) {
    const known = junk.trim() === "203.0.113.9" ? "203.0.113.9" : "10.0.0.2";
    assertEquals(addressFrom("10.0.0.1", `198.51.100.1, ${junk}, 10.0.0.2`), known, junk);
  }
  for (const list of ["", ",", ",,,", " , "]) assertEquals(addressFrom("10.0.0.1", list), "10.0.0.1", list);
});

Deno.test("a very long list is read from its end only, and not for long", () => {
  const began = performance.now();
  const long = "10.0.0.9,".repeat(20_000);
  assertEquals(addressFrom("10.0.0.1", `198.51.100.1,${long}203.0.113.9`), "203.0.113.9");
  assertEquals(addressFrom("10.0.0.1", `198.51.100.1,${long}10.0.0.8`), "10.0.0.9");
  assertEquals(addressFrom("10.0.0.1", ",".repeat(200_000)), "10.0.0.1");
  assertEquals(performance.now() - began < 1000, true);
});

Deno.test("the protocol is the nearest proxy's word", () => {
  const secure = (protocol: string) => from("10.0.0.1", "203.0.113.9", protocol).secure;
  assertEquals(["https", "HTTPS", "http, https"].map(secure), [true, true, true]);
  assertEquals(["http", "https, http", "", "xhttps", "https;"].map(secure), [
    false,
    false,
    false,
    false,
    false,
  ]);
});

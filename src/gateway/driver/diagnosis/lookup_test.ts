import { assertEquals, assertRejects } from "@std/assert";
import { lookup } from "./lookup.ts";
import { DriverError } from "../errors.ts";

const { signal } = new AbortController();
type Resolve = typeof Deno.resolveDns;

/** A resolver that answers with `answer`. */
function resolver(answer: () => Promise<string[]>): Resolve {
  return (() => answer()) as unknown as Resolve; // its overloads are one per record type
}

Deno.test("a name that does not exist has no addresses, and a long answer is cut", async () => {
  const none = resolver(() => Promise.reject(new Deno.errors.NotFound("no records")));
  assertEquals(await lookup("nobody.example", "A", signal, none), []);
  const many = resolver(() => Promise.resolve(Array(1000).fill("192.0.2.1")));
  assertEquals((await lookup("many.example", "A", signal, many)).length, 32);
});

Deno.test("what is no name is not asked for, and a failure says why", async () => {
  const never = resolver(() => Promise.reject(new Error("asked")));
  for (const name of ["", ".", "a..b", "-a", "a b", "x".repeat(64), "a/b", "http://x", "\u0000"]) {
    await assertRejects(() => lookup(name, "A", signal, never), DriverError, "not a host name", name);
  }
  await assertRejects(() => lookup("host.example", "AAAA", signal, never), DriverError, "asked");
});

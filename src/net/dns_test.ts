import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../base/mod.ts";
import { isIpAddress } from "./addresses.ts";
import { lookupHost } from "./dns.ts";
import { NetError } from "./errors.ts";

Deno.test("an address is its own, without asking anybody", async () => {
  assertEquals(await lookupHost("192.0.2.7", systemClock), "192.0.2.7");
  assertEquals(await lookupHost("2001:db8::1", systemClock), "2001:db8::1");
});

Deno.test("localhost is found through the system's resolver", async () => {
  assert(isIpAddress(await lookupHost("localhost", systemClock)));
});

Deno.test("a name without an address and a name that is none are told apart", async () => {
  assertEquals((await assertRejects(() => lookupHost("a b", systemClock), NetError)).code, "invalid_address");
  const error = await assertRejects(
    () => lookupHost("name.invalid", systemClock),
    NetError,
    '"name.invalid"',
  );
  assert(error.code === "not_found" || error.code === "timeout", error.code);
});

Deno.test("a look-up that takes too long is given up", async () => {
  // A clock whose timers fire at once, so that the time limit is always first.
  const hasty = { ...systemClock, setTimer: (f: () => void) => (queueMicrotask(f), { cancel() {} }) };
  assertEquals((await assertRejects(() => lookupHost("localhost", hasty), NetError)).code, "timeout");
});

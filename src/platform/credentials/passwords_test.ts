import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { ProblemError } from "../../control/mod.ts";
import { DEFAULT_COST, Passwords, weakness } from "./passwords.ts";

const CHEAP = { n: 16, r: 1, p: 1 };

Deno.test("a password is kept as a salted hash that knows its own cost", async () => {
  const kept = await new Passwords(CHEAP).hash("sesame street 5");
  assertMatch(kept, /^scrypt\$16\$1\$1\$[0-9a-f]{32}\$[0-9a-f]{64}$/);
  assertNotEquals(await new Passwords(CHEAP).hash("sesame street 5"), kept);
  // A later, dearer setting still knows what was kept under the earlier one.
  const later = new Passwords({ n: 32, r: 2, p: 1 });
  assert(await later.verify("sesame street 5", kept));
  assertEquals(await later.verify("sesame street 6", kept), false);
  assertEquals(await later.verify("", kept), false);
});

Deno.test("the same characters typed on another keyboard are the same password", async () => {
  const passwords = new Passwords(CHEAP);
  assert(await passwords.verify("caf\u00e9 \uff11\uff12\uff13", await passwords.hash("cafe\u0301 123")));
});

Deno.test("a name that does not exist takes a hash as well and is never right", async () => {
  const passwords = new Passwords(CHEAP);
  assertEquals(await passwords.verify("no password at all", undefined), false);
});

Deno.test("the default cost is worked on beside the event loop, which goes on", async () => {
  const passwords = new Passwords(DEFAULT_COST);
  let turns = 0, working = true;
  const hashing = passwords.hash("sesame street 5").finally(() => working = false);
  while (working) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    turns++;
  }
  assert(await hashing);
  assert(turns > 5, `the event loop turned ${turns} times`);
});

Deno.test("a flood of sign-ins is refused past a bounded queue, and everyone in it is served", async () => {
  const passwords = new Passwords(CHEAP);
  const all = await Promise.allSettled(Array.from({ length: 100 }, () => passwords.hash("sesame street 5")));
  const refused = all.filter((one) => one.status === "rejected");
  assertEquals(refused.length, 100 - 34);
  for (const { reason } of refused) assert(reason instanceof ProblemError && reason.status === 503);
  assert(await passwords.hash("and room again"));
});

Deno.test("weak passwords are refused with the reason", () => {
  const weak = {
    "short1!": "at least 8",
    "aaaaaaaaaa": "different",
    "12345678": "row",
    "87654321": "row",
    "abcdefghij": "row",
    "zyxwvutsrq": "row",
    "Password": "common",
    "password123": "common",
    "!!Qwertyui99": "common",
    "li.wei@home": "name",
    "xx li.wei xx": "name",
    ["x1y2z".repeat(40)]: "at most 128",
  };
  for (const [password, reason] of Object.entries(weak)) {
    assert(weakness(password, "li.wei")?.includes(reason), `${password}: ${weakness(password, "li.wei")}`);
  }
  for (const good of ["correct horse battery", "绿色的大象在跳舞吧", "t7#kQ-pz", "passwordless future"]) {
    assertEquals(weakness(good, "li.wei"), undefined, good);
  }
});

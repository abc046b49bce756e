import { assertEquals } from "@std/assert";
import { bindingSn, checkSn, equalDigest, messageMd5, triggerKey, userId } from "./digest.ts";

Deno.test("digests are the upper-case MD5 of the texts one after the other", () => {
  // MD5 test vectors of RFC 1321: "abc" and "message digest".
  assertEquals(checkSn("a", "bc"), "900150983CD24FB0D6963F7D28E17F72");
  assertEquals(userId("message ", "digest"), "F96B697D7CB7938D525A2F31AAF161D0");
  assertEquals(messageMd5("mess", "age ", "dig", "est"), "F96B697D7CB7938D525A2F31AAF161D0");
});

Deno.test("a trigger's key and the binding SN are the same digest", () => {
  const devRnd = "0123456789ABCDEF0123456789ABCDEF", sn = "64D954-D6AEE64D95420214B";
  assertEquals(triggerKey(devRnd, sn), bindingSn(devRnd, sn));
});

Deno.test("digests compare without case", () => {
  assertEquals(equalDigest("900150983cd24fb0d6963f7d28e17f72", "900150983CD24FB0D6963F7D28E17F72"), true);
  assertEquals(equalDigest("900150983cd24fb0d6963f7d28e17f73", "900150983CD24FB0D6963F7D28E17F72"), false);
  assertEquals(equalDigest("", "900150983CD24FB0D6963F7D28E17F72"), false);
  assertEquals(equalDigest("ß", "SS"), true, "upper-casing decides before length does");
});

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import {
  decodeMessagePush,
  decodeMessagePushReply,
  encodeMessagePush,
  encodeMessagePushReply,
  type MessagePush,
  pushTime,
} from "./push.ts";
import { anyHex32, anyId, anyMac, anyResult, anyText, assertHardened } from "./testing.ts";

const anyMessage: fc.Arbitrary<MessagePush> = fc.record({
  method: fc.constant("MessagePush" as const),
  pluginName: anyText,
  time: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) =>
    pushTime(date.getTime())
  ),
  mac: anyMac,
  message: fc.base64String(),
  md5: anyHex32,
});
const anyReply = fc.record({ result: anyResult, id: anyId }, { requiredKeys: ["result"] });

Deno.test("MessagePush and its answer come back as they went out", () => {
  fc.assert(fc.property(anyMessage, (message) => {
    assertEquals(decodeMessagePush(encodeMessagePush(message)), message);
  }));
  fc.assert(fc.property(anyReply, (message) => {
    assertEquals(decodeMessagePushReply(encodeMessagePushReply(message)), message);
  }));
});

Deno.test("a push's time is written in digits", () => {
  assertEquals(pushTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), "20260102030405");
  const message = {
    method: "MessagePush",
    pluginName: "",
    mac: "64D95420214B",
    message: "",
    md5: "A".repeat(32),
  } as const;
  assertThrows(() => encodeMessagePush({ ...message, time: "2026-01-02" }), ProtocolError);
});

Deno.test("no bytes make the push codecs throw anything but ProtocolError", () => {
  const names = ["mac", "time", "Message", "MD5", "Result", "ID"];
  assertHardened(decodeMessagePush, anyMessage.map(encodeMessagePush), names, ["MessagePush"]);
  assertHardened(decodeMessagePushReply, anyReply.map(encodeMessagePushReply), names, ["MessagePush"]);
});

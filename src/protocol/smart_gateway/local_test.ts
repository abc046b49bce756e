import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { decodePost1, decodePost1Reply, encodePost1, encodePost1Reply, type Post1 } from "./local.ts";
import { anyId, anyResult, anyText, assertHardened, json } from "./testing.ts";

const base64 = fc.base64String({ maxLength: 400 });
const anyPost: fc.Arbitrary<Post1> = fc.record({
  method: fc.constant("Post1" as const),
  id: anyId,
  pluginName: anyText,
  version: anyText,
  parameter: base64,
});
const anyReply = fc.record({ result: anyResult, id: anyId, returnParameter: base64 }, {
  requiredKeys: ["result"],
});

Deno.test("Post1 and its answer come back as they went out", () => {
  fc.assert(fc.property(anyPost, (message) => assertEquals(decodePost1(encodePost1(message)), message)));
  fc.assert(
    fc.property(anyReply, (message) => assertEquals(decodePost1Reply(encodePost1Reply(message)), message)),
  );
});

Deno.test("the local port knows Post1 in any case and nothing else", () => {
  assertEquals(decodePost1(json({ RPCMethod: "POST1", ID: "1" })).pluginName, "");
  assertEquals(
    assertThrows(() => decodePost1(json({ RPCMethod: "Post", ID: 1 })), ProtocolError).code,
    "unknown_method",
  );
});

Deno.test("no bytes make the local codecs throw anything but ProtocolError", () => {
  assertHardened(decodePost1, anyPost.map(encodePost1), ["ID", "Plugin_Name", "Parameter"], ["Post1"]);
  assertHardened(decodePost1Reply, anyReply.map(encodePost1Reply), ["ID", "Result", "return_Parameter"], [
    "Post1",
  ]);
});

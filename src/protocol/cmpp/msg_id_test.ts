import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CmppError, composeMsgId, msgIdHex, msgIdInGroup, msgIdText, parseMsgId } from "./mod.ts";

const VECTOR = { month: 11, day: 22, hour: 3, minute: 50, second: 11, gateway: 1001, sequence: 1 };

Deno.test("Msg_Id packs time, gateway and sequence as the standard's example", () => {
  assertEquals(msgIdHex(composeMsgId(VECTOR)), "bb0f22c003e90001");
  assertEquals(parseMsgId(0xbb0f22c003e90001n), VECTOR);
  assertEquals(msgIdText(0xbb0f22c003e90001n), "1122035011" + "0001001" + "00001");
  assertEquals(parseMsgId(0xb2b9da8000010000n), {
    month: 11,
    day: 5,
    hour: 14,
    minute: 29,
    second: 42,
    gateway: 1,
    sequence: 0,
  });
});

Deno.test("every Msg_Id reads back to its parts, and its hex text sorts as it does", () => {
  const parts = fc.record({
    month: fc.integer({ min: 0, max: 12 }),
    day: fc.nat(31),
    hour: fc.nat(23),
    minute: fc.nat(59),
    second: fc.nat(59),
    gateway: fc.nat(0x3f_ffff),
    sequence: fc.nat(0xffff),
  });
  fc.assert(fc.property(parts, parts, (a, b) => {
    const [x, y] = [composeMsgId(a), composeMsgId(b)];
    assertEquals(parseMsgId(x), a);
    assertEquals(msgIdHex(x) < msgIdHex(y), x < y);
  }));
});

Deno.test("Msg_Id refuses parts that do not fit", () => {
  for (
    const wrong of [{ month: 13 }, { second: 60 }, { gateway: 0x40_0000 }, { sequence: 65_536 }, { day: -1 }]
  ) {
    assertThrows(() => composeMsgId({ ...VECTOR, ...wrong }), CmppError, Object.keys(wrong)[0]!);
  }
});

Deno.test("the ids of a group count on in their last 16 bits and wrap within them", () => {
  const last = composeMsgId({ ...VECTOR, sequence: 65_534 });
  assertEquals([0, 1, 2, 3].map((step) => parseMsgId(msgIdInGroup(last, step)).sequence), [
    65_534,
    65_535,
    0,
    1,
  ]);
  assertEquals(parseMsgId(msgIdInGroup(last, 3)), { ...VECTOR, sequence: 1 });
});

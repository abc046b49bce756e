import { assertEquals, assertThrows } from "@std/assert";
import { CmppError, decodeReport, encodeReport, Stat, statWithCode } from "./mod.ts";

const REPORT = {
  Msg_Id: 0xbb0f22c003e90001n,
  Stat: Stat.delivered,
  Submit_time: "2611220350",
  Done_time: "2611220351",
  Dest_terminal_Id: "8613800138000",
  SMSC_sequence: 77,
};

Deno.test("a status report has 60 octets in 2.0 and 71 in 3.0, and reads back from either", () => {
  assertEquals(encodeReport(REPORT, 2).length, 60);
  assertEquals(encodeReport(REPORT, 3).length, 71);
  assertEquals(decodeReport(encodeReport(REPORT, 2)), REPORT);
  assertEquals(decodeReport(encodeReport(REPORT, 3)), REPORT);
});

Deno.test("a status report of any other length is refused", () => {
  for (const length of [0, 59, 61, 70, 72, 140]) {
    assertEquals(assertThrows(() => decodeReport(new Uint8Array(length)), CmppError).code, "length");
  }
});

Deno.test("a Stat that no table has is taken as it is", () => {
  for (const Stat of ["MK:0011", "HD:31", "ID:1234"]) {
    assertEquals(decodeReport(encodeReport({ ...REPORT, Stat }, 3)).Stat, Stat);
  }
  assertEquals([statWithCode("MB", 11), statWithCode("IA", 99_999)], ["MB:0011", "IA:9999"]);
});

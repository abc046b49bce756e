import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { ParameterType } from "./definition.ts";
import { ParameterError, rangeOf, textOfValue, valueOf } from "./mod.ts";

const TEXT: ParameterType = { type: "string", maxLength: 4 };

function codeOf(type: ParameterType, input: unknown): string {
  try {
    valueOf(type, input);
    return "taken";
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    return error.code;
  }
}

Deno.test("numbers are taken as such or as text, within their range and nothing else", () => {
  const port: ParameterType = { type: "unsignedInt", min: 1, max: 65_535 };
  assertEquals([valueOf(port, 80), valueOf(port, "80"), valueOf(port, " 080 "), valueOf(port, "+80")], [
    80,
    80,
    80,
    80,
  ]);
  for (
    const wrong of [
      "",
      " ",
      "8O",
      "0x50",
      "1e3",
      "80.0",
      80.5,
      NaN,
      Infinity,
      null,
      true,
      [80],
      {},
      "9".repeat(99),
      -1,
    ]
  ) {
    assertEquals(codeOf(port, wrong), "type", String(wrong));
  }
  for (const out of [0, "65536", 4_294_967_295]) assertEquals(codeOf(port, out), "value", String(out));
  assertEquals(codeOf({ type: "unsignedInt" }, 4_294_967_296), "value");
  assertEquals([codeOf({ type: "int" }, -2_147_483_648), codeOf({ type: "int" }, -2_147_483_649)], [
    "taken",
    "value",
  ]);
  assertEquals(Object.is(valueOf({ type: "int" }, "-0"), 0), true);
});

Deno.test("booleans are taken in the four spellings of CWMP", () => {
  const type: ParameterType = { type: "boolean" };
  assertEquals(["true", "1", true, 1].map((input) => valueOf(type, input)), Array(4).fill(true));
  assertEquals(["false", "0", false, 0].map((input) => valueOf(type, input)), Array(4).fill(false));
  for (const wrong of ["", "TRUE", "yes", 2, null, []]) {
    assertEquals(codeOf(type, wrong), "type", String(wrong));
  }
});

Deno.test("text is counted in characters, and holds what XML can say", () => {
  assertEquals(valueOf(TEXT, "名😀ab"), "名😀ab");
  assertEquals(codeOf(TEXT, "abcde"), "value");
  assertEquals(codeOf(TEXT, "😀😀😀😀😀"), "value");
  for (const odd of ["\0", "\x1b", "\ud800", "\uffff", "\udc00\ud800"]) {
    assertEquals(codeOf(TEXT, odd), "value");
  }
  assertEquals(valueOf(TEXT, "\t\r\n "), "\t\r\n ");
  assertEquals(codeOf({ ...TEXT, minLength: 1 }, ""), "value");
  assertEquals(codeOf({ ...TEXT, values: ["On"] }, "on"), "value");
  assertEquals(codeOf(TEXT, 7), "type");
});

Deno.test("times and base64 are what they say", () => {
  const time: ParameterType = { type: "dateTime" }, bytes: ParameterType = { type: "base64", maxLength: 3 };
  for (const good of ["2026-11-01T08:00:00Z", "2026-11-01T08:00:00.5+08:00", "0001-01-01T00:00:00Z"]) {
    assertEquals(valueOf(time, good), good);
  }
  for (const wrong of ["2026-13-01T08:00:00Z", "2026-11-01", "now", 0, ""]) {
    assertEquals(codeOf(time, wrong), "type");
  }
  assertEquals(valueOf(bytes, "AAEC"), "AAEC");
  assertEquals([codeOf(bytes, "AAECAw=="), codeOf(bytes, "A".repeat(100)), codeOf(bytes, "%%%")], [
    "value",
    "value",
    "type",
  ]);
});

Deno.test("whatever is given, a value comes back as it went out as text, or a ParameterError says why not", () => {
  const types: ParameterType[] = [
    TEXT,
    { type: "int", min: -5 },
    { type: "unsignedInt" },
    { type: "boolean" },
    { type: "dateTime" },
    { type: "base64", maxLength: 8 },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.oneof(fc.anything(), fc.string(), fc.integer()),
      (type, input) => {
        if (codeOf(type, input) !== "taken") return;
        const value = valueOf(type, input);
        assertEquals(valueOf(type, textOfValue(value)), value);
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
});

Deno.test("an error never holds the value that it is about", () => {
  for (const type of [TEXT, { type: "dateTime" } as const, { type: "unsignedInt" } as const]) {
    const error = assertThrows(() => valueOf(type, "a-password-that-is-too-long"), ParameterError);
    assertEquals((error as Error).message.includes("password"), false);
  }
});

Deno.test("ranges are told in words", () => {
  assertEquals(rangeOf({ type: "unsignedInt", max: 1 }), "0 to 1");
  assertEquals(rangeOf({ type: "unsignedInt" }), "");
  assertEquals(rangeOf({ type: "string", minLength: 1, maxLength: 256 }), "1 to 256 characters");
  assertEquals(rangeOf({ type: "string", maxLength: 8, values: ["", "On"] }), "(empty), On");
});

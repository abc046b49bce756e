/**
 * What the tests of this folder share: arbitrary messages for property tests, and the rule that whatever bytes
 * come, a codec answers with a message or a ProtocolError. For tests only.
 *
 * @module
 */
import { assert } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";

/** Text as a field may hold it: well-formed, no control characters. */
export const anyText: fc.Arbitrary<string> = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) =>
  // deno-lint-ignore no-control-regex
  !/[\u0000-\u001f\u007f-\u009f]/.test(text) && text.isWellFormed()
);
const hexDigit = fc.constantFrom(..."0123456789ABCDEF");
/** 12 upper-case hex digits. */
export const anyMac: fc.Arbitrary<string> = fc.string({ unit: hexDigit, minLength: 12, maxLength: 12 });
/** 32 upper-case hex digits. */
export const anyHex32: fc.Arbitrary<string> = fc.string({ unit: hexDigit, minLength: 32, maxLength: 32 });
/** A port to send to. */
export const anyPort: fc.Arbitrary<number> = fc.integer({ min: 1, max: 65535 });
/** An `ID` of either type. */
export const anyId: fc.Arbitrary<string | number> = fc.oneof(anyText, fc.integer());
/** A `Result`. */
export const anyResult: fc.Arbitrary<number> = fc.integer({ min: -200, max: 100 });
const encoder = new TextEncoder();

/** Bytes of any value as JSON. */
export function json(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** A valid message with some bytes changed, removed, doubled or cut off. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat(4000),
    kind: fc.constantFrom("set", "drop", "double", "cut", "swap"),
    byte: fc.integer({ min: 0, max: 255 }),
  });
  return fc.tuple(valid, fc.array(change, { minLength: 1, maxLength: 4 })).map(([bytes, changes]) => {
    let out = [...bytes];
    for (const { at, kind, byte } of changes) {
      const i = out.length ? at % out.length : 0;
      if (kind === "set") out[i] = byte;
      else if (kind === "drop") out.splice(i, 1 + byte % 8);
      else if (kind === "double") out.splice(i, 0, ...out.slice(i, i + byte));
      else if (kind === "cut") out = out.slice(0, i);
      else out.reverse();
    }
    return new Uint8Array(out);
  });
}

/** Any JSON object with some names of the protocol among its keys. */
function strangeObjects(
  names: readonly string[],
  methods: readonly string[],
): fc.Arbitrary<Uint8Array> {
  const key = fc.oneof(
    fc.constantFrom(...names),
    fc.constantFrom("__proto__", "constructor", "toString"),
    fc.string(),
  );
  const method = fc.oneof(fc.constantFrom(...methods), fc.jsonValue());
  return fc.tuple(fc.dictionary(key, fc.jsonValue(), { maxKeys: 12 }), method, fc.boolean())
    .map(([object, method, named]) => json(named ? { RPCMethod: method, ...object } : object));
}

/** Feeds `decode` with random, mutated and strange bytes: nothing but ProtocolError may come out of it. */
export function assertHardened(
  decode: (bytes: Uint8Array) => unknown,
  valid: fc.Arbitrary<Uint8Array>,
  names: readonly string[],
  methods: readonly string[],
): void {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    mutated(valid),
    strangeObjects(names, methods),
  );
  fc.assert(
    fc.property(hostile, (bytes) => {
      try {
        decode(bytes);
      } catch (error) {
        assert(error instanceof ProtocolError, `threw ${error}`);
      }
    }),
    { numRuns: 2000 },
  );
}

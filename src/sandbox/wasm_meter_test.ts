import { assert, assertEquals, assertThrows } from "@std/assert";
import wasm from "@jitl/quickjs-wasmfile-release-sync/wasm" with { type: "bytes" };
import { ENGINE_TABLE, meterLoops } from "./wasm_meter.ts";

/**
 * A module by hand: it imports `a.ask: (i32) -> i32` and exports `run: (i32) -> i32`, which counts its argument down
 * to zero in a loop and returns 7. `body`: other code instead.
 */
function module(body: number[] = COUNT_DOWN): Uint8Array<ArrayBuffer> {
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  const section = (id: number, ...bytes: number[]) => [id, bytes.length, ...bytes];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
    ...section(2, 1, ...text("a"), ...text("ask"), 0, 0),
    ...section(3, 1, 0),
    ...section(5, 1, 0, 1),
    ...section(6, 1, 0x7f, 1, 0x41, 7, 0x0b),
    ...section(7, 1, ...text("run"), 0, 1),
    ...section(10, 1, body.length, ...body),
  ]);
}

// loop; local.get 0; i32.const 1; i32.sub; local.tee 0; br_if 0; end; global.get 0; end
const COUNT_DOWN = [0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x23, 0, 0x0b];
/** The same with a bulk operation on so many bytes in each turn: memory.fill or memory.copy. */
function bulk(size: number[], operation: number[]): number[] {
  return [0, 0x03, 0x40, 0x41, 0, 0x41, 0, 0x41, ...size, ...operation, ...COUNT_DOWN.slice(3)];
}
const FILL = [0xfc, 11, 0], COPY = [0xfc, 10, 0, 0];

async function run(bytes: Uint8Array<ArrayBuffer>, turns: number, ask: (what: number) => number) {
  const { instance } = await WebAssembly.instantiate(bytes, { a: { ask } });
  return (instance.exports["run"] as (turns: number) => number)(turns);
}

Deno.test("a loop asks now and then whether to go on, and does what it did before", async () => {
  const asked: number[] = [];
  const result = await run(meterLoops(module(), "ask"), 10_000_000, (what) => asked.push(what) && 0);
  assertEquals([result, asked], [7, Array(152).fill(0)]);
});

Deno.test("a loop that may not go on traps", async () => {
  const metered = meterLoops(module(), "ask");
  let asked = 0;
  const error = await run(metered, 0, () => ++asked === 3 ? 1 : 0).catch((error) => error);
  assert(error instanceof WebAssembly.RuntimeError, String(error));
  assertEquals(asked, 3);
});

Deno.test("filling and copying memory counts by how much it is", async () => {
  const asked = async (size: number[], operation: number[], turns: number) => {
    let count = 0;
    assertEquals(await run(meterLoops(module(bulk(size, operation)), "ask"), turns, () => (count++, 0)), 7);
    return count;
  };
  const whole = [0x80, 0x80, 4], few = [16]; // 65,536 bytes, 16 bytes
  for (const operation of [FILL, COPY]) {
    assertEquals(await asked(whole, operation, 1000), 62);
    assertEquals(await asked(few, operation, 1000), 0);
    assertEquals(await asked(few, operation, 100_000), 4);
  }
});

Deno.test("the engine's module passes through the meter and stays valid", () => {
  const metered = meterLoops(wasm, "i");
  assert(WebAssembly.validate(metered));
  const names = (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module.exports(new WebAssembly.Module(bytes));
  assertEquals(names(metered), [...names(wasm), { name: ENGINE_TABLE, kind: "table" }]);
});

Deno.test("a module that is cut off, unknown or lacks the question is refused", () => {
  assertThrows(() => meterLoops(module(), "other"), TypeError);
  const unknown = [0, 0xfe, 0, 0x0b];
  assertThrows(() => meterLoops(module(unknown), "ask"), RangeError, "0xfe");
  const whole = module();
  for (let length = 9; length < whole.length; length++) {
    const cut = whole.slice(0, length);
    if (WebAssembly.validate(cut)) assert(WebAssembly.validate(meterLoops(cut, "ask"))); // cut between sections
    else assertThrows(() => assert(WebAssembly.validate(meterLoops(cut, "ask"))), Error);
  }
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ScriptError, scripts } from "./mod.ts";

const LIMITS = { memoryBytes: 24 * 1024 * 1024, sliceMs: 50, loadMs: 500 };
const open = scripts(() => performance.now());

/** What a call of `choose` in `source` ends with. */
async function failure(source: string, args: string[] = []): Promise<ScriptError> {
  using script = await open(source, "choose", LIMITS);
  return assertThrows(() => script.call(args), ScriptError);
}

Deno.test("a script gets JSON and gives JSON, at once or by a promise that needs nobody else", async () => {
  using script = await open(
    `let calls = 0;
    export async function choose(a, { list }) { calls++; return [a, list.length, await calls, null]; }`,
    "choose",
    LIMITS,
  );
  assertEquals(script.call(["x", { list: [1, 2] }]), ["x", 2, 1, null]);
  assertEquals(script.call(["二", { list: [] }]), ["二", 0, 2, null]);
  using silent = await open("export function choose() {}", "choose", LIMITS);
  assertEquals(silent.call([]), undefined);
});

Deno.test("a script that does not load says why", async () => {
  for (
    const [source, why] of [
      ["export function choose( {", "SyntaxError"],
      ["export const choose = 1;", "exports no function"],
      ["throw new Error('at once'); export function choose() {}", "at once"],
      ["import './other.js'; export function choose() {}", "other.js"],
      ["for (;;); export function choose() {}", "held the processor"],
      ["await new Promise(() => {}); export function choose() {}", "never settles"],
    ] as const
  ) {
    const error = await assertRejects(() => open(source, "choose", { ...LIMITS, loadMs: 100 }), ScriptError);
    assert(error.message.includes(why), `${source}: ${error.message}`);
  }
});

Deno.test("a script that throws can be asked again, one that was broken off can't", async () => {
  using script = await open(
    "export function choose(what) { if (what === 'throw') throw new Error('no'); return what; }",
    "choose",
    LIMITS,
  );
  assertEquals(assertThrows(() => script.call(["throw"]), ScriptError).lost, false);
  assertEquals(script.call(["yes"]), "yes");
  for (
    const source of [
      "export function choose() { for (;;); }",
      "export async function choose() { for (;;) await null; }",
      "export function choose() { return new Promise(() => {}); }",
      "export function choose() { const all = []; for (;;) all.push(new Uint8Array(1 << 20)); }",
      "export function choose() { return 'x'.repeat(1 << 20).split('').sort().join('').replace(/(x+)+y/, ''); }",
    ]
  ) {
    using hostile = await open(source, "choose", LIMITS);
    const begun = performance.now(), error = assertThrows(() => hostile.call([]), ScriptError);
    assert(performance.now() - begun < 5000, source);
    if (!error.lost) continue; // it ended by itself, with an error
    assertEquals(
      assertThrows(() => hostile.call([]), ScriptError).message,
      "the script was broken off before",
    );
  }
});

Deno.test("a script reaches nothing of the program around it, and answers nothing that is no JSON", async () => {
  using script = await open(
    `export function choose() {
      return Object.getOwnPropertyNames(globalThis).filter((name) => /deno|fetch|process|timeout|require/i.test(name));
    }`,
    "choose",
    LIMITS,
  );
  assertEquals(script.call([]), []);
  assert((await failure("export function choose() { const a = {}; a.a = a; return a; }")).message !== "");
  assert((await failure("export function choose() { return 'x'.repeat(1 << 24); }")).message !== "");
  assert((await failure("export function choose() { throw null; }")).message !== "");
  // Who tampers with the built-ins tampers with itself alone.
  using evil = await open(
    `Array.prototype[Symbol.iterator] = null; JSON.stringify = () => '{"value":"forged"}'; Promise.prototype.then = null;
    export function choose() { return "own"; }`,
    "choose",
    LIMITS,
  );
  try {
    assert(["own", undefined].includes(evil.call([]) as string));
  } catch (error) {
    assert(error instanceof ScriptError);
  }
});

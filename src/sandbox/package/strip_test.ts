import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { PackageError } from "./errors.ts";
import { stripTypes } from "./strip.ts";

async function strip(text: string): Promise<string> {
  return (await stripTypes(new Map([["a.ts", text]]))).get("a.ts")!;
}

Deno.test("types are replaced by blanks: every other character stays where it is", async () => {
  const text = `interface A { a: string }
import type { B } from "./b.ts";
class P<T> { private x: number = 1; declare y: T; m(this: P<T>, u?: T): asserts u is T {} }
export const f = async <T,>(x: T): Promise<T> => (x as unknown as T)!;
`;
  const code = await strip(text);
  assertEquals(code.length, text.length);
  for (let i = 0; i < text.length; i++) {
    // A blank, the same character, or a semicolon that keeps two statements apart.
    assert(code[i] === text[i] || code[i] === " " || code[i] === ";" || code[i] === ")", `${i}: ${code[i]}`);
  }
  assert(!/interface|number|Promise|unknown/.test(code), code);
});

Deno.test("sources that overflow the compiler's stack are refused, and the next one is served", async () => {
  for (const piece of ["(", "[", "a=>", "if(1)", "let a:{b:"]) {
    const error = await assertRejects(() => strip(piece.repeat(50_000) + "1"), PackageError);
    assertEquals(error.code, "typescript", piece);
  }
  assertEquals(await strip("let a: number = 1;"), "let a         = 1;");
});

Deno.test("a source that is too long is refused before any work is done", async () => {
  const error = await assertRejects(() => strip(" ".repeat((1 << 20) + 1)), PackageError);
  assertEquals(error.code, "size");
});

Deno.test("a compiler that does not answer in time is given up", async () => {
  const clock = new FakeClock();
  const late = assertRejects(() => stripTypes(new Map([["a.ts", "let a: number;"]]), clock), PackageError);
  // The worker takes real milliseconds to start: all of the fake time passes before it can answer.
  await Promise.resolve();
  await clock.advance(20_000);
  assertEquals((await late).message, "the compiler takes too long");
  assertEquals(clock.pendingTimers, 0);
});

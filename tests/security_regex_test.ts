/**
 * Every regular expression of the program against texts that make careless ones take for ever.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parse, type Token } from "acorn";
import { transformSync } from "@swc/wasm-typescript";

const ROOT = new URL("../src/", import.meta.url);

/** The sources that run in the product: no tests, and no stages of theirs. */
async function* sources(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (/(?<!_test)(?<!\.d)\.ts$/.test(name) && !/^testing/.test(name)) yield new URL(name, folder);
  }
}

/** Every regular expression that stands in the sources, with where. */
async function expressions(): Promise<Map<string, { regex: RegExp; where: string }>> {
  const found = new Map<string, { regex: RegExp; where: string }>();
  for await (const url of sources(ROOT)) {
    const { code } = transformSync(await Deno.readTextFile(url), { mode: "transform" });
    const tokens: Token[] = [];
    parse(code, { ecmaVersion: "latest", sourceType: "module", onToken: tokens });
    for (const token of tokens) {
      if (token.type.label !== "regexp") continue;
      const { pattern, flags } = (token as Token & { value: { pattern: string; flags: string } }).value;
      const regex = new RegExp(pattern, flags.replace(/[gy]/g, ""));
      found.set(String(regex), { regex, where: url.pathname.slice(ROOT.pathname.length) });
    }
  }
  return found;
}

/** What is repeated, and what ends it so that nothing fits any more. */
const PUMPS = [
  ...[
    "a",
    "A",
    "0",
    "F",
    " ",
    "\t",
    ".",
    "-",
    "_",
    ":",
    ",",
    ";",
    "=",
    "/",
    "\\",
    '"',
    "'",
    "%",
    "&",
    "+",
    "*",
    "(",
  ],
  ...[
    "[",
    "{",
    "<",
    "@",
    "\r",
    "\n",
    "\r\n",
    "é",
    "a.",
    "0.",
    "a-",
    "a:",
    "0:",
    "a,",
    "a;",
    "a=",
    "a ",
    " a",
    "%0",
  ],
  ...["/a", "\\a", "a/", '"a', "0a", "aA", "a0-", "\\\\", "../", "::", "--"],
];
const HEADS = ["", "a", '"'], ENDS = ["\u0000"];

/** Milliseconds of the slowest text of this length. */
function slowest(regex: RegExp, length: number): { ms: number; pump: string } {
  let worst = { ms: 0, pump: "" };
  for (const pump of PUMPS) {
    const body = pump.repeat(Math.ceil(length / pump.length));
    for (const head of HEADS) {
      for (const end of ENDS) {
        const text = head + body + end, begun = performance.now();
        regex.test(text);
        const ms = performance.now() - begun;
        if (ms > worst.ms) worst = { ms, pump: JSON.stringify(head + pump + "…" + end) };
      }
    }
    if (worst.ms > 100) break;
  }
  return worst;
}

Deno.test("no regular expression of the program takes long for any of many texts that trip up careless ones", async () => {
  const all = await expressions();
  assert(all.size > 100, `${all.size} were found`);
  const slow: string[] = [];
  for (const { regex, where } of all.values()) {
    // What grows exponentially shows at 30 characters, what grows with the cube at a thousand.
    for (const length of [30, 1000]) {
      let { ms, pump } = slowest(regex, length);
      // A busy machine is slow once; an expression is slow each time.
      if (ms > 100) ({ ms, pump } = slowest(regex, length));
      if (ms > 100) {
        slow.push(`${where}: ${regex} takes ${Math.round(ms)} ms for ${length} characters of ${pump}`);
        break;
      }
    }
  }
  assertEquals(slow, []);
});

/**
 * The table of clauses in docs/cmpp.md: no clause is missing, and each test that it names is there.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { GnsResult } from "../src/platform/sms/gns/codes.ts";
import { ConnectStatus, Result } from "../src/protocol/cmpp/mod.ts";

const ROOT = new URL("../", import.meta.url);
const document = await Deno.readTextFile(new URL("docs/cmpp.md", ROOT));

/** Clauses of chapter 8 by how many messages each defines below it; the standard's table of contents. */
const MESSAGES: Readonly<Record<string, readonly number[]>> = {
  "8.4": [2, 2, 2, 2, 2, 2, 2],
  "8.5": [0, 0, 0, 2],
  "8.6": [0, 0, 2, 2, 2, 2, 2, 2, 2, 2],
  "8.7": [0, 0, 0, 0],
};
const CLAUSES = [
  ...["7.1", "7.2", "7.3", "7.4", "8.1", "8.2", "8.3"],
  ...Object.entries(MESSAGES).flatMap(([part, counts]) => [
    part,
    ...counts.flatMap((count, i) => [
      `${part}.${i + 1}`,
      ...Array.from({ length: count }, (_, j) => `${part}.${i + 1}.${j + 1}`),
    ]),
  ]),
];

/** The cells of the table whose first column is headed so. */
function rowsOf(head: string): string[][] {
  const lines = document.split("\n"), at = lines.findIndex((line) => line.startsWith(`| ${head} `));
  assert(at >= 0, head);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  return lines.slice(at + 2, end).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

async function sourceOf(file: string): Promise<string> {
  const folders = ["", "src/", "src/protocol/", "src/platform/"];
  for (const folder of folders) {
    const text = await Deno.readTextFile(new URL(folder + file, ROOT)).catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`no file ${file}`);
}

/** The names of a file's tests, as they stand there. */
function namesIn(source: string): string[] {
  return [...source.matchAll(/(?:Deno\.test\(\s*|name:\s*)(["`])(.*?)\1/g)].map(([, , name]) => name!);
}

Deno.test("each clause of chapters 7 and 8 has one row, and each test that it names is there", async () => {
  const rows = rowsOf("clause");
  assertEquals(rows.map(([clause]) => clause!).filter((clause) => /^\d/.test(clause)), CLAUSES);
  for (const [clause, , tests] of rows) {
    const files = [...tests!.matchAll(/`([^`]+)`([^`]*)/g)];
    assert(files.length > 0, `${clause} names no test`);
    for (const [, file, listed] of files) {
      const names = [...listed!.matchAll(/“(.*?)( …)?”/g)].map(([, name]) => name!);
      assert(names.length > 0, `${clause}: ${file} without the name of a test`);
      const there = namesIn(await sourceOf(file!));
      for (const name of names) {
        assertEquals(there.filter((one) => one.startsWith(name)).length, 1, `${clause}: ${file}: ${name}`);
      }
    }
  }
});

Deno.test("every Result and Status has its cause in the document, and none is given without a meaning", () => {
  const codesIn = (head: string) =>
    rowsOf(head).flatMap(([codes]) => codes!.split(",").map((code) => Number(code.trim())));
  const missing = (known: object, head: string) => {
    const codes = codesIn(head);
    return Object.values(known).filter((code) => !codes.includes(code));
  };
  // 71 and 82 are of FWD, 13 is of both: what SUBMIT has none of is in the other table.
  const forwards = codesIn("FWD_RESP");
  assertEquals(missing(Result, "SUBMIT_RESP").filter((code) => !forwards.includes(code)), []);
  assertEquals(missing(ConnectStatus, "CONNECT_RESP"), []);
  assertEquals(missing(GnsResult, "name server"), []);
});

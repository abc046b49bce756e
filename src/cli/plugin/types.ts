/**
 * The types of a plug-in, checked by a compiler that the author has: `deno`, else `tsc`. None is part of the program.
 *
 * @module
 */
import { resolve } from "@std/path";
import { messageOf } from "../../base/mod.ts";
import type { Remark } from "./remarks.ts";

/** The compilers, in the order in which they are asked, by their names on PATH. */
export const COMPILERS = ["deno", "tsc"] as const;
/** The file of declarations that `plugin new` writes. */
const DECLARATIONS = "gatehouse.d.ts";

/** What came of it: what the compiler that was asked found, or why none was. */
export type TypeCheck =
  | { readonly compiler: string; readonly remarks: readonly Remark[] }
  | { readonly unchecked: string };

/** What a compiler's process gave; undefined where there is no such program. */
export type RunCompiler = (
  program: string,
  args: readonly string[],
  folder: string,
) => Promise<{ readonly success: boolean; readonly output: string } | undefined>;

/** The longest that a compiler may take, in milliseconds, and the most of its findings that are told. */
const COMPILE_MS = 120_000;
const MOST_REMARKS = 100;

/**
 * Files to the compilers: no configuration of the folder's, nothing fetched, nothing written. `tsc` is told what
 * `deno` takes for granted.
 */
const ARGS: Readonly<Record<typeof COMPILERS[number], readonly string[]>> = {
  deno: ["check", "--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm"],
  tsc: [
    ...["--noEmit", "--pretty", "false", "--strict", "--allowJs", "--allowImportingTsExtensions"],
    ...["--target", "esnext", "--module", "esnext", "--moduleResolution", "bundler", "--types", ""],
  ],
};

/** Checks a plug-in's folder. Its declarations must lie in it: without them there is nothing to check against. */
export async function checkTypes(place: string, run: RunCompiler = runCompiler): Promise<TypeCheck> {
  if (!(await Deno.stat(place)).isDirectory) return { unchecked: "it is no folder" };
  const names = (await Array.fromAsync(Deno.readDir(place))).flatMap(({ name, isFile }) =>
    isFile ? [name] : []
  );
  if (!names.includes(DECLARATIONS)) return { unchecked: `no ${DECLARATIONS} beside it` };
  const files = names.filter((name) => /\.[jt]s$/.test(name) && !/^\.|\.d\.ts$/.test(name)).sort();
  for (const compiler of COMPILERS) {
    const found = await run(compiler, [...ARGS[compiler], ...files.map((name) => `./${name}`)], place);
    if (!found) continue;
    const remarks = compiler === "deno" ? ofDeno(found.output, resolve(place)) : ofTsc(found.output);
    if (!found.success && remarks.length === 0) {
      const text = found.output.trim().replace(/^error: /, "").slice(0, 1000);
      return { compiler, remarks: [{ severity: "fault", text: text === "" ? `${compiler} failed` : text }] };
    }
    return { compiler, remarks: remarks.slice(0, MOST_REMARKS) };
  }
  return { unchecked: "no compiler" };
}

/** `TS2322 [ERROR]: …`, the line, a mark, and `at file:///…:3:7`, all of it with blanks in front where it explains. */
function ofDeno(output: string, folder: string): Remark[] {
  return output.split(/^(?=TS\d+ \[ERROR\]: )/m).flatMap((part): Remark[] => {
    const [, code, text] = /^(TS\d+) \[ERROR\]: (.*(?:\n {2,}(?!at ).*)*)/.exec(part) ?? [];
    if (code === undefined) return [];
    const [, url, line, column] = /^ {4}at (file:\/\/\/\S+):(\d+):(\d+)$/m.exec(part) ?? [];
    const path = url === undefined ? undefined : decodeURIComponent(new URL(url).pathname);
    const file = path?.startsWith(folder + "/") ? path.slice(folder.length + 1) : undefined;
    return [fault(code, text!.split("\n")[0]!, file, line, column)];
  });
}

/** `plugin.ts(3,7): error TS2322: …` */
function ofTsc(output: string): Remark[] {
  return output.split("\n").flatMap((text) => {
    const [, file, line, column, code, what] =
      /^(?:(.+?)\((\d+),(\d+)\): )?error (TS\d+): (.*)$/.exec(text) ?? [];
    return code === undefined ? [] : [fault(code, what!, file, line, column)];
  });
}

function fault(
  code: string,
  text: string,
  file: string | undefined,
  line: string | undefined,
  column: string | undefined,
): Remark {
  const at = file === undefined || line === undefined
    ? {}
    : { file, line: Number(line), column: Number(column) };
  return { severity: "fault", text: `${text} (${code})`, ...at };
}

async function runCompiler(program: string, args: readonly string[], folder: string) {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      cwd: folder,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      signal: AbortSignal.timeout(COMPILE_MS),
    }).output();
    return { success, output: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n") };
  } catch (error) {
    // Not there, or not one of the programs that may be started.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return undefined;
    return { success: false, output: `${program} can't be run: ${messageOf(error)}` };
  }
}

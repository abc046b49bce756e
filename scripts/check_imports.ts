// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Fails where an import points up or sideways in the house, or enters a folder past its face.
 *
 * `deno task check-imports`
 *
 * @module
 */
import { filesUnder, textOf } from "./lib/files.ts";
import { checkImports } from "./lib/imports.ts";

const paths = ["main.ts", ...await filesUnder(["src", "scripts", "tests"], [".ts", ".tsx"])];
const files = new Map(await Promise.all(paths.map(async (path) => [path, await textOf(path)] as const)));
const problems = checkImports(files);
for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`);
console.log(`check-imports: ${files.size} files, ${problems.length} problems`);
Deno.exit(problems.length > 0 ? 1 : 0);

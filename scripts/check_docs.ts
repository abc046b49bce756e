// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Fails where a document or a docstring is missing, leads nowhere, or says other than the code.
 *
 * `deno task check-docs` · `--write` brings the tables of settings in docs/operating.md, and of parameters in
 * docs/parameters.md, up to date.
 *
 * @module
 */
import {
  between,
  brokenLinks,
  missingFiles,
  missingHead,
  replaceBetween,
  unequalSections,
} from "./lib/docs.ts";
import { filesUnder, ROOT, textOf } from "./lib/files.ts";
import type { Problem } from "./lib/imports.ts";
import { parameterTables } from "./lib/parameters_markdown.ts";
import { settingsTable } from "./lib/settings_markdown.ts";

const OPERATING = "docs/operating.md";
const problems: Problem[] = [];

const sources = ["main.ts", ...await filesUnder(["src", "scripts"], [".ts"])];
for (const file of sources.filter((path) => !path.endsWith("_test.ts"))) {
  problems.push(...missingHead(file, await textOf(file)));
}
problems.push(...await undocumented(sources.filter((path) => /^src\/.*\/mod\.ts$/.test(path))));

const top = (await Array.fromAsync(Deno.readDir(ROOT))).map(({ name }) => name).filter((name) =>
  name.endsWith(".md")
);
const papers = [...top, ...await filesUnder(["docs"], [".md"])];
const documents = new Map(await Promise.all(papers.map(async (path) => [path, await textOf(path)] as const)));
problems.push(...brokenLinks(documents, exists), ...missingFiles(documents, exists));
const [readme, translation] = ["README.md", "README.zh-CN.md"];
problems.push(
  ...unequalSections([readme, documents.get(readme) ?? ""], [translation, documents.get(translation) ?? ""]),
);
problems.push(...await settings(Deno.args.includes("--write")));
problems.push(...await parameters(Deno.args.includes("--write")));

for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`);
console.log(`check-docs: ${sources.length} sources, ${papers.length} documents, ${problems.length} problems`);
Deno.exit(problems.length > 0 ? 1 : 0);

/** Exported symbols without a docstring, as Deno's own documentation tool sees them. */
async function undocumented(faces: string[]): Promise<Problem[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...faces],
    cwd: ROOT,
  }).output();
  if (code !== 0) return [{ file: "src", line: 1, message: new TextDecoder().decode(stderr).trim() }];
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as { nodes: Record<string, DocModule> };
  return Object.values(nodes).flatMap(({ symbols = [] }) =>
    symbols.flatMap(({ name, declarations }) => {
      // A reference is to another face, which is looked at by itself.
      const own = declarations.filter(({ kind, location }) =>
        kind !== "reference" && location.filename.startsWith(`file://${ROOT}`)
      );
      if (own.length === 0 || own.some(({ jsDoc }) => jsDoc?.doc)) return [];
      const { filename, line } = own[0]!.location;
      const file = filename.slice(`file://${ROOT}`.length);
      return [{ file, line: line + 1, message: `"${name}" is exported and has no docstring` }];
    })
  );
}

interface DocModule {
  readonly symbols?: readonly {
    readonly name: string;
    readonly declarations: readonly {
      readonly kind: string;
      readonly location: { readonly filename: string; readonly line: number };
      readonly jsDoc?: { readonly doc?: string };
    }[];
  }[];
}

/** The tables in the operator's guide against the table in the code. */
async function settings(write: boolean): Promise<Problem[]> {
  let text = documents.get(OPERATING);
  if (text === undefined) return [{ file: OPERATING, line: 1, message: "is missing" }];
  const found: Problem[] = [];
  for (const role of ["both", "platform", "gateway"] as const) {
    const mark = `settings: ${role}`, table = `\n${settingsTable(role)}\n`;
    if (same(between(text, mark), table)) continue;
    if (write) text = replaceBetween(text, mark, table);
    else {found.push({
        file: OPERATING,
        line: 1,
        message: `its table of "${mark}" is old: run check-docs --write`,
      });}
  }
  if (write) await Deno.writeTextFile(`${ROOT}/${OPERATING}`, text);
  return found;
}

/** The tables of parameters against the definitions. */
async function parameters(write: boolean): Promise<Problem[]> {
  const file = "docs/parameters.md", mark = "parameters";
  const text = documents.get(file) ?? "", tables = `\n${parameterTables()}\n`;
  if (same(between(text, mark), tables)) return [];
  if (!write) return [{ file, line: 1, message: `its tables are old: run check-docs --write` }];
  await Deno.writeTextFile(`${ROOT}/${file}`, replaceBetween(text, mark, tables));
  return [];
}

/** Whether two tables say the same: the formatter may have put other space into one. */
function same(a: string | undefined, b: string): boolean {
  const plain = (text: string) => text.replace(/\s+/g, " ").replace(/-{3,}/g, "---").trim();
  return a !== undefined && plain(a) === plain(b);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(`${ROOT}/${path}`);
    return true;
  } catch {
    return false;
  }
}

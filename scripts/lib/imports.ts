/**
 * The rules of who may import whom, as a function of the files' texts.
 *
 * @module
 */

/** What is wrong, and where. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** The floors of the house: a folder of `src/` may import from the floors below its own only. */
export const FLOORS: Readonly<Record<string, number>> = {
  base: 0,
  protocol: 1,
  // For programs of others: it leans on nothing here.
  client: 1,
  net: 2,
  storage: 2,
  cluster: 2,
  control: 3,
  sandbox: 3,
  sp_client: 3,
  // What needs both the sandbox's packages and HTTP, and both roles need.
  trust: 3.5,
  gateway: 4,
  platform: 4,
  cli: 5,
};

/** What a folder may not import although it stands below. */
const STRANGERS: Readonly<Record<string, readonly string[]>> = {
  // Plug-ins could be anybody's: their sandbox knows no telecoms.
  sandbox: ["protocol"],
};

/** Files of a folder, besides its `mod.ts`, that others may import. */
const FACES = [/\/mod\.ts$/, /^src\/(gateway|platform)\/settings\.ts$/];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

/** Checks files by their path from the repository's root (`src/net/udp.ts`). */
export function checkImports(files: ReadonlyMap<string, string>): Problem[] {
  const problems: Problem[] = [];
  const imports: Import[] = [];
  for (const [file, text] of files) {
    for (const found of importsOf(text)) {
      if (found.specifier.startsWith(".")) {
        imports.push({ from: file, to: resolve(file, found.specifier), ...found });
      } else if (/^(npm|jsr|https?):/.test(found.specifier)) {
        const message = `"${found.specifier}": name it in the import map of deno.json`;
        problems.push({ file, line: found.line, message });
      }
    }
    if (/^src\/protocol\/(?!.*_test\.ts$)/.test(file)) problems.push(...impurities(file, text));
  }
  for (const one of imports) {
    const message = direction(one) ?? face(one);
    if (message) problems.push({ file: one.from, line: one.line, message });
  }
  problems.push(...folderCycles(imports), ...fileCycles(imports));
  return problems.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}

/** Every import and export from elsewhere, with its line. Comments do not count. */
export function importsOf(text: string): { specifier: string; line: number; typeOnly: boolean }[] {
  const code = withoutComments(text);
  const pattern =
    /^[ \t]*(?:import|export)\b(\s+type\b)?[^"'`;()=]*?\bfrom\s*["']([^"']+)["']|^[ \t]*import\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/gm;
  return [...code.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4]!;
    const at = match.index + match[0].lastIndexOf(specifier);
    return { specifier, line: code.slice(0, at).split("\n").length, typeOnly: match[1] !== undefined };
  });
}

/** The text with its comments blanked out, so that lines stay where they are. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, " ");
  return text.replace(/^\s*\/\*[\s\S]*?\*\/|(?<=[\s;{(])\/\*\*[\s\S]*?\*\//gm, blank)
    .replace(/^\s*\/\/.*$/gm, blank);
}

function direction({ from, to }: Import): string | undefined {
  const here = top(from), there = top(to);
  if (here === undefined) return undefined; // main.ts, tests and scripts stand above the house
  if (there === undefined) {
    // Data files (plugins/*.js, declarations, deno.json) may be embedded; code outside src may not be leant on.
    return /(?<!\.d)\.(ts|tsx)$/.test(to)
      ? `imports "${to}": src may not lean on code outside src`
      : undefined;
  }
  if (here === there) return undefined;
  const mine = FLOORS[here], below = FLOORS[there];
  if (mine === undefined || below === undefined) {
    return `"${mine === undefined ? here : there}" has no floor: enter it in scripts/lib/imports.ts`;
  }
  if (below >= mine) return `"${here}" (floor ${mine}) may not import "${there}" (floor ${below})`;
  if (STRANGERS[here]?.includes(there)) return `"${here}" may know nothing of "${there}"`;
  return undefined;
}

/** A folder is entered through its face, from wherever outside it. */
function face({ from, to }: Import): string | undefined {
  if (!to.startsWith("src/") || !/\.tsx?$/.test(to)) return undefined;
  const folder = to.slice(0, to.lastIndexOf("/") + 1);
  if (from.startsWith(folder) || FACES.some((pattern) => pattern.test(to))) return undefined;
  // Tests and benchmarks may use the inside of what they test, and what the tests of others share.
  if (
    !from.startsWith("src/") || /_test\.ts$|\/testing(\.ts$|\/)/.test(from) || /\/testing(\.ts$|\/)/.test(to)
  ) {
    return undefined;
  }
  return `imports "${to}" from outside its folder: only "${folder}mod.ts" may be`;
}

function impurities(file: string, text: string): Problem[] {
  const problems: Problem[] = [];
  withoutComments(text).split("\n").forEach((code, index) => {
    const found = /\bDeno\.|\bfrom "node:(?!crypto")|\bsetTimeout\b|\bDate\.now\b|\bfetch\(|\bMath\.random\b/
      .exec(code);
    if (found) {
      problems.push({
        file,
        line: index + 1,
        message: `"${found[0]}": protocol is pure, without input, output or clock`,
      });
    }
  });
  return problems;
}

/** Cycles among the folders of the house beside each other, at every depth. */
function folderCycles(imports: readonly Import[]): Problem[] {
  const graph = new Map<string, Map<string, Import>>();
  for (const one of imports) {
    if (!one.from.startsWith("src/") || /_test\.ts$|\/testing(\.ts$|\/)/.test(one.from)) continue;
    const edge = siblings(one.from, one.to);
    if (!edge) continue;
    const targets = graph.get(edge[0]) ?? new Map<string, Import>();
    if (!targets.has(edge[1])) targets.set(edge[1], one);
    graph.set(edge[0], targets);
  }
  return cycles(graph).map((cycle) => {
    const { from, line } = graph.get(cycle[0]!)!.get(cycle[1]!)!;
    return { file: from, line, message: `folders import each other in a circle: ${cycle.join(" -> ")}` };
  });
}

/** Cycles among files; type imports vanish when the program runs, and may go in circles. */
function fileCycles(imports: readonly Import[]): Problem[] {
  const graph = new Map<string, Map<string, Import>>();
  for (const one of imports) {
    if (one.typeOnly) continue;
    const targets = graph.get(one.from) ?? new Map<string, Import>();
    graph.set(one.from, targets.set(one.to, one));
  }
  return cycles(graph).map((cycle) => {
    const { from, line } = graph.get(cycle[0]!)!.get(cycle[1]!)!;
    return { file: from, line, message: `files import each other in a circle: ${cycle.join(" -> ")}` };
  });
}

/** The folders at which two paths part, where both go on below: `src/a/x.ts`, `src/b/y.ts` -> `src/a`, `src/b`. */
function siblings(from: string, to: string): [string, string] | undefined {
  const a = from.split("/"), b = to.split("/");
  let depth = 0;
  while (a[depth] === b[depth] && depth < Math.min(a.length, b.length)) depth++;
  if (depth >= a.length - 1 || depth >= b.length - 1) return undefined;
  return [a.slice(0, depth + 1).join("/"), b.slice(0, depth + 1).join("/")];
}

/** One cycle for each knot in the graph, from its first node back to it. */
function cycles(graph: ReadonlyMap<string, ReadonlyMap<string, unknown>>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>(), path: string[] = [];
  const visit = (node: string) => {
    const at = path.indexOf(node);
    if (at >= 0) return void found.push([...path.slice(at), node]);
    if (done.has(node)) return;
    path.push(node);
    for (const next of graph.get(node)?.keys() ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return found;
}

function top(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function resolve(file: string, specifier: string): string {
  return new URL(specifier, `file:///${file}`).pathname.slice(1);
}

/**
 * The tables of docs/capabilities.md against the shipped plug-ins and the tests.
 *
 * @module
 */

/** A command of a shipped plug-in. */
export interface ShippedCommand {
  readonly plugin: string;
  readonly command: string;
  readonly right: string;
  /** A local call has to show the password. */
  readonly auth: boolean;
}

/** A row: cells by the heading of their column. */
export interface CatalogueRow {
  readonly command: string;
  readonly right: string;
  readonly linux: string;
  readonly simulated: string;
  /** Names of tests in `tests/catalogue/` or `tests/`, without their ending. */
  readonly tests: readonly string[];
}

/** The rows of every table whose first column is `command`. */
export function rowsOf(markdown: string): CatalogueRow[] {
  const rows: CatalogueRow[] = [];
  let columns: string[] | undefined;
  for (const line of markdown.split("\n")) {
    const cells = /^\|(.*)\|\s*$/.exec(line)?.[1]?.split("|").map((cell) => cell.trim());
    if (!cells) columns = undefined;
    else if (!columns) columns = cells;
    else if (columns[0] === "command" && !/^:?-+:?$/.test(cells[0]!)) {
      const cell = (name: string) => cells[columns!.indexOf(name)] ?? "";
      rows.push({
        command: cell("command").replaceAll("`", ""),
        right: cell("right"),
        linux: cell("Linux"),
        simulated: cell("simulated"),
        tests: [...cell("tests").matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name!),
      });
    }
  }
  return rows;
}

/**
 * Whether a test's text calls a command: outside of comments it is an argument of a call or in a list, `ask("A")` or
 * `["A", "B"]`, in a file that has tests.
 */
export function calls(text: string, command: string): boolean {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return /\bDeno\.test\(/.test(code) && new RegExp(`[([,]\\s*"${command}"\\s*[,)\\]]`).test(code);
}

/**
 * What does not agree. `textOf`: the text of a file of tests, undefined where there is none.
 */
export function catalogueFaults(
  shipped: readonly ShippedCommand[],
  rows: readonly CatalogueRow[],
  textOf: (test: string) => string | undefined,
): string[] {
  const faults: string[] = [];
  for (const { plugin, command, right, auth } of shipped) {
    const own = rows.filter((row) => row.command === command);
    if (own.length !== 1) faults.push(`${command} of ${plugin}: ${own.length} rows`);
    const wanted = right + (auth ? " †" : "");
    for (const row of own) {
      if (row.right !== wanted) faults.push(`${command}: its right is "${wanted}", not "${row.right}"`);
    }
  }
  for (const { command, linux, simulated, tests } of rows) {
    if (!shipped.some((one) => one.command === command)) {
      faults.push(`${command}: no plug-in that ships has it`);
    }
    if (linux === "" || simulated === "") {
      faults.push(`${command}: nothing about Linux or the simulated gateway`);
    }
    // One for the simulated gateway and one for the real system, where they are not the same.
    if (tests.length < (simulated === "same" ? 1 : 2)) faults.push(`${command}: ${tests.length} tests`);
    for (const test of tests) {
      const text = textOf(test);
      if (text === undefined) faults.push(`${command}: there is no test ${test}.ts`);
      else if (!calls(text, command)) faults.push(`${command}: ${test} does not call it`);
    }
  }
  return faults;
}

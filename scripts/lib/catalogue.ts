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
 * What does not agree. `textOf`: the text of a test, undefined where there is none. A test runs a
 * command where it names it between quotes.
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
      else if (!text.includes(`"${command}"`)) faults.push(`${command}: ${test} does not call it`);
    }
  }
  return faults;
}

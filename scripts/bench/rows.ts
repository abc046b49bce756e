// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * What every benchmark gives, and how it is printed.
 *
 * @module
 */

/** One measured figure. `ratio`: to the figure that it stands beside. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Figures of the same unit that stand in one line, by column: at several sizes, of several databases. */
  readonly figures?: Readonly<Record<string, number>>;
  readonly ratio?: number;
  /** What it should reach: of the ratio if there is one, else of the value; or it says of which. */
  readonly goal?: string;
}

/** Prints a table for people, as `docs/benchmarks.md` has them. */
export function printRows(title: string, rows: readonly BenchRow[]): void {
  console.log(`\n${title}\n\n${tableOf(rows)}`);
}

/** The rows as a table in Markdown. A column that no row fills is left out. */
export function tableOf(rows: readonly BenchRow[]): string {
  const columns = [...new Set(rows.flatMap(({ figures = {} }) => Object.keys(figures)))];
  const lines = rows.map(({ name, value, unit, figures, ratio, goal }) => [
    figures && unit !== "" ? `${name}, ${unit}` : name,
    ...columns.map((column) => figures?.[column] === undefined ? "" : figureOf(figures[column])),
    figures ? "" : `${figureOf(value)} ${unit}`.trimEnd(),
    ratio === undefined ? "" : figureOf(ratio),
    goal ?? "",
  ]);
  const heads = ["", ...columns, "figure", "ratio", "goal"];
  const filled = heads.flatMap((_, i) => i === 0 || lines.some((line) => line[i] !== "") ? [i] : []);
  const cells = [heads, ...lines].map((line) => filled.map((i) => line[i]!));
  const widths = filled.map((_, i) => Math.max(3, ...cells.map((line) => line[i]!.length)));
  const print = (line: readonly string[]) =>
    `| ${line.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = print(widths.map((width) => "-".repeat(width)));
  return [print(cells[0]!), rule, ...cells.slice(1).map(print)].join("\n");
}

function figureOf(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en")
    : value.toFixed(2);
}

/** The value at `share` (0 to 1) of the sorted `values`. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

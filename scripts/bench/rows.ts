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
  readonly ratio?: number;
  /** What it should reach: of the ratio if there is one, else of the value. */
  readonly goal?: string;
}

/** Prints a table for people. */
export function printRows(title: string, rows: readonly BenchRow[]): void {
  console.log(`\n${title}`);
  for (const { name, value, unit, ratio, goal } of rows) {
    const figure = value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
    console.log(
      `  ${name.padEnd(58)} ${figure.padStart(10)} ${unit.padEnd(8)}` +
        (ratio === undefined ? "" : ` x${ratio.toFixed(2)}`) + (goal === undefined ? "" : `   goal: ${goal}`),
    );
  }
}

/** The value at `share` (0 to 1) of the sorted `values`. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/**
 * Where the author's commands write, and what they know of their surroundings; a test stands in for it.
 *
 * @module
 */

/** The surroundings of a command. */
export interface Terminal {
  /** Whether it is this process's own: its permissions may be given up. */
  readonly isProcess?: boolean;
  /** A line to standard output. */
  readonly print: (line: string) => void;
  /** A line to standard error. */
  readonly complain: (line: string) => void;
  readonly readVariable: (name: string) => string | undefined;
  /** Resolves when the user wants to stop. Listens for that from the first call on. */
  readonly interrupted: () => Promise<void>;
}

/** Rows with their columns under each other; `right`: columns of numbers. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, width(cell)));
  }
  return rows.map((row) =>
    row.map((cell, i) => {
      const space = " ".repeat(widths[i]! - width(cell));
      return right.includes(i) ? space + cell : cell + space;
    }).join("  ").trimEnd()
  );
}

/** 1.5 KB, 12 MB. */
export function size(bytes: number | null | undefined): string {
  if (bytes === undefined || bytes === null) return "-";
  const sign = bytes < 0 ? "-" : "", value = Math.abs(bytes);
  if (value < 1024) return `${sign}${value} B`;
  const [scaled, unit] = value < 1024 * 1024 ? [value / 1024, "KB"] : [value / 1024 / 1024, "MB"];
  return `${sign}${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${unit}`;
}

/** 0.21 ms, 3.4 ms, 120 ms. */
export function time(ms: number): string {
  return `${ms < 1 ? ms.toFixed(2) : ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** A text from elsewhere as it may stand on a terminal: no control characters but line breaks. */
export function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "?");
}

/** Columns that a text takes: wide characters take two. */
function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/.test(char) ? 2 : 1;
  }
  return columns;
}

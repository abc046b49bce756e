/**
 * Reading how a run of `deno test` ended.
 *
 * @module
 */

/** How many tests there were. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** The last summary line in what `deno test` printed; undefined where there is none. */
export function summaryOf(output: string): Summary | undefined {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\u001b\[[\d;]*m/g, "");
  const lines = plain.split("\n").filter((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const count = (name: string) => Number(new RegExp(`\\| (\\d+) ${name}\\b`).exec(last)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), ignored: count("ignored") };
}

// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Runs the tests, the examples in docstrings included, and closes with one plain line: `N passed, N failed`.
 *
 * `deno task test [FILES AND FLAGS OF deno test]` · where CI is set, a test that is ignored fails the run.
 *
 * @module
 */
import { type Summary, summaryOf } from "./lib/summary.ts";

/** What tests may do: sockets, temporary files, processes (the program itself, compilers, `ping`, `kill`). */
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
];

// Never as a module: `deno test` imports whatever it takes for a test, and this would start it again.
if (import.meta.main) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--no-prompt", "--doc", ...PERMISSIONS, ...Deno.args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    for (let at = 0; at < chunk.length;) at += Deno.stdout.writeSync(chunk.subarray(at));
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4096);
  }
  const { code } = await child.status;
  Deno.exit(close(code, summaryOf(tail)));
}

/** Prints the closing line; gives the exit code. */
function close(code: number, summary: Summary | undefined): number {
  if (!summary) return code || 1; // the tests never ran: what kept them from it was printed
  const { passed, failed, ignored } = summary;
  if (ignored > 0) console.log(`${ignored} ignored: every test must run`);
  console.log(`${passed} passed, ${failed} failed`);
  if (ignored > 0 && Deno.env.get("CI")) return code || 1;
  return code;
}

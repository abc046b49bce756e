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

/** Tests that break servers or nodes and wait for leases, and what is run once more on PostgreSQL. */
const CLUSTER = [
  ...["cluster", "cluster_bus", "cluster_faults", "cluster_partition", "degraded_postgres", "exclusive"],
  ...["postgres", "push_kill", "webhooks_lost"],
].map((name) => `tests/${name}_test.ts`);

/**
 * Everything, in groups that take about as long as each other: most of a test is waiting. A test that is not named is
 * in the group of its folder. What runs beside each other shares nothing.
 */
const GROUPS = [
  { name: "flows", args: ["tests", `--ignore=${CLUSTER}`] },
  { name: "parts", args: ["--ignore=tests"] },
  { name: "cluster", args: CLUSTER },
];

// Never as a module: `deno test` imports whatever it takes for a test, and this would start it again.
if (import.meta.main) {
  const whole = Deno.args.every((arg) => arg.startsWith("-"));
  const runs = whole ? GROUPS.map(({ name, args }) => ({ name, args: [...Deno.args, ...args] })) : [
    { name: "tests", args: Deno.args },
  ];
  // The first one is seen as it goes, the others when they have ended.
  const ends = await Promise.all(runs.map(({ args }, i) => run(args, i === 0)));
  if (whole) console.log(runs.map(({ name }, i) => `${name} ${ends[i]!.seconds} s`).join(", "));
  const sums = ends.map(({ summary }) => summary).filter((summary) => summary !== undefined);
  const total = sums.length < ends.length ? undefined : sums.reduce((a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
  }));
  Deno.exit(close(ends.find(({ code }) => code !== 0)?.code ?? 0, total));
}

/** Runs `deno test`; what it prints is shown at once, or at its end. */
async function run(
  args: readonly string[],
  atOnce: boolean,
): Promise<{ code: number; summary: Summary | undefined; seconds: number }> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--no-prompt", "--doc", ...PERMISSIONS, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: atOnce ? "inherit" : "piped",
  }).spawn();
  const [out, err] = await Promise.all([
    collect(child.stdout, atOnce),
    atOnce ? "" : collect(child.stderr, false),
  ]);
  const { code } = await child.status;
  if (!atOnce) write(new TextEncoder().encode(err + out));
  const seconds = Math.round((performance.now() - began) / 1000);
  return { code, summary: summaryOf(out.slice(-4096)), seconds };
}

/** What a stream says, shown on the way where that is wanted. */
async function collect(stream: ReadableStream<Uint8Array>, show: boolean): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (show) write(chunk);
    text += decoder.decode(chunk, { stream: true });
    if (show) text = text.slice(-4096);
  }
  return text;
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
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

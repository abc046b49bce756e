// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Builds the executable.
 *
 * `deno task compile [--target TRIPLE]… [--output FILE]` · targets: the two that Deno builds for on Linux, or `all`;
 * default: this machine's. DENORT_BIN names a base program where Deno's download host is out of reach.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import { COMPILED_PERMISSIONS } from "./lib/permissions.ts";

const TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
const ROOT = fromFileUrl(new URL("..", import.meta.url));

const options = parseArgs(Deno.args, {
  string: ["target", "output"],
  boolean: ["help"],
  collect: ["target"],
  unknown: (name: string) => fail(`unknown option "${name}": --target and --output are allowed`, 2),
});
if (options.help) {
  console.log(`deno task compile [--target ${TARGETS.join("|")}|all]... [--output FILE]`);
  Deno.exit(0);
}
const targets = (options.target as string[]).flatMap((target) => target === "all" ? TARGETS : [target]);
for (const target of targets) {
  if (!TARGETS.includes(target)) {
    fail(`--target "${target}" is not allowed: ${TARGETS.join(", ")} or all is`, 2);
  }
}
if (options.output !== undefined && targets.length > 1) fail("--output is for one target", 2);
const base = Deno.env.get("DENORT_BIN");
if (base && targets.some((target) => target !== Deno.build.target)) {
  fail(`DENORT_BIN is a base program for this machine: --target is not allowed with it`, 2);
}

for (const target of targets.length ? targets : [undefined]) {
  await compile(target, options.output ?? `dist/gatehouse${target ? `-${target}` : ""}`);
}

async function compile(target: string | undefined, output: string): Promise<void> {
  const began = performance.now();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    cwd: ROOT,
    args: [
      "compile",
      "--quiet",
      "--no-prompt",
      ...COMPILED_PERMISSIONS,
      ...(target ? ["--target", target] : []),
      // Workers are started by their paths, which the compiler does not follow.
      "--include",
      "src/sandbox/package/strip_worker.ts",
      "--include",
      "src/storage/backup_worker.ts",
      "--include",
      "src/net/udp_thread_worker.ts",
      "--output",
      output,
      "main.ts",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr).trim();
  if (code !== 0) {
    // Reached by name (the download host) or by what Deno says of the archive it wanted.
    if (/denort|dl\.deno\.land|[Dd]ownload|error sending request/.test(said)) {
      fail(
        `the base program (denort) for Deno ${Deno.version.deno} can't be downloaded: connect this machine to the ` +
          `internet, or name a denort of the same version with DENORT_BIN\n${said}`,
        1,
      );
    }
    fail(`deno compile failed\n${said}`, 1);
  }
  if (said) console.error(said);
  const { size } = await Deno.stat(output.startsWith("/") ? output : ROOT + output);
  console.log(
    `${output}: ${(size / 1e6).toFixed(1)} MB in ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
}

function fail(message: string, code: number): never {
  console.error(`compile: ${message}`);
  Deno.exit(code);
}

/**
 * Cutting the power in the middle of changes of a plug-in: each change is begun in a process that is killed at one of
 * its steps, and then the plug-in must be whole: as before the change, or as after it.
 *
 * @module
 */
import { type Bench, makeBench, pluginSource } from "./fixture.ts";

/** A version whose files each know their version, so that a mixture shows. */
export function versionFiles(version: string): Record<string, string> {
  const head = `import { b } from "./lib/b.js";\nimport { c } from "./lib/deep/c.js";\n/*${
    "x".repeat(20_000)
  }*/`;
  return {
    "plugin.js": pluginSource("p", { V: `() => ({ a: "${version}", b, c })` }, { version, head }),
    "lib/b.js": `export const b = "${version}";\n`,
    "lib/deep/c.js": `export const c = "${version}";\n`,
  };
}

/** How the plug-in lies in the folder before the change, and the change. */
interface Scenario {
  readonly name: string;
  readonly change: "install" | "roll back" | "remove";
  prepare(bench: Bench, version: string): Promise<void>;
}

const install = (bench: Bench, version: string) => bench.manager.install("p", versionFiles(version));
const SCENARIOS: readonly Scenario[] = [
  { name: "first installation", change: "install", prepare: () => Promise.resolve() },
  {
    name: "upgrade",
    change: "install",
    async prepare(bench, version) {
      for (const earlier of ["a", "b", "c"]) await install(bench, `${version}-${earlier}`);
      await install(bench, version);
    },
  },
  {
    name: "upgrade of a dropped file",
    change: "install",
    async prepare(bench, version) {
      const source = pluginSource(
        "p",
        { V: `() => ({ a: "${version}", b: "${version}", c: "${version}" })` },
        {
          version,
        },
      );
      await Deno.writeTextFile(`${bench.dir}/p.js`, source);
      await bench.manager.rescan();
    },
  },
  {
    name: "upgrade of a dropped folder",
    change: "install",
    async prepare(bench, version) {
      await Deno.mkdir(`${bench.dir}/p/lib/deep`, { recursive: true });
      for (const [path, text] of Object.entries(versionFiles(version))) {
        await Deno.writeTextFile(`${bench.dir}/p/${path}`, text);
      }
      await bench.manager.rescan();
    },
  },
  {
    name: "rollback",
    change: "roll back",
    async prepare(bench, version) {
      await install(bench, "0.5");
      await install(bench, version);
    },
  },
  { name: "removal", change: "remove", prepare: (bench, version) => install(bench, version).then(() => {}) },
];

/** What a {@linkcode cutLoop} came to. */
export interface CutResult {
  /** Changes that were cut off, of which so many had come into force, and those that came to their end. */
  cuts: number;
  after: number;
  complete: number;
  /** What was wrong, a line each. */
  readonly broken: string[];
}

/**
 * Cuts every scenario at every step (at every `stride`-th), again and again until there were `cuts` of them.
 * `onCut` is told how far it is.
 */
export async function cutLoop(
  cuts: number,
  stride = 1,
  onCut: (result: CutResult) => void = () => {},
): Promise<CutResult> {
  const result: CutResult = { cuts: 0, after: 0, complete: 0, broken: [] };
  for (let round = 0; result.cuts < cuts; round++) {
    for (const scenario of SCENARIOS) {
      for (let step = 1 + round % stride, done = false; !done; step += stride) {
        done = await cut(scenario, step, result);
        if (done) result.complete++;
        else result.cuts++;
        onCut(result);
      }
    }
  }
  return result;
}

/** Whether the change came to its end before the step. */
async function cut(scenario: Scenario, step: number, result: CutResult): Promise<boolean> {
  await using bench = await makeBench("inline");
  await scenario.prepare(bench, "1.0");
  await bench.manager[Symbol.asyncDispose]();
  const main = new URL("./cut_main.ts", import.meta.url).pathname;
  const root = bench.dir.slice(0, -"/plugins".length);
  const { stdout, stderr, signal } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--cached-only", "--allow-read", "--allow-write"],
      ...["--allow-run", "--allow-env", main, root, scenario.change, "2.0", String(step)],
    ],
    stdin: "null",
  }).output();
  if (signal !== "SIGKILL") throw new Error(new TextDecoder().decode(stderr));
  const done = new TextDecoder().decode(stdout) === "done\n";

  await bench.restart();
  const target = { install: "2.0", "roll back": "0.5", remove: undefined }[scenario.change];
  const former = scenario.name === "first installation" ? undefined : "1.0";
  const what = `${scenario.name}, step ${step}`;
  const status = bench.manager.get("p");
  let found: string | undefined;
  if (status) {
    const reply = await bench.call("p", "V").catch((error) => ({ a: String(error) }));
    found = String(reply["a"]);
    if (new Set(Object.values(reply)).size !== 1 || status.state !== "running") {
      result.broken.push(`${what}: ${status.state} ${JSON.stringify(reply)}`);
    }
  }
  if (found !== target && (done || found !== former)) {
    result.broken.push(`${what}: ${found ?? "absent"}${done ? " in the end" : ""}`);
  }
  if (!done && found === target) result.after++;
  const names = [...Deno.readDirSync(bench.dir)].map(({ name }) => name);
  const left = names.includes("p") ? [...Deno.readDirSync(`${bench.dir}/p`)].map(({ name }) => name) : [];
  if (names.length > 1 || [...names, ...left].some((name) => name.startsWith("."))) {
    result.broken.push(`${what}: left behind: ${[...names, ...left].join(" ")}`);
  }
  return done;
}

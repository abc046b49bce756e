/**
 * Cutting the power in the middle of changes of a plug-in: each change is begun in a process that is killed at one of
 * its steps, and then the plug-in must be whole: as before the change, or as after it.
 *
 * @module
 */
import { silentLog, systemClock } from "../../base/mod.ts";
import { packPlugin, TrustStore } from "../package/mod.ts";
import type { SigningKey } from "../package/signature.ts";
import { filesOf, freshKey } from "../package/testing.ts";
import { type Bench, makeBench, pluginSource } from "./fixture.ts";

/** What it keeps, so that a test sees when that goes. */
const KEEPS = { capabilities: ["storage"] };
const KEEP = `async (_, host) => { await host.storage.set("kept", true); return {}; }`;

/** A version whose files each know their version, so that a mixture shows. */
export function versionFiles(version: string): Record<string, string> {
  const head = `import { b } from "./lib/b.js";\nimport { c } from "./lib/deep/c.js";\n/*${
    "x".repeat(20_000)
  }*/`;
  return {
    "plugin.js": pluginSource("p", { V: `() => ({ a: "${version}", b, c })`, KEEP }, {
      version,
      head,
      ...KEEPS,
    }),
    "lib/b.js": `export const b = "${version}";\n`,
    "lib/deep/c.js": `export const c = "${version}";\n`,
  };
}

/** A gateway that runs what is signed and nothing else: the key, and `trust.json` beside the folders. */
export async function openTrust(root: string): Promise<TrustStore> {
  return await TrustStore.open({ clock: systemClock, log: silentLog }, {
    path: trustPath(root),
    requireSigned: "all",
  });
}

/** Where the trusted keys are; not there: nobody asks for any. */
export function trustPath(root: string): string {
  return `${root}/trust.json`;
}

/** Where the package of a version is that is signed. */
export function packagePath(root: string, version: string): string {
  return `${root}/${version}.ghp`;
}

/** How the plug-in lies in the folder before the change, and the change. */
interface Scenario {
  readonly name: string;
  readonly change: "install" | "roll back" | "remove";
  /** Versions are packages, signed by a key that is trusted, where all must be. */
  readonly signed?: true;
  prepare(bench: Bench, version: string, key?: SigningKey): Promise<void>;
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
  {
    name: "removal",
    change: "remove",
    async prepare(bench, version) {
      await install(bench, version);
      await bench.call("p", "KEEP");
    },
  },
  {
    name: "first installation of a signed package",
    change: "install",
    signed: true,
    prepare: async () => {},
  },
  {
    name: "upgrade of a signed package",
    change: "install",
    signed: true,
    async prepare(bench, version, key) {
      for (const one of ["0.5", version]) await bench.manager.install("p", await packed(one, key!));
    },
  },
  {
    name: "upgrade of a dropped package",
    change: "install",
    signed: true,
    async prepare(bench, version, key) {
      await Deno.writeFile(`${bench.dir}/p.ghp`, await packed(version, key!));
      await bench.manager.rescan();
    },
  },
];

async function packed(version: string, key: SigningKey): Promise<Uint8Array<ArrayBuffer>> {
  return (await packPlugin(filesOf(versionFiles(version)), { keys: [key] })).bytes;
}

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
  let trust: TrustStore | undefined;
  await using bench = await makeBench("inline", {}, {
    ...scenario.signed && { admit: (program) => trust!.admit(program) },
  });
  const root = bench.dir.slice(0, -"/plugins".length);
  if (scenario.signed) {
    const key = await freshKey();
    using own = trust = await openTrust(root);
    await own.add({ publicKey: key.publicKey, tier: "vendor" });
    await Deno.writeFile(packagePath(root, "2.0"), await packed("2.0", key));
    await scenario.prepare(bench, "1.0", key);
  } else await scenario.prepare(bench, "1.0");
  await bench.manager[Symbol.asyncDispose]();
  const main = new URL("./cut_main.ts", import.meta.url).pathname;
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
  const former = scenario.name.startsWith("first installation") ? undefined : "1.0";
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
  if (scenario.change === "remove") {
    // What it kept is there as long as it is itself, and not a moment longer.
    const kept = await Deno.stat(`${bench.stateDir}/storage/p.json`).then(() => true, () => false);
    if (kept !== (found !== undefined)) result.broken.push(`${what}: storage ${kept ? "left" : "lost"}`);
  }
  const names = [...Deno.readDirSync(bench.dir)].map(({ name }) => name);
  const left = names.includes("p") ? [...Deno.readDirSync(`${bench.dir}/p`)].map(({ name }) => name) : [];
  if (names.length > 1 || [...names, ...left].some((name) => name.startsWith("."))) {
    result.broken.push(`${what}: left behind: ${[...names, ...left].join(" ")}`);
  }
  return done;
}

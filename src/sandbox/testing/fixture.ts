/**
 * What the tests and benchmarks of the sandbox share: a manager on a temporary folder, and small plug-ins.
 *
 * @module
 */
import { type Deps, Metrics, silentLog, systemClock, systemRandom } from "../../base/mod.ts";
import type { HostCommand } from "../host_process.ts";
import { createPluginManager } from "../manager.ts";
import type { PluginManager, PluginManagerOptions } from "../types.ts";

/** The machine's own clock and randomness, and a log that nobody reads. */
export function testDeps(more: Partial<Deps> = {}): Deps {
  return { clock: systemClock, random: systemRandom, log: silentLog, metrics: new Metrics(), ...more };
}

/** Starts the plug-in host from its sources, with this Deno. */
export function hostCommand(): HostCommand {
  const env: Record<string, string> = {};
  for (const name of ["HOME", "DENO_DIR", "XDG_CACHE_HOME"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  const main = new URL("./host_main.ts", import.meta.url).pathname;
  return { command: Deno.execPath(), args: ["run", "--quiet", "--no-prompt", "--cached-only", main], env };
}

/** The source of a plug-in. `commands`: the members of its `commands` object; each may be called from both sides. */
export function pluginSource(
  name: string,
  commands: Readonly<Record<string, string>>,
  more: {
    version?: string;
    capabilities?: readonly string[];
    limits?: Readonly<Record<string, number>>;
    head?: string;
  } = {},
): string {
  const manifest = {
    name,
    version: more.version ?? "1.0",
    apiVersion: "2026-11-01",
    commands: Object.fromEntries(Object.keys(commands).map((command) => [command, { right: "both" }])),
    capabilities: more.capabilities ?? [],
    limits: more.limits ?? {},
  };
  const members = Object.entries(commands).map(([command, run]) => `  ${command}: ${run},\n`).join("");
  return `export const manifest = ${JSON.stringify(manifest)};\n${more.head ?? ""}\n` +
    `export const commands = {\n${members}};\n`;
}

/** A manager on a temporary folder of its own, removed in the end. */
export interface Bench extends AsyncDisposable {
  readonly dir: string;
  readonly stateDir: string;
  manager: PluginManager;
  /** Calls a command from the LAN side. */
  call(plugin: string, command: string, request?: Record<string, string>): Promise<Record<string, unknown>>;
  /** Stops the manager and starts another on the same folders. */
  restart(): Promise<void>;
}

/** Makes a {@linkcode Bench}. `files`: what lies in the plug-ins folder before the manager starts. */
export async function makeBench(
  isolation: "process" | "shared" | "inline",
  files: Readonly<Record<string, string>> = {},
  options: Partial<PluginManagerOptions> = {},
  deps: Deps = testDeps(),
): Promise<Bench> {
  const root = await Deno.makeTempDir({ prefix: "gatehouse-sandbox-" });
  const dir = `${root}/plugins`, stateDir = `${root}/state`;
  await Deno.mkdir(dir);
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${dir}/${name}`, text);
  const start = () =>
    createPluginManager(deps, {
      dir,
      stateDir,
      isolation,
      capabilities: {},
      ...(isolation !== "inline" ? { hostCommand: hostCommand() } : {}),
      ...options,
    });
  const bench: Bench = {
    dir,
    stateDir,
    manager: await start(),
    call(plugin, command, request = {}) {
      return bench.manager.call({ plugin, command, request, origin: "local" });
    },
    async restart() {
      await bench.manager[Symbol.asyncDispose]();
      bench.manager = await start();
    },
    async [Symbol.asyncDispose]() {
      await bench.manager[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
  return bench;
}

/**
 * Killing a real gateway (SIGKILL) in the middle of what its control API was asked to do with plug-ins, again and
 * again. After each start every plug-in must be whole: as before, or as it was to become; and as it was to become where
 * that was acknowledged.
 *
 * @module
 */
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { packPlugin } from "../../src/sandbox/package/mod.ts";
import { filesOf } from "../../src/sandbox/package/testing.ts";
import { pluginSource } from "../../src/sandbox/testing/fixture.ts";
import { type Program, startProgram } from "../../scripts/lib/program.ts";
import { type FileServer, startFileServer } from "./file_server.ts";
import { ADMIN_TOKEN } from "./platform.ts";
import { identity } from "./scripted_gateway.ts";

const NAME = "com.example.p", SHIPPED = "system-monitor";
/** A kill comes within so many milliseconds: longer than any of the changes takes. */
const WITHIN_MS = 400;

/** What it came to. */
export interface PluginKillResult {
  rounds: number;
  /** Changes that were acknowledged before the kill; of the others, those in force and those that are as before. */
  acknowledged: number;
  after: number;
  before: number;
  /** What was wrong, a line each. */
  readonly broken: string[];
}

/** A change, and what the plug-in's version is to be then; undefined: it is not there. */
interface Change {
  readonly what: string;
  readonly plugin: string;
  readonly target: string | undefined;
  ask(): Promise<boolean>;
}

/** Kills so many times. */
export async function pluginKillLoop(
  rounds: number,
  seed = 1,
  onRound: (result: PluginKillResult) => void = () => {},
): Promise<PluginKillResult> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-plugin-kill-" });
  const packages: Record<string, Uint8Array<ArrayBuffer>> = {};
  await using files = startFileServer(packages);
  const stage = new Stage(folder, files, packages, seededRandom(seed));
  const result: PluginKillResult = { rounds: 0, acknowledged: 0, after: 0, before: 0, broken: [] };
  try {
    await stage.start();
    for (; result.rounds < rounds; result.rounds++) {
      await stage.round(result);
      onRound(result);
    }
  } finally {
    await stage.stop();
    await Deno.remove(folder, { recursive: true });
  }
  return result;
}

class Stage {
  #gateway: Program | undefined;
  /** The versions as they are, by plug-in. */
  readonly #versions = new Map<string, string | undefined>([[NAME, undefined], [SHIPPED, "1.0"]]);
  #last = 0;

  constructor(
    private readonly folder: string,
    private readonly files: FileServer,
    private readonly packages: Record<string, Uint8Array<ArrayBuffer>>,
    private readonly random: Random,
  ) {}

  async start(): Promise<void> {
    const me = identity(1);
    this.#gateway = await startProgram("gateway", [
      ...["--mgt-url", "127.0.0.1", "--port", "9", "--mac", me.mac, "--sn", me.sn, "--loid", me.loid],
      ...["--local", "127.0.0.1:0", "--control", "127.0.0.1:0", "--driver", "simulated"],
      ...["--plugins", `${this.folder}/plugins`, "--isolation", "inline"],
    ], { dataDir: `${this.folder}/data`, env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } });
  }

  async stop(): Promise<void> {
    await this.#gateway?.[Symbol.asyncDispose]();
  }

  async round(result: PluginKillResult): Promise<void> {
    const change = await this.#change(), former = this.#versions.get(change.plugin);
    let acknowledged = false;
    const asked = change.ask().then((done) => acknowledged = done, () => {});
    await new Promise((resolve) => setTimeout(resolve, this.random.float() * WITHIN_MS));
    const sure = acknowledged;
    this.#gateway!.kill("SIGKILL");
    await this.#gateway!.status;
    await asked;
    await this.stop();
    await this.start();
    const found = await this.#check(result.broken, `${change.what}, round ${result.rounds}`);
    const now = found.get(change.plugin);
    if (sure) result.acknowledged++;
    else if (now === change.target) result.after++;
    else result.before++;
    if (now !== change.target && (sure || now !== former)) {
      result.broken.push(
        `${change.what}, round ${result.rounds}: ${now ?? "absent"}, was ${former ?? "absent"}`,
      );
    }
    for (const [plugin, version] of found) this.#versions.set(plugin, version);
  }

  /** The versions that run, by their own word. What is wrong is told. */
  async #check(broken: string[], what: string): Promise<Map<string, string | undefined>> {
    const { items } = await (await this.#ask("GET", "/plugins")).json() as {
      items: { name: string; state: string; version?: string; error?: string }[];
    };
    for (const { name, state, error } of items) {
      if (state !== "running") broken.push(`${what}: ${name} is ${state}: ${error}`);
    }
    const found = new Map<string, string | undefined>([[NAME, undefined], [SHIPPED, undefined]]);
    for (const { name, version } of items) if (found.has(name)) found.set(name, version);
    if (found.get(NAME) !== undefined) {
      const call = await this.#ask("POST", `/plugins/${NAME}/call`, { parameter: { CmdType: "V" } });
      const { reply } = await call.json();
      const [version] = new Set([reply.a, reply.b, found.get(NAME)]);
      if (reply.a !== version || reply.b !== version) {
        broken.push(`${what}: a mixture ${JSON.stringify(reply)}`);
      }
    }
    for await (const { name } of Deno.readDir(`${this.folder}/plugins`)) {
      if (name.startsWith(".")) broken.push(`${what}: left behind: ${name}`);
    }
    return found;
  }

  async #change(): Promise<Change> {
    const version = `1.${++this.#last}`,
      ways = ["source", "package", "address", "factory", "remove"] as const;
    const way = ways[Math.floor(this.random.float() * ways.length)]!;
    const there = this.#versions.get(NAME) !== undefined;
    const ok = async (answer: Promise<Response>) => {
      const response = await answer;
      await response.body?.cancel();
      return response.ok;
    };
    if (way === "factory") {
      // First something to be brought back from.
      if (this.#versions.get(SHIPPED) !== undefined) await ok(this.#ask("DELETE", `/plugins/${SHIPPED}`));
      this.#versions.set(SHIPPED, undefined);
      const ask = () => ok(this.#ask("POST", `/plugins/${SHIPPED}/factory`));
      return { what: way, plugin: SHIPPED, target: "1.0", ask };
    }
    if (way === "remove" && there) {
      return {
        what: way,
        plugin: NAME,
        target: undefined,
        ask: () => ok(this.#ask("DELETE", `/plugins/${NAME}`)),
      };
    }
    const sources = {
      "plugin.js": pluginSource(NAME, { V: `() => ({ a: manifest.version, b })` }, {
        version,
        head: `import { b } from "./b.js";\n/*${"x".repeat(40_000)}*/`,
      }),
      "b.js": `export const b = "${version}";\n`,
    };
    const { bytes } = await packPlugin(filesOf(sources), {});
    this.packages[`/${version}.ghp`] = bytes;
    const asks = {
      source: () => ok(this.#ask("POST", "/plugins", { name: NAME, version, files: sources })),
      package: () => ok(this.#ask("POST", "/plugins", bytes)),
      address: () => this.#fromAddress(version),
    };
    const chosen = way === "remove" ? "source" : way;
    return { what: chosen, plugin: NAME, target: version, ask: asks[chosen] };
  }

  async #fromAddress(version: string): Promise<boolean> {
    const url = `${this.files.url}/${version}.ghp`;
    await (await this.#ask("POST", "/plugin-installs", { name: NAME, version, url })).body?.cancel();
    for (;;) {
      const { state } = await (await this.#ask("GET", `/plugin-installs/${NAME}`)).json();
      if (state === "installed") return true;
      if (state === "failed") return false;
    }
  }

  #ask(method: string, path: string, body?: unknown): Promise<Response> {
    const packed = body instanceof Uint8Array;
    return fetch(`http://127.0.0.1:${this.#gateway!.ports.control}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        "content-type": packed ? "application/gzip" : "application/json",
      },
      ...body === undefined ? {} : { body: packed ? body as Uint8Array<ArrayBuffer> : JSON.stringify(body) },
    });
  }
}

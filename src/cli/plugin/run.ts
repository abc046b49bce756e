/**
 * `gatehouse plugin run`: on a gateway while its author works on it.
 *
 * @module
 */
import { GatehouseError, sleep, systemClock, type Timer } from "../../base/mod.ts";
import type { SigningKey } from "../../sandbox/package/mod.ts";
import { EXIT, StartError } from "../errors.ts";
import { path } from "../parsers.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";
import { CONTROL_OPTIONS, ControlClient } from "./control_client.ts";
import { installOnGateway } from "./install.ts";
import { privateKeyIn } from "./keys.ts";
import { printLogs } from "./logs.ts";
import { PLUGIN_PATH, type Project, readProject } from "./project.ts";
import { signed } from "./sign.ts";
import type { Terminal } from "./terminal.ts";

/** How long the files must be quiet before they are read, and how often the log is, in milliseconds. */
const QUIET_MS = 100;
const LOG_MS = 300;

const command: Command = {
  name: "run",
  summary: "runs it on a gateway and shows its log; --watch: again at each change",
  about:
    `The plug-in is installed and its log is shown until it is interrupted. With --watch it is installed again whenever
a file of it changes; a version with faults is told, and the one before goes on. It stays on the gateway. A gateway that
asks for signatures takes what --key signs, if it trusts that key.`,
  positionals: [PLUGIN_PATH],
  options: {
    ...CONTROL_OPTIONS,
    watch: { help: "installs it again at each change" },
    key: { kind: path("FILE"), help: "a private key to sign each version with, as keygen makes it" },
  },
  examples: [
    "GATEHOUSE_ADMIN_TOKEN=... gatehouse plugin run greeter --watch",
    "gatehouse plugin run greeter --key example.key --to http://192.168.1.1:8081 --token-file token",
  ],
  failure: "the plug-in has faults, or the gateway does not answer",
  givesUp: ASKS_OTHERS,
  async run(input, terminal) {
    const place = input.words[0]!,
      api = await ControlClient.open(input, terminal),
      watch = input.has("watch");
    if (await api.role() !== "gateway") throw new StartError(`${api.url.origin} is no gateway: use install`);
    const keyFile = input.value<string>("key");
    const key = keyFile === undefined ? undefined : await privateKeyIn(keyFile);
    const stop = new AbortController();
    terminal.interrupted().then(() => stop.abort());
    // Watched before it is read for the first time, so that no change falls between the two.
    using watcher = watch ? Deno.watchFs(place, { recursive: true }) : undefined;
    const session = new Session(api, terminal, key);
    if (!await session.put(place) && !watch) return EXIT.failed;
    const watching = watcher ? session.follow(watcher, place, stop.signal) : undefined;
    while (await sleep(systemClock, LOG_MS, stop.signal).then(() => true, () => false)) {
      await session.showLog(place);
    }
    watcher?.close();
    await watching;
    return EXIT.ok;
  },
};
export default command;

class Session {
  #name: string | undefined;
  #seen: number | undefined;
  #digest = "";

  /** `key`: signs each version before it is installed. */
  constructor(
    private readonly api: ControlClient,
    private readonly terminal: Terminal,
    private readonly key: SigningKey | undefined,
  ) {}

  /** Installs what lies there; false where it could not be. Faults are told. */
  async put(place: string): Promise<boolean> {
    const began = performance.now(), { print, complain } = this.terminal;
    try {
      const project: Project = await readProject(place);
      const { name, version } = project.plugin.manifest;
      if (project.plugin.sha256 === this.#digest) return true; // saved without a change, or only a test
      const made = this.key ? await signed(project.bytes, this.key) : project;
      const { state } = await installOnGateway(this.api, made);
      this.#digest = project.plugin.sha256;
      if (this.#name !== name) [this.#name, this.#seen] = [name, undefined];
      print(
        `${name} ${version} is ${state} on ${this.api.url.origin}, in ${
          Math.round(performance.now() - began)
        } ms`,
      );
      return true;
    } catch (error) {
      if (!(error instanceof GatehouseError) && !(error instanceof Deno.errors.NotFound)) throw error;
      complain(`gatehouse: ${error.message}`);
      return false;
    }
  }

  /** Installs it again after each change. */
  async follow(watcher: Deno.FsWatcher, place: string, stopped: AbortSignal): Promise<void> {
    let quiet: Timer | undefined, turn: Promise<unknown> = Promise.resolve();
    for await (const { kind } of watcher) {
      if (stopped.aborted) break;
      if (kind === "access") continue;
      quiet?.cancel();
      quiet = systemClock.setTimer(() => turn = turn.then(() => this.put(place)), QUIET_MS);
    }
    quiet?.cancel();
    await turn;
  }

  /** Shows the lines that came since the last time. A gateway that is away for a while is no reason to end. */
  async showLog(place: string): Promise<void> {
    if (this.#name === undefined) return;
    try {
      const query = this.#seen === undefined ? { limit: 3 } : { after: this.#seen, limit: 1000 };
      this.#seen = await printLogs(this.api, this.#name, query, this.terminal.print, place);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
    }
  }
}

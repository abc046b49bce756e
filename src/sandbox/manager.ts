/**
 * The plug-in manager: brings what lies in the folder and what was asked for together with what runs, and routes
 * calls.
 *
 * Steps in the life of one plug-in happen one after the other (its turn); those of different plug-ins do not wait
 * for each other.
 *
 * @module
 */
import { join } from "@std/path";
import { type Deps, messageOf } from "../base/mod.ts";
import { checkOrigin, contentOf, type PluginContent } from "./content.ts";
import { createQuickJsEngine } from "./engine_quickjs.ts";
import { PluginError } from "./errors.ts";
import { Executor } from "./executor.ts";
import { Books, showFigures } from "./figures.ts";
import { WatchedFolder } from "./folder.ts";
import { type Guest, Guests, type OpenCall } from "./guests.ts";
import type { JsonObject } from "./json.ts";
import type { LogQuery, PluginLogLine } from "./log_lines.ts";
import { DEFAULT_CEILINGS, type Manifest, NAME, type Right, RIGHTS } from "./manifest.ts";
import { Plugin } from "./plugin.ts";
import { ProcessRunner } from "./process_runner.ts";
import type { Program } from "./engine.ts";
import { absent, Router } from "./router.ts";
import { fingerprintOf, readEntry } from "./source.ts";
import { DesiredStates } from "./store.ts";
import { Versions } from "./versions.ts";
import { HOST_API, hostApi, PluginStorage } from "./host_api/mod.ts";
import { checkCapabilities } from "./capabilities.ts";
import type { PluginCall, PluginManager, PluginManagerOptions, PluginStatus } from "./types.ts";

/** How long a plug-in that is stopped may take to finish its open calls, in milliseconds. */
const STOP_MS = 5_000;
/** A version that breaks within this time after it took over is taken back, in milliseconds. */
const PROBATION_MS = 3_600_000;
/** Versions kept beside the active one. */
const KEEP_VERSIONS = 2;

/** Starts a plug-in manager: resolves when every plug-in in the folder runs, or was found not to. */
export async function createPluginManager(deps: Deps, options: PluginManagerOptions): Promise<PluginManager> {
  for (const name of HOST_API) {
    if (Object.hasOwn(options.capabilities, name)) {
      throw new TypeError(`capability "${name}" is there already`);
    }
  }
  checkCapabilities(options.capabilities);
  if (options.isolation === "process" && !options.hostCommand) {
    throw new TypeError(`isolation "process" needs a hostCommand`);
  }
  await Deno.mkdir(options.dir, { recursive: true });
  const versions = new Versions(options.dir, options.keepVersions ?? KEEP_VERSIONS, options.onStep);
  await versions.recover();
  const desired = await DesiredStates.open(options.stateDir, deps.log);
  const manager = new Manager(deps, options, desired, versions);
  await manager.start();
  return manager;
}

class Manager implements PluginManager {
  readonly #guests: Guests;
  readonly #folder: WatchedFolder;
  readonly #router: Router;
  /** By entry of the folder, and of those that have one by name. */
  readonly #plugins = new Map<string, Plugin>();
  readonly #named = new Map<string, Plugin>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #maxPlugins: number;
  readonly #books: Books;
  readonly #storage: PluginStorage;
  readonly #tiers = new WeakMap<Guest, string>();
  #closed = false;

  constructor(
    private readonly deps: Deps,
    private readonly options: PluginManagerOptions,
    private readonly desired: DesiredStates,
    private readonly versions: Versions,
  ) {
    const { isolation, hostCommand } = options, { clock, random, log } = deps;
    const storage = this.#storage = new PluginStorage(join(options.stateDir, "storage"), clock, log);
    const capabilities = {
      ...hostApi({ clock, random, storage, call: (call) => this.#router.call(call) }),
      ...options.capabilities,
    };
    checkCapabilities(capabilities);
    this.#maxPlugins = options.maxPlugins ?? 100;
    this.#books = new Books(deps.clock, 2 * this.#maxPlugins, (name) => this.#named.has(name));
    this.#guests = new Guests({
      deps,
      capabilities,
      rules: {
        ceilings: { ...DEFAULT_CEILINGS, ...options.ceilings },
        capabilities: Object.keys(capabilities).sort(),
      },
      hostCallMs: options.hostCallMs ?? 60_000,
      logOf: (plugin) => this.#books.logOf(plugin, deps.log.with({ plugin })),
      makeRunner: (events) =>
        isolation === "process"
          ? new ProcessRunner(deps, hostCommand!, events)
          : new Executor(deps.clock, createQuickJsEngine(deps.clock.monotonic.bind(deps.clock)), events),
      events: { gone: (guest, reason, orphans) => this.#onGone(guest, reason, orphans) },
    });
    this.#router = new Router(this.#named, this.#guests, desired, this.#books, deps.clock);
    this.#folder = new WatchedFolder(options.dir, deps, ({ entry, fingerprint }) => {
      return this.#turn(
        entry,
        () => fingerprint === undefined ? this.#vanished(entry) : this.#appeared(entry),
      );
    });
    showFigures(deps.metrics, this.#books, () => this.list());
    deps.metrics.gauge("gatehouse_plugins_running", "Plug-ins that run", () => {
      let count = 0;
      for (const plugin of this.#plugins.values()) count += plugin.state === "running" ? 1 : 0;
      return count;
    });
  }

  async start(): Promise<void> {
    await this.#folder.scan();
    this.#folder.start();
  }

  get hostPid(): number | undefined {
    return this.#guests.hostPid;
  }

  hostMemoryBytes(): Promise<number | undefined> {
    return this.#guests.residentBytes();
  }

  list(): PluginStatus[] {
    return [...this.#plugins.values()].map((plugin) => this.#status(plugin))
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  get(name: string): PluginStatus | undefined {
    const plugin = this.#named.get(name);
    return plugin && this.#status(plugin);
  }

  manifest(name: string): Manifest | undefined {
    return this.#named.get(name)?.manifest;
  }

  logs(name: string, query: LogQuery = {}): PluginLogLine[] {
    const plugin = this.#find(name);
    if (!plugin) throw absent(name);
    return this.#books.of(plugin.name).lines.read(query);
  }

  rescan(): Promise<void> {
    return this.#folder.scan();
  }

  async install(
    name: string,
    files: PluginContent,
    expected: { readonly version?: string } = {},
  ): Promise<PluginStatus> {
    if (!NAME.test(name)) throw new PluginError("invalid", `"${name}" is no name for a plug-in`);
    const { program, kept } = await contentOf(name, files);
    if (!this.#named.has(name) && this.#plugins.size >= this.#maxPlugins) throw this.#tooMany();
    const former = this.#named.get(name)?.entry ?? name;
    const step = () => this.#turn(name, () => this.#install(name, program, kept, expected.version));
    return await (former === name ? step() : this.#turn(former, step));
  }

  async #install(
    name: string,
    program: Program,
    kept: Readonly<Record<string, string | Uint8Array>>,
    version: string | undefined,
  ): Promise<PluginStatus> {
    const known = this.#named.get(name), holder = this.#plugins.get(name);
    if (holder && holder !== known && holder.manifest) {
      throw new PluginError("invalid", `the folder "${name}" is that of another plug-in: "${holder.name}"`);
    }
    const guest = await this.#load(program, name, {
      replaces: known,
      health: true,
      check: (manifest) => {
        if (manifest.name !== name) {
          throw new PluginError(
            "invalid",
            `manifest.name: "${manifest.name}", not "${name}" as it is installed`,
          );
        }
        if (version !== undefined && manifest.version !== version) {
          throw new PluginError(
            "version",
            `its manifest says version "${manifest.version}", not "${version}"`,
          );
        }
      },
    });
    const replaces = known && known.entry !== name ? known.entry : undefined;
    let folder: string | undefined;
    try {
      folder = await this.versions.add(name, guest.manifest.version, kept);
      await this.versions.activate(name, folder, replaces);
    } catch (error) {
      this.#guests.unload(guest);
      if (folder !== undefined) await this.versions.discard(name, folder).catch(() => {});
      throw new PluginError("limit", `writing "${name}" failed: ${messageOf(error)}`, { cause: error });
    }
    const plugin = known ?? this.#plugins.get(name) ?? new Plugin(name);
    if (replaces !== undefined) {
      this.#folder.note(replaces, undefined);
      this.#plugins.delete(replaces);
      plugin.entry = name;
    }
    this.#folder.note(name, await fingerprintOf(this.options.dir, name));
    await this.#adopt(plugin, program, guest);
    return this.#status(plugin);
  }

  rollBack(name: string): Promise<PluginStatus> {
    return this.#turnOf(name, async (plugin) => {
      await this.#rollBack(plugin);
      return this.#status(plugin);
    });
  }

  async #rollBack(plugin: Plugin): Promise<void> {
    const { entry } = plugin, pointer = await this.versions.pointer(entry);
    const [folder] = pointer?.history ?? [];
    if (folder === undefined) {
      throw new PluginError("version", `no earlier version of "${plugin.name}" is kept`);
    }
    const program = await readEntry(this.options.dir, entry, folder);
    const guest = await this.#load(program, entry, { health: true });
    try {
      await this.versions.rollBack(entry);
    } catch (error) {
      this.#guests.unload(guest);
      throw error;
    }
    this.#folder.note(entry, await fingerprintOf(this.options.dir, entry));
    plugin.forgive();
    await this.#adopt(plugin, program, guest);
    plugin.switchedAt = undefined; // nobody rolls back from here by themselves
  }

  run(name: string): Promise<PluginStatus> {
    return this.#turnOf(name, async (plugin) => {
      await this.desired.set(plugin.name, "running");
      plugin.backoff?.cancel();
      plugin.forgive();
      if (!plugin.active) await this.#launch(plugin, true);
      return this.#status(plugin);
    });
  }

  stop(name: string): Promise<PluginStatus> {
    return this.#turnOf(name, async (plugin) => {
      await this.desired.set(plugin.name, "stopped");
      await this.#halt(plugin);
      this.#setState(plugin, "stopped", undefined);
      return this.#status(plugin);
    });
  }

  reload(name: string): Promise<PluginStatus> {
    return this.#turnOf(name, async (plugin) => {
      plugin.backoff?.cancel();
      await this.#appeared(plugin.entry, true);
      return this.#status(plugin);
    });
  }

  remove(name: string): Promise<void> {
    return this.#turnOf(name, (plugin) => this.#drop(plugin, true));
  }

  async setRight(name: string, command: string, right: Right | undefined): Promise<void> {
    const plugin = this.#named.get(name);
    if (!plugin?.manifest) throw absent(name);
    if (!Object.hasOwn(plugin.manifest.commands, command)) {
      throw new PluginError("unknown_command", `"${name}" has no command "${command}"`);
    }
    if (right !== undefined && !RIGHTS.includes(right)) {
      throw new PluginError("invalid", `no right "${right}"`);
    }
    await this.desired.setRight(name, command, right);
  }

  call(call: PluginCall): Promise<JsonObject> {
    return this.#router.call(call);
  }

  async recheck(): Promise<void> {
    await Promise.allSettled(
      [...this.#plugins.values()].map((plugin) => this.#turn(plugin.entry, () => this.#recheck(plugin))),
    );
  }

  async #recheck(plugin: Plugin): Promise<void> {
    const { program, manifest } = plugin;
    if (plugin.removed) return;
    if (plugin.untrusted) { // perhaps not any more
      return program ? await this.#launch(plugin) : await this.#appeared(plugin.entry);
    }
    if (!program || !manifest) return;
    try {
      const admission = await this.options.admit?.(program);
      admission?.check(manifest);
      plugin.tier = admission?.tier;
    } catch (error) {
      await this.#halt(plugin, 0); // not a moment longer, calls in work or not
      this.#loadFailed(plugin, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#folder[Symbol.dispose]();
    for (const plugin of this.#plugins.values()) plugin.backoff?.cancel();
    await Promise.all([...this.#plugins.values()].map(async (plugin) => {
      const { active } = plugin;
      plugin.active = undefined;
      if (active) await this.#guests.retire(active, 500);
    }));
    await this.#guests[Symbol.asyncDispose]();
    await Promise.allSettled(this.#turns.values());
    await this.#storage.flushed();
  }

  #status(plugin: Plugin): PluginStatus {
    return plugin.status(
      this.deps.clock.monotonic(),
      this.desired.of(plugin.name),
      (command) => this.#router.rightOf(plugin, command),
      this.#books.of(plugin.name).figures(),
    );
  }

  /** Loads a program as the next version of what is at `entry`. `replaces`: a plug-in whose name it may take. */
  async #load(
    program: Program,
    entry: string,
    { check, replaces, health = false }: {
      check?: (manifest: Manifest) => void;
      replaces?: Plugin | undefined;
      health?: boolean;
    } = {},
  ): Promise<Guest> {
    const admission = await this.options.admit?.(program);
    const guest = await this.#guests.load(program, (manifest) => {
      check?.(manifest);
      checkOrigin(program, manifest);
      admission?.check(manifest);
      const other = this.#named.get(manifest.name);
      if (other && other.entry !== entry && other !== replaces) {
        throw new PluginError("invalid", `manifest.name: "${manifest.name}" is taken by "${other.entry}"`);
      }
    }, health);
    if (admission) this.#tiers.set(guest, admission.tier);
    return guest;
  }

  /** The entry is new or changed, or is to be read again. `strict`: whoever asked wants to know of a failure. */
  async #appeared(entry: string, strict = false): Promise<void> {
    if (this.#closed) return;
    let plugin = this.#plugins.get(entry);
    if (!plugin) {
      if (this.#plugins.size >= this.#maxPlugins) {
        return this.deps.log.error("plug-in ignored", { entry, error: this.#tooMany().message });
      }
      this.#plugins.set(entry, plugin = new Plugin(entry));
    }
    if (!plugin.active) this.#setState(plugin, "loading");
    try {
      const program = await readEntry(this.options.dir, entry);
      await this.#adopt(plugin, program, await this.#load(program, entry, { health: !!plugin.active }));
    } catch (error) {
      if (!plugin.active && await this.#recovered(plugin, error)) return;
      if (error instanceof Deno.errors.NotFound) return; // gone again: the next look will tell
      this.#loadFailed(plugin, error);
      if (strict) throw error;
    }
  }

  /** Where the active version can't be what it was (its files are damaged or gone), an earlier one takes its place. */
  async #recovered(plugin: Plugin, error: unknown): Promise<boolean> {
    const unfit = error instanceof Deno.errors.NotFound ||
      error instanceof PluginError && (error.code === "invalid" || error.code === "limit");
    const { entry } = plugin;
    for (let pointer; unfit && (pointer = await this.versions.pointer(entry))?.history[0] !== undefined;) {
      this.deps.log.error("plug-in goes back to an earlier version", {
        plugin: plugin.name,
        from: pointer!.active,
        to: pointer!.history[0],
        error: messageOf(error),
      });
      try {
        await this.#rollBack(plugin);
        plugin.error = `went back from "${pointer!.active}": ${messageOf(error)}`;
        return true;
      } catch {
        await this.versions.rollBack(entry); // that one is unfit too: on to the next
      }
    }
    return false;
  }

  async #vanished(entry: string): Promise<void> {
    const plugin = this.#plugins.get(entry);
    if (plugin) await this.#drop(plugin, false);
  }

  /** Makes a freshly loaded guest the one that runs, if it is to run at all. The old one finishes its calls. */
  async #adopt(plugin: Plugin, program: Program, guest: Guest): Promise<void> {
    const { manifest } = guest, holder = this.#named.get(manifest.name);
    if (this.#closed || (holder && holder !== plugin && !holder.removed)) {
      this.#guests.unload(guest);
      if (this.#closed) throw new PluginError("closed", "the plug-in manager was shut down");
      throw new PluginError("invalid", `manifest.name: "${manifest.name}" is taken by "${holder!.entry}"`);
    }
    if (this.#named.get(plugin.name) === plugin) this.#named.delete(plugin.name);
    const old = plugin.active;
    plugin.manifest = manifest;
    plugin.program = program;
    plugin.tier = this.#tiers.get(guest);
    plugin.untrusted = false;
    this.#plugins.set(plugin.entry, plugin);
    this.#named.set(manifest.name, plugin);
    plugin.backoff?.cancel();
    if (this.desired.of(manifest.name) === "stopped") {
      await this.#guests.retire(guest, 0);
      this.#setState(plugin, "stopped", undefined);
      return;
    }
    plugin.active = guest;
    if (old) {
      void this.#guests.retire(old, old.manifest.limits.callMs);
      plugin.forgive();
      plugin.switchedAt = this.deps.clock.monotonic();
    }
    this.#setState(plugin, "running", undefined);
    for (const call of plugin.waiting) this.#guests.dispatch(guest, call);
    plugin.waiting.clear();
    this.#router.advance(plugin);
  }

  /** Starts a plug-in again from the program that it ran before, or from the folder if it never ran. */
  async #launch(plugin: Plugin, strict = false): Promise<void> {
    if (this.#closed || plugin.removed || plugin.active) return;
    const { program } = plugin;
    if (!program) return await this.#appeared(plugin.entry, strict);
    this.#setState(plugin, "loading");
    try {
      await this.#adopt(plugin, program, await this.#load(program, plugin.entry));
    } catch (error) {
      this.#loadFailed(plugin, error);
      if (strict) throw error;
    }
  }

  #loadFailed(plugin: Plugin, error: unknown): void {
    const message = messageOf(error);
    if (this.#closed) return;
    this.#note(plugin, `does not load: ${message}`, "warn");
    this.deps.log.warn("plug-in does not load", {
      plugin: plugin.name,
      source: plugin.entry,
      error: message,
    });
    if (plugin.active) return this.#setState(plugin, "running", message);
    const code = error instanceof PluginError ? error.code : undefined;
    plugin.untrusted = code === "untrusted";
    if (code === "invalid" || plugin.untrusted) {
      this.#setState(plugin, "errored", message);
      this.#refuseWaiting(plugin);
    } else this.#failed(plugin, message);
  }

  /** A guest broke, or its process did. */
  #onGone(guest: Guest, reason: string, orphans: OpenCall[]): void {
    const plugin = this.#named.get(guest.manifest.name);
    if (plugin?.active !== guest || this.#closed) {
      for (const call of orphans) this.#guests.fail(call, "crashed", reason);
      return;
    }
    plugin.active = undefined;
    plugin.restarts++;
    if (guest.fault) {
      this.deps.log.warn("plug-in failed", { plugin: plugin.name, kind: guest.fault.kind, error: reason });
      this.#note(plugin, `failed: ${reason}`, "error");
      return this.#failed(plugin, reason);
    }
    if (plugin.state !== "running") { // it is being stopped
      for (const call of orphans) this.#guests.fail(call, "not_running", reason);
      return;
    }
    for (const call of orphans) plugin.waiting.add(call);
    this.#setState(plugin, "loading", reason);
    this.#turn(plugin.entry, () => this.#launch(plugin)).catch(() => {});
  }

  /** Books a failure of a plug-in that is down now, and has it started again after a pause, or gives it up. */
  #failed(plugin: Plugin, message: string): void {
    if (plugin.state === "stopping" || plugin.removed) return;
    const pause = plugin.failed(this.deps.clock.monotonic());
    this.#setState(plugin, pause === undefined ? "broken" : "errored", message);
    this.#refuseWaiting(plugin);
    if (pause === undefined) {
      this.deps.log.error("plug-in is broken: it stays down until it is run by hand", {
        plugin: plugin.name,
      });
      return this.#takeBack(plugin, message);
    }
    plugin.backoff?.cancel();
    plugin.backoff = this.deps.clock.setTimer(() => {
      this.#turn(plugin.entry, async () => {
        if (plugin.state === "errored") await this.#launch(plugin);
      }).catch(() => {}); // its failure is in its status
    }, pause);
  }

  /** A version that broke soon after it took over gives way to the one before it. */
  #takeBack(plugin: Plugin, message: string): void {
    const { switchedAt } = plugin;
    if (switchedAt === undefined || this.deps.clock.monotonic() - switchedAt > PROBATION_MS) return;
    this.#turn(plugin.entry, async () => {
      if (plugin.state !== "broken" || plugin.removed) return;
      const version = plugin.manifest?.version;
      await this.#rollBack(plugin);
      this.deps.log.error("plug-in went back to its earlier version", { plugin: plugin.name, from: version });
      this.#setState(plugin, plugin.state, `went back from version ${version}: ${message}`);
    }).catch((error) => {
      this.deps.log.warn("plug-in can't go back", { plugin: plugin.name, error: messageOf(error) });
    });
  }

  #refuseWaiting(plugin: Plugin): void {
    for (const call of [...plugin.waiting, ...plugin.queue]) {
      this.#guests.fail(call, "not_running", `"${plugin.name}" is ${plugin.state}`);
    }
    plugin.waiting.clear();
  }

  /** Stops what runs of a plug-in: no new calls, open ones finish. */
  async #halt(plugin: Plugin, mostMs = STOP_MS): Promise<void> {
    plugin.backoff?.cancel();
    this.#setState(plugin, "stopping");
    this.#refuseWaiting(plugin);
    const { active } = plugin;
    if (active) await this.#guests.retire(active, Math.min(mostMs, active.manifest.limits.callMs));
    plugin.active = undefined;
  }

  /** Stops a plug-in for good and forgets it. */
  async #drop(plugin: Plugin, files: boolean): Promise<void> {
    if (plugin.removed) return;
    plugin.removed = true;
    const { name, entry } = plugin;
    if (files) {
      await this.versions.remove(entry);
      this.#folder.note(entry, undefined);
    }
    // Out of the books first: whoever calls it from now on is told that it is absent.
    if (this.#plugins.get(entry) === plugin) this.#plugins.delete(entry);
    if (this.#named.get(name) === plugin) this.#named.delete(name);
    await this.#halt(plugin);
    if (!this.#named.has(name)) {
      this.#books.forget(name);
      await this.desired.forget(name);
      // A file that is gone may be on its way to another name: only who asks for removal means what it kept, too.
      if (files) await this.#storage.forget(name);
    }
    this.deps.log.info("plug-in removed", { plugin: name });
    this.options.onEvent?.({ plugin: name, status: undefined });
  }

  /** `error`: left as it was where the argument is missing. */
  #setState(plugin: Plugin, state: Plugin["state"], ...error: [error?: string | undefined]): void {
    const changed = plugin.state !== state;
    plugin.state = state;
    if (error.length > 0) plugin.error = error[0];
    if (plugin.removed) return;
    if (changed) {
      this.deps.log.info("plug-in changed state", { plugin: plugin.name, state, error: plugin.error });
      this.#note(plugin, `is ${state} now`);
    }
    this.options.onEvent?.({ plugin: plugin.name, status: this.#status(plugin) });
  }

  /** Writes what the gateway has to say about a plug-in among its own lines. */
  #note(plugin: Plugin, text: string, level: "info" | "warn" | "error" = "info"): void {
    this.#books.of(plugin.name).lines.add(level, `[gateway] ${text}`);
  }

  #tooMany(): PluginError {
    return new PluginError("limit", `there are ${this.#maxPlugins} plug-ins already: no more are taken`);
  }

  /** By its name; what never loaded has that of its file. */
  #find(name: string): Plugin | undefined {
    return this.#named.get(name) ??
      ["", ".js", ".ts", ".ghp"].map((end) => this.#plugins.get(name + end)).find((plugin) => plugin);
  }

  #turnOf<T>(name: string, step: (plugin: Plugin) => Promise<T>): Promise<T> {
    const plugin = this.#find(name);
    if (!plugin) return Promise.reject(absent(name));
    return this.#turn(plugin.entry, () => plugin.removed ? Promise.reject(absent(name)) : step(plugin));
  }

  /** Runs `step` after everything else that was asked for this entry. */
  #turn<T>(entry: string, step: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new PluginError("closed", "the plug-in manager was shut down"));
    const turn = (this.#turns.get(entry) ?? Promise.resolve()).then(step);
    const settled = turn.catch(() => {}).then(() => {
      if (this.#turns.get(entry) === settled) this.#turns.delete(entry);
    });
    this.#turns.set(entry, settled);
    return turn;
  }
}

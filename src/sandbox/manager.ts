/**
 * The plug-in manager: brings what lies in the folder and what was asked for together with what runs, and routes
 * calls.
 *
 * @module
 */
import { join } from "@std/path";
import { type Deps, messageOf } from "../base/mod.ts";
import { checkCapabilities } from "./capabilities.ts";
import type { PluginContent } from "./content.ts";
import { createQuickJsEngine } from "./engine_quickjs.ts";
import { PluginError } from "./errors.ts";
import { Executor } from "./executor.ts";
import { Books, showFigures } from "./figures.ts";
import { WatchedFolder } from "./folder.ts";
import { Guests } from "./guests.ts";
import { HOST_API, hostApi, PluginStorage } from "./host_api/mod.ts";
import { Installer } from "./installer.ts";
import type { JsonObject } from "./json.ts";
import { Life } from "./life.ts";
import type { LogQuery, PluginLogLine } from "./log_lines.ts";
import { DEFAULT_CEILINGS, type Manifest, type Right, RIGHTS } from "./manifest.ts";
import type { Plugin } from "./plugin.ts";
import { PluginTable } from "./plugin_table.ts";
import { ProcessRunner } from "./process_runner.ts";
import { absent, Router } from "./router.ts";
import { DesiredStates } from "./store.ts";
import type { PluginCall, PluginHost, PluginManager, PluginManagerOptions, PluginStatus } from "./types.ts";
import { Versions } from "./versions.ts";

/** The group of all where tiers are not told apart. */
const NO_TIER = "any";
/** Versions kept beside the active one. */
const KEEP_VERSIONS = 2;
/** How long plug-ins may take to finish their calls when the manager is shut down, in milliseconds. */
const CLOSE_MS = 500;

/** Starts a plug-in manager: resolves when every plug-in in the folder runs, or was found not to. */
export async function createPluginManager(deps: Deps, options: PluginManagerOptions): Promise<PluginManager> {
  for (const name of HOST_API) {
    if (Object.hasOwn(options.capabilities, name)) {
      throw new TypeError(`capability "${name}" is there already`);
    }
  }
  checkCapabilities(options.capabilities);
  if (options.isolation !== "inline" && !options.hostCommand) {
    throw new TypeError(`isolation "${options.isolation}" needs a hostCommand`);
  }
  await Deno.mkdir(options.dir, { recursive: true });
  const versions = new Versions(options.dir, options.keepVersions ?? KEEP_VERSIONS, deps.log, options.onStep);
  await versions.recover();
  const desired = await DesiredStates.open(options.stateDir, deps.log);
  const manager = new Manager(deps, options, desired, versions);
  await manager.start();
  return manager;
}

class Manager implements PluginManager {
  readonly #table: PluginTable;
  readonly #guests: Guests;
  readonly #folder: WatchedFolder;
  readonly #router: Router;
  readonly #life: Life;
  readonly #installer: Installer;
  readonly #books: Books;
  readonly #storage: PluginStorage;

  constructor(
    private readonly deps: Deps,
    private readonly options: PluginManagerOptions,
    private readonly desired: DesiredStates,
    private readonly versions: Versions,
  ) {
    const { isolation, hostCommand } = options, { clock, random, log } = deps;
    const storage = this.#storage = new PluginStorage(join(options.stateDir, "storage"), clock, log);
    const capabilities = {
      ...hostApi({
        clock,
        random,
        storage,
        call: (call) => this.#router.call(call),
        mayCall: (guest, name) => {
          const peer = this.#table.byName.get(name);
          if (!peer) return true; // the call itself says that there is none
          return this.#guests.get(guest)?.admission?.mayCall?.({ name, tier: peer.tier }) ?? true;
        },
      }),
      ...options.capabilities,
    };
    checkCapabilities(capabilities);
    const most = options.maxPlugins ?? 100, table = this.#table = new PluginTable(most);
    const books = this.#books = new Books(clock, 2 * most, (name) => table.byName.has(name));
    const guests = this.#guests = new Guests({
      deps,
      capabilities,
      rules: {
        ceilings: { ...DEFAULT_CEILINGS, ...options.ceilings },
        capabilities: Object.keys(capabilities).sort(),
        apiVersions: options.apiVersions,
      },
      hostCallMs: options.hostCallMs ?? 60_000,
      logOf: (plugin) => books.logOf(plugin, log.with({ plugin })),
      groupOf: (tier) => isolation === "process" ? tier ?? NO_TIER : NO_TIER,
      makeRunner: (events, tier) =>
        isolation !== "inline"
          ? new ProcessRunner({ ...deps, log: log.with({ tier }) }, hostCommand!, events)
          : new Executor(clock, createQuickJsEngine(clock.monotonic.bind(clock)), events),
      events: { gone: (guest, reason, orphans) => this.#life.onGone(guest, reason, orphans) },
    });
    const router = this.#router = new Router(table.byName, guests, desired, books, clock);
    const folder = this.#folder = new WatchedFolder(options.dir, deps, ({ entry, fingerprint }) => {
      return table.turn(
        entry,
        () => fingerprint === undefined ? this.#vanished(entry) : this.#installer.appeared(entry),
      );
    });
    table.onRefused = (entries) => folder.retry(entries);
    const life = this.#life = new Life({
      deps,
      options,
      table,
      guests,
      router,
      books,
      desired,
      read: (entry, strict) => this.#installer.appeared(entry, strict),
      onBroken: (plugin, message) => this.#installer.broke(plugin, message),
    });
    this.#installer = new Installer({
      deps,
      dir: options.dir,
      table,
      life,
      guests,
      versions,
      folder,
      desired,
    });
    showFigures(deps.metrics, books, () => this.list());
    deps.metrics.gauge(
      "gatehouse_plugin_hosts",
      "Plug-in host processes that run",
      () => this.hosts().length,
    );
    deps.metrics.gauge("gatehouse_plugins_running", "Plug-ins that run", () => {
      let count = 0;
      for (const plugin of table.byEntry.values()) count += plugin.state === "running" ? 1 : 0;
      return count;
    });
  }

  async start(): Promise<void> {
    for (const [name, entry] of this.desired.removals()) {
      await this.versions.remove(entry);
      await this.#forget(name);
    }
    await this.#folder.scan();
    this.#folder.start();
  }

  hosts(): PluginHost[] {
    return this.#guests.hosts();
  }

  hostMemoryBytes(): Promise<number | undefined> {
    return this.#guests.residentBytes();
  }

  list(): PluginStatus[] {
    return [...this.#table.byEntry.values()].map((plugin) => this.#life.status(plugin))
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  get(name: string): PluginStatus | undefined {
    const plugin = this.#table.byName.get(name);
    return plugin && this.#life.status(plugin);
  }

  manifest(name: string): Manifest | undefined {
    return this.#table.byName.get(name)?.manifest;
  }

  logs(name: string, query: LogQuery = {}): PluginLogLine[] {
    const plugin = this.#table.find(name);
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
    return this.#life.status(await this.#installer.install(name, files, expected.version));
  }

  rollBack(name: string): Promise<PluginStatus> {
    return this.#turn(name, (plugin) => this.#installer.rollBack(plugin));
  }

  run(name: string): Promise<PluginStatus> {
    return this.#turn(name, async (plugin) => {
      await this.desired.set(plugin.name, "running");
      await this.desired.setBroken(plugin.name, undefined);
      plugin.backoff?.cancel();
      plugin.forgive();
      if (!plugin.active) await this.#life.launch(plugin, true);
    });
  }

  stop(name: string): Promise<PluginStatus> {
    return this.#turn(name, async (plugin) => {
      await this.desired.set(plugin.name, "stopped");
      await this.#life.halt(plugin);
      this.#life.setState(plugin, "stopped", undefined);
    });
  }

  reload(name: string): Promise<PluginStatus> {
    return this.#turn(name, async (plugin) => {
      plugin.backoff?.cancel();
      await this.#installer.appeared(plugin.entry, true);
    });
  }

  remove(name: string): Promise<void> {
    return this.#table.turnOf(name, (plugin) => this.#remove(plugin));
  }

  async setRight(name: string, command: string, right: Right | undefined): Promise<void> {
    const plugin = this.#table.byName.get(name);
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
    const table = this.#table;
    await Promise.allSettled(
      [...table.byEntry.values()].map((plugin) => table.turn(plugin.entry, () => this.#life.recheck(plugin))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const table = this.#table;
    if (table.closed) return;
    table.close();
    this.#folder[Symbol.dispose]();
    for (const plugin of table.byEntry.values()) plugin.backoff?.cancel();
    await Promise.all([...table.byEntry.values()].map(async (plugin) => {
      const { active } = plugin;
      plugin.active = undefined;
      if (active) await this.#guests.retire(active, CLOSE_MS);
    }));
    await this.#guests[Symbol.asyncDispose]();
    await table.settled();
    await Promise.all([this.#storage.flushed(), this.desired.flushed()]);
  }

  #turn(name: string, step: (plugin: Plugin) => Promise<void>): Promise<PluginStatus> {
    return this.#table.turnOf(name, async (plugin) => {
      await step(plugin);
      return this.#life.status(plugin);
    });
  }

  async #vanished(entry: string): Promise<void> {
    this.#table.gone(entry);
    const plugin = this.#table.byEntry.get(entry);
    if (!plugin || plugin.removed) return;
    plugin.removed = true;
    this.#table.forget(plugin);
    await this.#life.halt(plugin);
    if (!this.#table.byName.has(plugin.name)) {
      this.#books.forget(plugin.name);
      // A file that is gone may be on its way to another name: only who asks for removal means what it kept, too.
      await this.desired.forget(plugin.name);
    }
    this.#tellGone(plugin);
  }

  /**
   * Stops a plug-in for good, and deletes what lies in the folder and what it kept. That it was begun is on the disk
   * first: where it is cut off, the next start ends it. The name is free for another only when nothing is left.
   */
  async #remove(plugin: Plugin): Promise<void> {
    const { name, entry } = plugin, holder = this.#table.byName.get(name);
    const own = holder === undefined || holder === plugin; // not a second file of the same name
    plugin.removed = true;
    try {
      if (own) {
        await this.desired.setRemoving(name, entry).catch((error) => {
          // A disk that is full is a reason to remove something.
          this.deps.log.warn("the removal of a plug-in goes on without a note of it", {
            plugin: name,
            error: messageOf(error),
          });
        });
      }
      await this.#installer.remove(plugin);
      await this.#life.halt(plugin);
      if (own) await this.#forget(name);
    } catch (error) {
      plugin.removed = false; // it can be asked for again
      if (!plugin.active) this.#life.setState(plugin, "stopped", `not removed: ${messageOf(error)}`);
      throw error;
    }
    this.#table.forget(plugin);
    this.#tellGone(plugin);
  }

  async #forget(name: string): Promise<void> {
    this.options.onStep?.("forget what it kept");
    await this.#storage.forget(name);
    this.options.onStep?.("forget the removal");
    await this.desired.forget(name);
    this.#books.forget(name);
  }

  #tellGone({ name }: Plugin): void {
    this.deps.log.info("plug-in removed", { plugin: name });
    this.options.onEvent?.({ plugin: name, status: undefined });
  }
}

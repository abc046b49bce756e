/**
 * The lives of plug-ins: loaded, running, stopped, failed and started again, one taking over from another. Knows
 * nothing of how they lie on the disk: that is `installer.ts`.
 *
 * @module
 */
import { type Deps, messageOf } from "../base/mod.ts";
import { checkOrigin } from "./content.ts";
import type { Program } from "./engine.ts";
import { NameTaken, PluginError } from "./errors.ts";
import type { Books } from "./figures.ts";
import type { Guest, Guests, OpenCall } from "./guests.ts";
import type { Manifest } from "./manifest.ts";
import type { Plugin } from "./plugin.ts";
import type { PluginTable } from "./plugin_table.ts";
import type { Router } from "./router.ts";
import type { DesiredStates } from "./store.ts";
import type { PluginManagerOptions, PluginStatus } from "./types.ts";

/** How long a plug-in that is stopped may take to finish its open calls, in milliseconds. */
const STOP_MS = 5_000;

/** What a {@linkcode Life} works with. */
export interface LifeParts {
  readonly deps: Deps;
  readonly options: Pick<PluginManagerOptions, "admit" | "onEvent">;
  readonly table: PluginTable;
  readonly guests: Guests;
  readonly router: Router;
  readonly books: Books;
  readonly desired: DesiredStates;
  /** Reads a plug-in that never ran from the folder, and loads it. */
  readonly read: (entry: string, strict: boolean) => Promise<void>;
  /** It failed too often, and stays down. */
  readonly onBroken: (plugin: Plugin, message: string) => void;
}

/** How a program is loaded. */
export interface LoadOptions {
  readonly check?: (manifest: Manifest) => void;
  /** A plug-in whose name it may take. */
  readonly replaces?: Plugin | undefined;
  /** Whether it is asked how it is. */
  readonly health?: boolean;
}

/** Starts, stops and watches over plug-ins. */
export class Life {
  constructor(private readonly parts: LifeParts) {}

  status(plugin: Plugin): PluginStatus {
    const { deps, desired, router, books } = this.parts;
    return plugin.status(
      deps.clock.monotonic(),
      desired.of(plugin.name),
      (command) => router.rightOf(plugin, command),
      books.of(plugin.name).figures(),
    );
  }

  /** Loads a program as the next version of what is at `entry`. */
  async load(program: Program, entry: string, options: LoadOptions = {}): Promise<Guest> {
    const { check, replaces, health = false } = options, { table } = this.parts;
    const admission = await this.parts.options.admit?.(program);
    return await this.parts.guests.load(program, {
      admission,
      health,
      check: (manifest) => {
        check?.(manifest);
        checkOrigin(program, manifest);
        admission?.check(manifest);
        const other = table.byName.get(manifest.name);
        if (other && other.entry !== entry && other !== replaces) {
          throw new NameTaken(manifest.name, other.entry);
        }
      },
    });
  }

  /**
   * Makes a freshly loaded guest the one that runs, if it is to run at all. The old one finishes its calls. `moved`: it
   * is the same version in another place.
   */
  async adopt(plugin: Plugin, program: Program, guest: Guest, moved = false): Promise<void> {
    const { deps, table, guests, desired, router } = this.parts;
    const { manifest } = guest, holder = table.byName.get(manifest.name);
    if (table.closed || (holder && holder !== plugin)) {
      guests.unload(guest);
      if (table.closed) throw new PluginError("closed", "the plug-in manager was shut down");
      throw new NameTaken(manifest.name, holder!.entry);
    }
    if (table.byName.get(plugin.name) === plugin) table.byName.delete(plugin.name);
    const old = plugin.active, before = plugin.program;
    plugin.manifest = manifest;
    plugin.program = program;
    plugin.tier = guest.tier;
    plugin.untrusted = false;
    plugin.wants = undefined;
    table.byEntry.set(plugin.entry, plugin);
    table.byName.set(manifest.name, plugin);
    table.freed(); // the name that it had before, perhaps
    plugin.backoff?.cancel();
    if (desired.of(manifest.name) === "stopped") {
      await guests.retire(guest, 0);
      this.setState(plugin, "stopped", undefined);
      return;
    }
    plugin.active = guest;
    if (old && before) this.#drain(plugin, old, before);
    if (old && !moved) {
      plugin.forgive();
      plugin.switchedAt = deps.clock.monotonic();
    }
    this.setState(plugin, "running", undefined);
    desired.setBroken(manifest.name, undefined).catch((error) => {
      deps.log.warn("desired states of plug-ins can't be written", { error: messageOf(error) });
    });
    for (const call of plugin.waiting) guests.dispatch(guest, call);
    plugin.waiting.clear();
    router.advance(plugin);
  }

  /** Lets a guest that another took over from finish its calls. */
  #drain(plugin: Plugin, guest: Guest, program: Program): void {
    plugin.draining.set(guest, program);
    void this.parts.guests.retire(guest, guest.manifest.limits.callMs)
      .finally(() => plugin.draining.delete(guest));
  }

  /** Starts a plug-in again from the program that it ran before, or from the folder if it never ran. */
  async launch(plugin: Plugin, strict = false): Promise<void> {
    if (this.parts.table.closed || plugin.removed || plugin.active) return;
    const { program } = plugin;
    if (!program) return await this.parts.read(plugin.entry, strict);
    this.setState(plugin, "loading");
    try {
      await this.adopt(plugin, program, await this.load(program, plugin.entry));
    } catch (error) {
      this.loadFailed(plugin, error);
      if (strict) throw error;
    }
  }

  /** Asks anew whether a plug-in may run, and how far it is trusted: with another tier it moves to that one's host. */
  async recheck(plugin: Plugin): Promise<void> {
    const { program, manifest } = plugin;
    if (plugin.removed) return;
    await this.#recheckDraining(plugin);
    if (plugin.untrusted) { // perhaps not any more
      return program ? await this.launch(plugin) : await this.parts.read(plugin.entry, false);
    }
    if (!program || !manifest) return;
    try {
      const admission = await this.parts.options.admit?.(program);
      admission?.check(manifest);
      if (plugin.tier === admission?.tier) {
        if (plugin.active) plugin.active.admission = admission;
        return;
      }
      if (!plugin.active) plugin.tier = admission?.tier;
      else await this.adopt(plugin, program, await this.load(program, plugin.entry), true);
    } catch (error) {
      await this.halt(plugin, "at once"); // not a moment longer, calls in work or not
      this.loadFailed(plugin, error);
    }
  }

  /** A version that only finishes its calls may have come from somebody else than the one that runs. */
  async #recheckDraining(plugin: Plugin): Promise<void> {
    for (const [guest, program] of [...plugin.draining]) {
      try {
        const admission = await this.parts.options.admit?.(program);
        admission?.check(guest.manifest);
        guest.admission = admission;
      } catch (error) {
        this.parts.guests.unload(guest);
        const text = `version ${guest.manifest.version} is not left to finish its calls: ${messageOf(error)}`;
        this.#note(plugin, text, "warn");
      }
    }
  }

  loadFailed(plugin: Plugin, error: unknown): void {
    const message = messageOf(error), { log } = this.parts.deps;
    if (this.parts.table.closed) return;
    this.#note(plugin, `does not load: ${message}`, "warn");
    log.warn("plug-in does not load", { plugin: plugin.name, source: plugin.entry, error: message });
    plugin.wants = error instanceof NameTaken ? error.taken : undefined;
    if (plugin.active) return this.setState(plugin, "running", message);
    const code = error instanceof PluginError ? error.code : undefined;
    plugin.untrusted = code === "untrusted";
    if (code === "invalid" || plugin.untrusted) {
      this.setState(plugin, "errored", message);
      this.#refuseWaiting(plugin);
    } else this.#failed(plugin, message);
  }

  /** A guest broke, or its process did. */
  onGone(guest: Guest, reason: string, orphans: OpenCall[]): void {
    const { deps, table, guests } = this.parts, plugin = table.byName.get(guest.manifest.name);
    if (plugin?.active !== guest || table.closed) {
      for (const call of orphans) guests.fail(call, "crashed", reason);
      return;
    }
    plugin.active = undefined;
    plugin.restarts++;
    if (guest.fault) {
      deps.log.warn("plug-in failed", { plugin: plugin.name, kind: guest.fault.kind, error: reason });
      this.#note(plugin, `failed: ${reason}`, "error");
      return this.#failed(plugin, reason);
    }
    if (plugin.state !== "running") { // it is being stopped
      for (const call of orphans) guests.fail(call, "not_running", reason);
      return;
    }
    for (const call of orphans) plugin.waiting.add(call);
    this.setState(plugin, "loading", reason);
    table.turn(plugin.entry, () => this.launch(plugin)).catch(() => {});
  }

  /** Stops all that runs of a plug-in, in whatever version: no new calls; open ones finish, unless it is `at once`. */
  async halt(plugin: Plugin, how: "in order" | "at once" = "in order"): Promise<void> {
    const { guests } = this.parts, { active } = plugin;
    plugin.backoff?.cancel();
    this.setState(plugin, "stopping");
    this.#refuseWaiting(plugin);
    await Promise.all([...active ? [active] : [], ...plugin.draining.keys()].map(async (guest) => {
      if (how === "at once") guests.unload(guest);
      else await guests.retire(guest, Math.min(STOP_MS, guest.manifest.limits.callMs));
    }));
    plugin.active = undefined;
  }

  /** `error`: left as it was where the argument is missing. */
  setState(plugin: Plugin, state: Plugin["state"], ...error: [error?: string | undefined]): void {
    const changed = plugin.state !== state;
    plugin.state = state;
    if (error.length > 0) plugin.error = error[0];
    if (plugin.removed) return;
    if (changed) {
      const { log } = this.parts.deps;
      log.info("plug-in changed state", { plugin: plugin.name, state, error: error[0] });
      this.#note(plugin, `is ${state} now`);
    }
    this.parts.options.onEvent?.({ plugin: plugin.name, status: this.status(plugin) });
  }

  /** Books a failure of a plug-in that is down now, and has it started again after a pause, or gives it up. */
  #failed(plugin: Plugin, message: string): void {
    if (plugin.state === "stopping" || plugin.removed) return;
    const { deps, table } = this.parts, pause = plugin.failed(deps.clock.monotonic());
    this.setState(plugin, pause === undefined ? "broken" : "errored", message);
    this.#refuseWaiting(plugin);
    if (pause === undefined) {
      deps.log.error("plug-in is broken: it stays down until it is run by hand", { plugin: plugin.name });
      return this.parts.onBroken(plugin, message);
    }
    plugin.backoff?.cancel();
    plugin.backoff = deps.clock.setTimer(() => {
      table.turn(plugin.entry, async () => {
        if (plugin.state === "errored") await this.launch(plugin);
      }).catch(() => {}); // its failure is in its status
    }, pause);
  }

  #refuseWaiting(plugin: Plugin): void {
    for (const call of [...plugin.waiting, ...plugin.queue]) {
      this.parts.guests.fail(call, "not_running", `"${plugin.name}" is ${plugin.state}`);
    }
    plugin.waiting.clear();
  }

  /** Writes what the gateway has to say about a plug-in among its own lines. */
  #note(plugin: Plugin, text: string, level: "info" | "warn" | "error" = "info"): void {
    this.parts.books.of(plugin.name).lines.add(level, `[gateway] ${text}`);
  }
}

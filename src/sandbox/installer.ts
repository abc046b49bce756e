/**
 * Plug-ins on the disk: installed, upgraded, rolled back, read from the folder, removed.
 *
 * A new version is loaded and asked for its health before anything on the disk points to it, so whatever fails on
 * the way leaves the old one as it was.
 *
 * @module
 */
import { join } from "@std/path";
import { type Deps, messageOf } from "../base/mod.ts";
import { contentOf, type PluginContent } from "./content.ts";
import type { Program } from "./engine.ts";
import { PluginError } from "./errors.ts";
import type { WatchedFolder } from "./folder.ts";
import type { Guests } from "./guests.ts";
import type { Life } from "./life.ts";
import { type Manifest, NAME } from "./manifest.ts";
import { Plugin } from "./plugin.ts";
import type { DesiredStates } from "./store.ts";
import type { PluginTable } from "./plugin_table.ts";
import { fingerprintOf, readEntry } from "./source.ts";
import type { Versions } from "./versions.ts";

/** A version that breaks within this time after it took over is taken back, in milliseconds. */
const PROBATION_MS = 3_600_000;

/** What an {@linkcode Installer} works with. */
export interface InstallerParts {
  readonly deps: Deps;
  /** The plug-ins folder. */
  readonly dir: string;
  readonly table: PluginTable;
  readonly life: Life;
  readonly guests: Guests;
  readonly versions: Versions;
  readonly folder: WatchedFolder;
  readonly desired: DesiredStates;
}

/** Brings what lies in the folder and what runs together. */
export class Installer {
  constructor(private readonly parts: InstallerParts) {}

  /** See `PluginManager.install`. */
  async install(name: string, files: PluginContent, version: string | undefined): Promise<Plugin> {
    if (!NAME.test(name)) throw new PluginError("invalid", `"${name}" is no name for a plug-in`);
    const { program, kept } = await contentOf(name, files), { table } = this.parts;
    for (;;) {
      const former = table.holderOf(name)?.entry;
      using _place = former === undefined ? table.reserve(name) : undefined;
      const plugin = await table.turns([former ?? name, name], async () => {
        if (table.holderOf(name)?.entry !== former) return undefined; // it moved while we waited
        return await this.#install(name, program, kept, version);
      });
      if (plugin) return plugin;
    }
  }

  async #install(
    name: string,
    program: Program,
    kept: Readonly<Record<string, string | Uint8Array>>,
    version: string | undefined,
  ): Promise<Plugin> {
    const { table, life, folder, versions, desired } = this.parts;
    if (desired.removing(name) !== undefined) {
      throw new PluginError("busy", `the removal of "${name}" did not come to its end: remove it again`);
    }
    const known = table.holderOf(name), holder = table.byEntry.get(name);
    if (holder && holder !== known && holder.manifest) {
      throw new PluginError("invalid", `the folder "${name}" is that of another plug-in: "${holder.name}"`);
    }
    const guest = await life.load(program, name, {
      replaces: known,
      health: true,
      check: (manifest) => checkExpected(manifest, name, version),
    });
    const replaces = known && known.entry !== name ? known.entry : undefined;
    let added: string | undefined;
    try {
      added = await versions.add(name, guest.manifest.version, kept);
      await versions.activate(name, added, replaces);
    } catch (error) {
      this.parts.guests.unload(guest);
      if (added !== undefined) await versions.discard(name, added).catch(() => {});
      throw new PluginError("limit", `writing "${name}" failed: ${messageOf(error)}`, { cause: error });
    }
    const plugin = known ?? new Plugin(name);
    if (replaces !== undefined) {
      folder.note(replaces, undefined);
      table.byEntry.delete(replaces);
      plugin.entry = name;
    }
    await this.#note(name);
    await life.adopt(plugin, program, guest);
    return plugin;
  }

  /** Goes back to the version before. */
  async rollBack(plugin: Plugin): Promise<void> {
    const { dir, life, versions, guests } = this.parts;
    const { entry } = plugin, pointer = await versions.pointer(entry);
    const [earlier] = pointer?.history ?? [];
    if (earlier === undefined) {
      throw new PluginError("version", `no earlier version of "${plugin.name}" is kept`);
    }
    const program = await readEntry(dir, entry, earlier);
    const guest = await life.load(program, entry, { health: true });
    try {
      await versions.rollBack(entry);
    } catch (error) {
      guests.unload(guest);
      throw error;
    }
    await this.#note(entry);
    plugin.forgive();
    await life.adopt(plugin, program, guest);
    plugin.switchedAt = undefined; // nobody rolls back from here by themselves
  }

  /** The entry is new or changed, or is to be read again. `strict`: whoever asked wants to know of a failure. */
  async appeared(entry: string, strict = false): Promise<void> {
    const { deps, dir, table, life } = this.parts;
    if (table.closed) return;
    let plugin = table.byEntry.get(entry);
    if (!plugin) {
      try {
        plugin = table.add(entry);
      } catch (error) {
        if (table.turnAway(entry)) {
          deps.log.error("plug-in ignored until there is room", { entry, error: messageOf(error) });
        }
        return;
      }
    }
    if (!strict && !plugin.program && await this.#wasBroken(plugin)) return;
    if (!plugin.active) life.setState(plugin, "loading");
    try {
      const program = await readEntry(dir, entry);
      await life.adopt(plugin, program, await life.load(program, entry, { health: !!plugin.active }));
    } catch (error) {
      if (!plugin.active && await this.#recovered(plugin, error)) return;
      let fault = error;
      if (error instanceof Deno.errors.NotFound) {
        const there = await Deno.lstat(join(dir, entry)).then(() => true, () => false);
        if (!there) { // gone again: of those that run the next look will tell
          if (!plugin.program && !plugin.active) table.forget(plugin);
          return;
        }
        fault = new PluginError("invalid", "its files are not there", { cause: error });
      }
      life.loadFailed(plugin, fault);
      if (strict) throw fault;
    }
  }

  /** Where the active version can't be what it was (its files are damaged or gone), an earlier one takes its place. */
  async #recovered(plugin: Plugin, error: unknown): Promise<boolean> {
    const unfit = error instanceof Deno.errors.NotFound ||
      error instanceof PluginError && (error.code === "invalid" || error.code === "limit");
    const { entry } = plugin, { deps, versions } = this.parts;
    for (let pointer; unfit && (pointer = await versions.pointer(entry))?.history[0] !== undefined;) {
      deps.log.error("plug-in goes back to an earlier version", {
        plugin: plugin.name,
        from: pointer!.active,
        to: pointer!.history[0],
        error: messageOf(error),
      });
      try {
        await this.rollBack(plugin);
        plugin.error = `went back from "${pointer!.active}": ${messageOf(error)}`;
        return true;
      } catch {
        await versions.rollBack(entry); // that one is unfit too: on to the next
      }
    }
    return false;
  }

  /** A version that broke soon after it took over gives way to the one before it; what stays broken is remembered. */
  broke(plugin: Plugin, message: string): void {
    const { deps, table } = this.parts;
    table.turn(plugin.entry, async () => {
      if (plugin.state !== "broken" || plugin.removed || await this.#takenBack(plugin, message)) return;
      const content = await this.#contentMark(plugin.entry);
      if (content === undefined) return;
      await this.parts.desired.setBroken(plugin.name, { entry: plugin.entry, content, error: message });
    }).catch((error) => {
      deps.log.warn("a broken plug-in can't be remembered", { plugin: plugin.name, error: messageOf(error) });
    });
  }

  async #takenBack(plugin: Plugin, message: string): Promise<boolean> {
    const { switchedAt } = plugin, { deps, life } = this.parts, version = plugin.manifest?.version;
    if (switchedAt === undefined || deps.clock.monotonic() - switchedAt > PROBATION_MS) return false;
    try {
      await this.rollBack(plugin);
    } catch (error) {
      deps.log.warn("plug-in can't go back", { plugin: plugin.name, error: messageOf(error) });
      return false;
    }
    deps.log.error("plug-in went back to its earlier version", { plugin: plugin.name, from: version });
    life.setState(plugin, plugin.state, `went back from version ${version}: ${message}`);
    return true;
  }

  /** Whether it was given up before the last restart, with the very content that it has now: then it stays so. */
  async #wasBroken(plugin: Plugin): Promise<boolean> {
    const broken = this.parts.desired.brokenAt(plugin.entry);
    if (!broken || broken.content !== await this.#contentMark(plugin.entry)) return false;
    plugin.formerName = broken.name;
    this.parts.life.setState(plugin, "broken", broken.error);
    return true;
  }

  /** What tells one content of an entry from another; undefined where it can't be read. */
  async #contentMark(entry: string): Promise<string | undefined> {
    const fingerprint = await fingerprintOf(this.parts.dir, entry).catch(() => undefined);
    if (fingerprint === undefined) return undefined;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(fingerprint));
    return new Uint8Array(digest).toHex();
  }

  /** So that the folder's watcher does not take our own change for somebody's. */
  async #note(entry: string): Promise<void> {
    const { folder, dir } = this.parts;
    folder.note(entry, await fingerprintOf(dir, entry).catch(() => undefined));
  }

  /** Deletes what lies in the folder of a plug-in. */
  async remove({ entry }: Plugin): Promise<void> {
    await this.parts.versions.remove(entry);
    this.parts.folder.note(entry, undefined);
  }
}

function checkExpected(manifest: Manifest, name: string, version: string | undefined): void {
  if (manifest.name !== name) {
    throw new PluginError("invalid", `manifest.name: "${manifest.name}", not "${name}" as it is installed`);
  }
  if (version !== undefined && manifest.version !== version) {
    throw new PluginError("version", `its manifest says version "${manifest.version}", not "${version}"`);
  }
}

/**
 * Plug-ins on the disk: installed, upgraded, rolled back, read from the folder, removed.
 *
 * A new version is loaded and asked for its health before anything on the disk points to it, so whatever fails on
 * the way leaves the old one as it was.
 *
 * @module
 */
import { type Deps, messageOf } from "../base/mod.ts";
import { contentOf, type PluginContent } from "./content.ts";
import type { Program } from "./engine.ts";
import { PluginError } from "./errors.ts";
import type { WatchedFolder } from "./folder.ts";
import type { Guests } from "./guests.ts";
import type { Life } from "./life.ts";
import { type Manifest, NAME } from "./manifest.ts";
import { Plugin } from "./plugin.ts";
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
}

/** Brings what lies in the folder and what runs together. */
export class Installer {
  constructor(private readonly parts: InstallerParts) {}

  /** See `PluginManager.install`. */
  async install(name: string, files: PluginContent, version: string | undefined): Promise<Plugin> {
    if (!NAME.test(name)) throw new PluginError("invalid", `"${name}" is no name for a plug-in`);
    const { program, kept } = await contentOf(name, files), { table } = this.parts;
    const there = table.holderOf(name);
    if (!there && table.full) throw table.tooMany();
    const former = there?.entry ?? name;
    const step = () => table.turn(name, () => this.#install(name, program, kept, version));
    return await (former === name ? step() : table.turn(former, step));
  }

  async #install(
    name: string,
    program: Program,
    kept: Readonly<Record<string, string | Uint8Array>>,
    version: string | undefined,
  ): Promise<Plugin> {
    const { table, life, folder, versions } = this.parts;
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
    folder.note(name, await fingerprintOf(this.parts.dir, name));
    await life.adopt(plugin, program, guest);
    return plugin;
  }

  /** Goes back to the version before. */
  async rollBack(plugin: Plugin): Promise<void> {
    const { dir, life, versions, guests, folder } = this.parts;
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
    folder.note(entry, await fingerprintOf(dir, entry));
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
        return deps.log.error("plug-in ignored", { entry, error: messageOf(error) });
      }
    }
    if (!plugin.active) life.setState(plugin, "loading");
    try {
      const program = await readEntry(dir, entry);
      await life.adopt(plugin, program, await life.load(program, entry, { health: !!plugin.active }));
    } catch (error) {
      if (!plugin.active && await this.#recovered(plugin, error)) return;
      if (error instanceof Deno.errors.NotFound) return; // gone again: the next look will tell
      life.loadFailed(plugin, error);
      if (strict) throw error;
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

  /** A version that broke soon after it took over gives way to the one before it. */
  takeBack(plugin: Plugin, message: string): void {
    const { switchedAt } = plugin, { deps, table, life } = this.parts;
    if (switchedAt === undefined || deps.clock.monotonic() - switchedAt > PROBATION_MS) return;
    table.turn(plugin.entry, async () => {
      if (plugin.state !== "broken" || plugin.removed) return;
      const version = plugin.manifest?.version;
      await this.rollBack(plugin);
      deps.log.error("plug-in went back to its earlier version", { plugin: plugin.name, from: version });
      life.setState(plugin, plugin.state, `went back from version ${version}: ${message}`);
    }).catch((error) => {
      deps.log.warn("plug-in can't go back", { plugin: plugin.name, error: messageOf(error) });
    });
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

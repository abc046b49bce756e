/**
 * The plug-ins that there are, by entry of the folder and by name, and their turns: what happens to one plug-in
 * happens one after the other, and different plug-ins do not wait for each other.
 *
 * @module
 */
import { PluginError } from "./errors.ts";
import { Plugin } from "./plugin.ts";
import { absent } from "./router.ts";

/** All plug-ins of a manager. */
export class PluginTable {
  readonly byEntry = new Map<string, Plugin>();
  /** Only those whose manifest could be read. */
  readonly byName = new Map<string, Plugin>();
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Entries that are being installed and not there yet. */
  readonly #reserved = new Set<{ readonly entry: string }>();
  /** Entries that there was no room for. */
  readonly #turnedAway = new Set<string>();
  #closed = false;
  /** Told when entries that were refused are to be tried again: there is room now, or their name is free. */
  onRefused: (entries: string[]) => void = () => {};

  /** `most`: how many plug-ins there may be. */
  constructor(private readonly most: number) {}

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes no more turns. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when all turns that were taken are over. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#turns.values());
  }

  /** Keeps a place for one that is being installed, until disposed of. @throws {PluginError} `limit` */
  reserve(entry: string): Disposable {
    this.#checkRoom(entry);
    const place = { entry };
    this.#reserved.add(place);
    return {
      [Symbol.dispose]: () => {
        this.#reserved.delete(place);
        this.freed();
      },
    };
  }

  #checkRoom(entry: string): void {
    const taken = this.#taken();
    if (taken.has(entry) || taken.size < this.most) return;
    throw new PluginError(
      "limit",
      `there are ${this.most} plug-ins already (--max-plugins): no more are taken`,
    );
  }

  #taken(): Set<string> {
    const taken = new Set(this.byEntry.keys());
    for (const place of this.#reserved) taken.add(place.entry);
    return taken;
  }

  /** Remembers an entry that there was no room for. Whether it is the first time. */
  turnAway(entry: string): boolean {
    const { size } = this.#turnedAway;
    return this.#turnedAway.add(entry).size > size;
  }

  /** The entry is gone from the folder. */
  gone(entry: string): void {
    this.#turnedAway.delete(entry);
  }

  /** A place or a name may be free: those that were refused for want of it get their turn. */
  freed(): void {
    if (this.#closed) return;
    const entries = this.#turnedAway.size > 0 && this.#taken().size < this.most ? [...this.#turnedAway] : [];
    for (const { entry, wants } of this.byEntry.values()) {
      if (wants !== undefined && !this.byName.has(wants)) entries.push(entry);
    }
    if (entries.length > 0) this.onRefused(entries);
  }

  /** Makes one that is not there yet. @throws {PluginError} `limit` */
  add(entry: string): Plugin {
    this.#checkRoom(entry);
    const plugin = new Plugin(entry);
    this.byEntry.set(entry, plugin);
    this.#turnedAway.delete(entry);
    return plugin;
  }

  /** By its name; what never loaded has that of its file, or the one that it had before the last restart. */
  find(name: string): Plugin | undefined {
    return this.byName.get(name) ??
      ["", ".js", ".ts", ".ghp"].map((end) => this.byEntry.get(name + end)).find((plugin) => plugin) ??
      this.byEntry.values().find((plugin) => plugin.name === name);
  }

  /** Whose place a plug-in of that name takes: the one of that name, or what lies there for it and never loaded. */
  holderOf(name: string): Plugin | undefined {
    const found = this.find(name);
    return found && (!found.manifest || found.manifest.name === name) ? found : undefined;
  }

  /** Takes it out of the books: whoever asks for it from now on is told that it is absent. */
  forget(plugin: Plugin): void {
    const { entry, name } = plugin;
    if (this.byEntry.get(entry) === plugin) this.byEntry.delete(entry);
    if (this.byName.get(name) === plugin) this.byName.delete(name);
    this.freed();
  }

  /**
   * As `turn`, for several entries at once. They are taken in a fixed order: whoever waits for one holds none that
   * comes after it, so nobody waits in a circle.
   */
  turns<T>(entries: readonly string[], step: () => Promise<T>): Promise<T> {
    const [first, ...rest] = [...new Set(entries)].sort();
    if (first === undefined) return step();
    return this.turn(first, () => this.turns(rest, step));
  }

  /** As `turn`, for the plug-in of that name. Rejects with PluginError `absent` where there is none. */
  turnOf<T>(name: string, step: (plugin: Plugin) => Promise<T>): Promise<T> {
    const plugin = this.find(name);
    if (!plugin) return Promise.reject(absent(name));
    return this.turn(plugin.entry, () => plugin.removed ? Promise.reject(absent(name)) : step(plugin));
  }

  /** Runs `step` after everything else that was asked for this entry. */
  turn<T>(entry: string, step: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new PluginError("closed", "the plug-in manager was shut down"));
    const turn = (this.#turns.get(entry) ?? Promise.resolve()).then(step);
    const settled = turn.catch(() => {}).then(() => {
      if (this.#turns.get(entry) === settled) this.#turns.delete(entry);
    });
    this.#turns.set(entry, settled);
    return turn;
  }
}

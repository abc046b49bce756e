/**
 * `storage`: what a plug-in keeps over restarts and upgrades, by key, within its quota. Each plug-in has its own and
 * sees no other's.
 *
 * @module
 */
import { join } from "@std/path";
import { type Clock, type Log, messageOf, TokenBucket } from "../../base/mod.ts";
import type { Json } from "../json.ts";
import { removeAll, writeWhole } from "../store.ts";
import type { HostCall, HostFunction } from "../types.ts";

/** Ending of a file that could not be read and is kept beside. */
const UNREADABLE = ".unreadable";
const KEY_LENGTH = 128;
/** The most keys of a plug-in. */
const MOST_KEYS = 1000;
/** Changes: so many at once, then so many a second. Flash wears out. */
const CHANGES = 100;
const CHANGES_PER_SECOND = 10;

/** Changes on their way to the disk together: by key the new value, undefined where the key goes. */
interface Batch {
  readonly changes: Map<string, string | undefined>;
  readonly saved: Promise<void>;
}

/** What one plug-in keeps: each value as JSON. */
class Shelf {
  /** As the plug-in sees it: what the disk has, and the changes on their way there. */
  values: ReadonlyMap<string, string> = new Map();
  bytes = 0;
  #kept: ReadonlyMap<string, string>;
  #saved: Promise<void> = Promise.resolve();
  #next: Batch | undefined;
  #closed = false;

  constructor(
    private readonly path: string,
    kept: ReadonlyMap<string, string>,
    readonly changes: TokenBucket,
    private readonly log: Log,
  ) {
    this.#kept = kept;
    this.#see(kept);
  }

  /** Whether it takes no more changes: the plug-in was removed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Changes a key. Resolves when the disk has it; rejects where the disk does not take it, and then nothing is changed.
   * Changes that come while others are being written go together.
   */
  change(key: string, text: string | undefined): Promise<void> {
    const batch = this.#next ??= this.#begin();
    batch.changes.set(key, text);
    this.#see(withChanges(this.values, new Map([[key, text]])));
    return batch.saved;
  }

  async flushed(): Promise<void> {
    await this.#next?.saved.catch(() => {});
    await this.#saved;
  }

  /** Takes no more changes, and resolves when none is on its way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flushed();
  }

  #begin(): Batch {
    const changes: Batch["changes"] = new Map();
    const saved = this.#saved.then(async () => {
      this.#next = undefined;
      const content = withChanges(this.#kept, changes);
      try {
        await writeWhole(this.path, JSON.stringify([...content]));
        this.#kept = content;
      } catch (error) {
        this.#see(withChanges(this.#kept, this.#waiting()));
        this.log.error("what a plug-in keeps can't be written", {
          path: this.path,
          error: messageOf(error),
        });
        throw new Error("storage: it can't be written", { cause: error });
      }
    });
    this.#saved = saved.catch(() => {});
    return { changes, saved };
  }

  /** Changes that are not being written yet. */
  #waiting(): Batch["changes"] {
    return this.#next?.changes ?? new Map();
  }

  #see(values: ReadonlyMap<string, string>): void {
    this.values = values;
    this.bytes = 0;
    for (const [key, text] of values) this.bytes += sizeOf(key, text);
  }
}

function withChanges(values: ReadonlyMap<string, string>, changes: Batch["changes"]): Map<string, string> {
  const result = new Map(values);
  for (const [key, text] of changes) {
    if (text === undefined) result.delete(key);
    else result.set(key, text);
  }
  return result;
}

/** What all plug-ins keep: a file each. */
export class PluginStorage {
  readonly #shelves = new Map<string, Promise<Shelf>>();

  constructor(private readonly dir: string, private readonly clock: Clock, private readonly log: Log) {}

  /** What the plug-in of this name keeps; plug-ins' names are fit for file names. */
  shelf(name: string): Promise<Shelf> {
    let shelf = this.#shelves.get(name);
    if (!shelf) {
      shelf = this.#open(name);
      this.#shelves.set(name, shelf);
      shelf.catch(() => this.#shelves.delete(name));
    }
    return shelf;
  }

  /** Resolves when everything that was to be written is. */
  async flushed(): Promise<void> {
    for (const shelf of this.#shelves.values()) await shelf.then((open) => open.flushed(), () => {});
  }

  /** Throws away what the plug-in of this name kept. Whoever still writes there is refused, and comes too late. */
  async forget(name: string): Promise<void> {
    const shelf = this.#shelves.get(name);
    await shelf?.then((open) => open.close(), () => {});
    await removeAll(this.#path(name));
    await removeAll(this.#path(name) + UNREADABLE);
    if (shelf && this.#shelves.get(name) === shelf) this.#shelves.delete(name);
  }

  #path(name: string): string {
    return join(this.dir, `${name}.json`);
  }

  async #open(name: string): Promise<Shelf> {
    await Deno.mkdir(this.dir, { recursive: true });
    const path = this.#path(name), values = new Map<string, string>();
    try {
      const found: unknown = JSON.parse(await Deno.readTextFile(path));
      if (!Array.isArray(found)) throw new TypeError("not a list");
      for (const [key, text] of found as [unknown, unknown][]) {
        if (typeof key === "string" && typeof text === "string") values.set(key, text);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        this.log.error("what a plug-in kept can't be read: it begins anew", {
          plugin: name,
          error: messageOf(error),
        });
        await Deno.rename(path, path + UNREADABLE).catch(() => {});
      }
    }
    return new Shelf(path, values, new TokenBucket(this.clock, CHANGES_PER_SECOND, CHANGES), this.log);
  }
}

/** The functions. */
export function storageFunctions(storage: PluginStorage): Record<string, HostFunction> {
  const change = async ({ manifest }: HostCall, key: Json | undefined, text: string | undefined) => {
    const shelf = await storage.shelf(manifest.name), name = keyOf(key);
    if (shelf.closed) throw new Error("storage: the plug-in was removed");
    const before = shelf.values.get(name);
    if (before === text) return;
    const bytes = shelf.bytes - (before === undefined ? 0 : sizeOf(name, before)) +
      (text === undefined ? 0 : sizeOf(name, text));
    if (bytes > shelf.bytes && bytes > manifest.limits.storageKb * 1024) {
      throw new Error(`storage: more than ${manifest.limits.storageKb} KiB`);
    }
    if (before === undefined && shelf.values.size >= MOST_KEYS) {
      throw new Error(`storage: more than ${MOST_KEYS} keys`);
    }
    if (!shelf.changes.take()) throw new Error(`storage: more than ${CHANGES_PER_SECOND} changes a second`);
    await shelf.change(name, text);
  };
  return {
    /** `[key]`: the value, null where there is none. */
    "storage.get": async ([key], { plugin }) => {
      const text = (await storage.shelf(plugin)).values.get(keyOf(key));
      return text === undefined ? null : JSON.parse(text) as Json;
    },
    /** `[key, value]`: answers when the disk has it. */
    "storage.set": async ([key, value], call) => {
      await change(call, key, JSON.stringify(value ?? null));
      return undefined;
    },
    "storage.delete": async ([key], call) => {
      await change(call, key, undefined);
      return undefined;
    },
    /** `[prefix]`: the keys that begin so, sorted. */
    "storage.keys": async ([prefix = ""], { plugin }) => {
      if (typeof prefix !== "string") throw new Error("prefix: not a string");
      return [...(await storage.shelf(plugin)).values.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
  };
}

function keyOf(key: Json | undefined): string {
  if (typeof key !== "string" || key === "" || key.length > KEY_LENGTH) {
    throw new Error(`key: a string of 1 to ${KEY_LENGTH} characters`);
  }
  return key;
}

/** In UTF-8 bytes, more or less: what is not ASCII counts as three. */
function sizeOf(key: string, text: string): number {
  let bytes = 0;
  for (const part of [key, text]) {
    bytes += part.length;
    for (let i = 0; i < part.length; i++) if (part.charCodeAt(i) > 0x7f) bytes += 2;
  }
  return bytes;
}

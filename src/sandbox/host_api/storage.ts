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

const KEY_LENGTH = 128;
/** The most keys of a plug-in. */
const MOST_KEYS = 1000;
/** Changes: so many at once, then so many a second. Flash wears out. */
const CHANGES = 100;
const CHANGES_PER_SECOND = 10;

/** What one plug-in keeps: each value as JSON. */
class Shelf {
  bytes = 0;
  #saved: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(
    private readonly path: string,
    readonly values: Map<string, string>,
    readonly changes: TokenBucket,
  ) {
    for (const [key, text] of values) this.bytes += sizeOf(key, text);
  }

  /** Resolves when the disk has everything as it is now. Changes that come while it is being written go together. */
  save(): Promise<void> {
    return this.#next ??= this.#saved.then(() => {
      this.#next = undefined;
      const written = writeWhole(this.path, JSON.stringify([...this.values]));
      this.#saved = written.catch(() => {});
      return written;
    });
  }

  async flushed(): Promise<void> {
    await this.#next?.catch(() => {});
    await this.#saved;
  }
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

  /** Throws away what the plug-in of this name kept. */
  async forget(name: string): Promise<void> {
    this.#shelves.delete(name);
    await removeAll(this.#path(name));
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
        await Deno.rename(path, path + ".unreadable").catch(() => {});
      }
    }
    return new Shelf(path, values, new TokenBucket(this.clock, CHANGES_PER_SECOND, CHANGES));
  }
}

/** The functions. */
export function storageFunctions(storage: PluginStorage): Record<string, HostFunction> {
  const change = async ({ manifest }: HostCall, key: Json | undefined, text: string | undefined) => {
    const shelf = await storage.shelf(manifest.name), name = keyOf(key);
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
    if (text === undefined) shelf.values.delete(name);
    else shelf.values.set(name, text);
    shelf.bytes = bytes;
    await shelf.save();
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

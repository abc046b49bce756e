/**
 * Writing that a power cut can't halve: files and folders appear whole or not at all.
 *
 * Also what must survive a restart: the desired state of each plug-in, apart from its actual one.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import * as v from "valibot";
import { type Log, messageOf, newId } from "../base/mod.ts";
import { type Right, RIGHTS } from "./manifest.ts";

/** Writes a file whole: to a file beside it, to the disk, and only then under its name. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const beside = join(dirname(path), `.${newId()}.new`);
  try {
    await writeSynced(beside, text);
    await Deno.rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}

/** Writes a new file, and returns when the disk has its content. Its name is the folder's: {@linkcode syncFolder}. */
export async function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}

/** Returns when the disk has the names in a folder as they are now. */
export async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path, { read: true });
  await folder.sync();
}

/** Removes a file or folder, if it is there. */
export async function removeAll(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

const ENTRY = v.object({
  desired: v.picklist(["running", "stopped"]),
  rights: v.optional(v.record(v.string(), v.picklist(RIGHTS)), {}),
});
const FILE = v.object({ plugins: v.record(v.string(), ENTRY) });

interface Wish {
  desired: "running" | "stopped";
  rights: Record<string, Right>;
}

/** What was asked for, by plug-in name, kept in `plugins.json`. */
export class DesiredStates {
  readonly #wishes: Map<string, Wish>;
  #saving: Promise<void> = Promise.resolve();

  private constructor(private readonly path: string, wishes: Map<string, Wish>) {
    this.#wishes = wishes;
  }

  /** Reads the file. One that can't be read is kept beside, and everything counts as asked to run. */
  static async open(dir: string, log: Log): Promise<DesiredStates> {
    await Deno.mkdir(dir, { recursive: true });
    const path = join(dir, "plugins.json");
    let wishes: Record<string, Wish> = {};
    try {
      wishes = v.parse(FILE, JSON.parse(await Deno.readTextFile(path))).plugins;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        log.error("desired states of plug-ins can't be read: all count as asked to run", {
          path,
          error: messageOf(error),
        });
        await Deno.rename(path, path + ".unreadable").catch(() => {});
      }
    }
    return new DesiredStates(path, new Map(Object.entries(wishes)));
  }

  /** What is wanted of the plug-in; one that nobody spoke of is to run. */
  of(name: string): "running" | "stopped" {
    return this.#wishes.get(name)?.desired ?? "running";
  }

  right(name: string, command: string): Right | undefined {
    const rights = this.#wishes.get(name)?.rights;
    return rights && Object.hasOwn(rights, command) ? rights[command] : undefined;
  }

  /** Resolves when the disk has it. */
  async set(name: string, desired: "running" | "stopped"): Promise<void> {
    if (this.of(name) === desired && this.#wishes.has(name)) return;
    this.#wishes.set(name, { desired, rights: this.#wishes.get(name)?.rights ?? {} });
    await this.#save();
  }

  async setRight(name: string, command: string, right: Right | undefined): Promise<void> {
    const { [command]: _, ...rights } = this.#wishes.get(name)?.rights ?? {};
    if (right !== undefined) rights[command] = right;
    this.#wishes.set(name, { desired: this.of(name), rights });
    await this.#save();
  }

  async forget(name: string): Promise<void> {
    if (this.#wishes.delete(name)) await this.#save();
  }

  #save(): Promise<void> {
    return this.#saving = this.#saving.catch(() => {}).then(() =>
      writeWhole(this.path, JSON.stringify({ plugins: Object.fromEntries(this.#wishes) }, null, 2) + "\n")
    );
  }
}

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

/** A name in the plug-ins folder. */
const NAME_THERE = v.pipe(v.string(), v.regex(/^[^./][^/]*$/));
const BROKEN = v.object({ entry: NAME_THERE, content: v.string(), error: v.string() });
const ENTRY = v.object({
  desired: v.picklist(["running", "stopped"]),
  rights: v.optional(v.record(v.string(), v.picklist(RIGHTS)), {}),
  broken: v.optional(BROKEN),
  removing: v.optional(NAME_THERE),
});
const FILE = v.object({ plugins: v.record(v.string(), ENTRY) });

/** That a plug-in was given up: at which entry of the folder, with what content, and why. */
export type Broken = v.InferOutput<typeof BROKEN>;

interface Wish {
  readonly desired: "running" | "stopped";
  readonly rights: Readonly<Record<string, Right>>;
  readonly broken?: Broken | undefined;
  /** Its removal was begun: what lies at this entry of the folder goes, and what it kept. */
  readonly removing?: string | undefined;
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
    await this.#change(name, { desired });
  }

  async setRight(name: string, command: string, right: Right | undefined): Promise<void> {
    const { [command]: _, ...others } = this.#wishes.get(name)?.rights ?? {};
    const rights: Record<string, Right> = others;
    if (right !== undefined) rights[command] = right;
    await this.#change(name, { rights });
  }

  /** The plug-in of this entry that was given up, and its name. */
  brokenAt(entry: string): Broken & { readonly name: string } | undefined {
    for (const [name, { broken }] of this.#wishes) if (broken?.entry === entry) return { ...broken, name };
    return undefined;
  }

  /** Remembers that a plug-in was given up; undefined: that it has another chance. */
  async setBroken(name: string, broken: Broken | undefined): Promise<void> {
    if (broken !== this.#wishes.get(name)?.broken) await this.#change(name, { broken });
  }

  /** The entry of a plug-in whose removal was begun. */
  removing(name: string): string | undefined {
    return this.#wishes.get(name)?.removing;
  }

  /** Plug-ins whose removal was begun, by name, with their entries. */
  removals(): [name: string, entry: string][] {
    return [...this.#wishes].flatMap(([name, { removing }]) =>
      removing === undefined ? [] : [[name, removing]]
    );
  }

  /** Remembers that the removal of a plug-in was begun, so that it comes to its end even after a power cut. */
  async setRemoving(name: string, entry: string | undefined): Promise<void> {
    if (this.removing(name) !== entry) await this.#change(name, { removing: entry });
  }

  async forget(name: string): Promise<void> {
    if (this.#wishes.delete(name)) await this.#save();
  }

  /** Resolves when nothing is being written any more; what could not be, whoever asked for it was told. */
  async flushed(): Promise<void> {
    await this.#saving.catch(() => {});
  }

  #change(name: string, change: Partial<Wish>): Promise<void> {
    this.#wishes.set(name, { desired: "running", rights: {}, ...this.#wishes.get(name), ...change });
    return this.#save();
  }

  #save(): Promise<void> {
    return this.#saving = this.#saving.catch(() => {}).then(() =>
      writeWhole(this.path, JSON.stringify({ plugins: Object.fromEntries(this.#wishes) }, null, 2) + "\n")
    );
  }
}

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
    {
      using file = await Deno.open(beside, { write: true, createNew: true });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}

/** Prefixes of folders on their way in and out; see {@linkcode recoverFolders}. */
const INCOMING = ".new-", OUTGOING = ".old-";

/** Puts a folder of text files in the place of `join(dir, name)`. Undone by {@linkcode recoverFolders} if cut off. */
export async function writeFolderWhole(
  dir: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const incoming = join(dir, INCOMING + name), outgoing = join(dir, OUTGOING + name), path = join(dir, name);
  await removeAll(incoming);
  await removeAll(outgoing);
  for (const [file, text] of Object.entries(files)) {
    const target = join(incoming, file);
    await Deno.mkdir(dirname(target), { recursive: true });
    await writeWhole(target, text);
  }
  await Deno.rename(path, outgoing).catch(ignoreMissing);
  await Deno.rename(incoming, path);
  await removeAll(outgoing);
}

/** Brings folders back that a power cut caught between going out and coming in, and clears away half-made ones. */
export async function recoverFolders(dir: string): Promise<void> {
  for await (const { name } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (name.startsWith(OUTGOING)) {
      const home = join(dir, name.slice(OUTGOING.length));
      const there = await Deno.lstat(home).then(() => true, () => false);
      if (there) await removeAll(path);
      else await Deno.rename(path, home);
    } else if (name.startsWith(INCOMING)) await removeAll(path);
    else if (/^\.[0-9a-f-]{36}\.new$/.test(name)) await Deno.remove(path);
  }
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

/**
 * Versions of plug-ins on disk: several of each, one of them active.
 *
 * A plug-in that was installed lives in `<plugins>/<name>/<version>/`, and the file `<plugins>/<name>/current` says
 * which version is active. A version is written whole and synced under a name that nobody looks at, then it gets its
 * own; the pointer is flipped by renaming a synced file over it. So whenever the power goes, what the pointer says is
 * there in full: the old version before the flip, the new one after it. What was begun and not finished is swept
 * away at the next start.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import * as v from "valibot";
import { type Log, messageOf, newId } from "../base/mod.ts";
import { removeAll, syncFolder, writeSynced } from "./store.ts";

/** The file that names the active version. */
const POINTER = "current";
/** Prefixes of what is being written and of what is being removed; no plug-in's name begins with a dot. */
const INCOMING = ".new-", OUTGOING = ".gone-";
/** In the folder of a first installation until its pointer is there. */
const MARK = ".installing";
/** A version's folder: its version, and where another content had that version before, `~` and a number. */
const FOLDER = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.+_~-]{0,39}$/));
const FILE = v.object({
  active: FOLDER,
  history: v.optional(v.array(FOLDER), []),
  replaces: v.optional(v.string()),
});

/** What a pointer says. */
export interface Pointer {
  /** The folder of the active version. */
  readonly active: string;
  /** Those of the versions before it, the latest first. */
  readonly history: readonly string[];
  /** The entry of the plug-ins folder whose place this one is just taking. */
  readonly replaces?: string | undefined;
}

/** Told before each step on the disk, so that a test can stop at it. */
export type OnStep = (step: string) => void;

/** Reads a plug-in's pointer; undefined where `path` is no folder with one that can be read. */
export async function readPointer(path: string): Promise<Pointer | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(path, POINTER));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
  try {
    return v.parse(FILE, JSON.parse(text));
  } catch {
    return undefined; // not one of ours, which are only ever replaced whole
  }
}

/** The versions of the plug-ins in one folder. */
export class Versions {
  constructor(
    private readonly dir: string,
    /** How many versions before the active one stay on disk. */
    private readonly keep: number,
    private readonly log: Log,
    private readonly step: OnStep = () => {},
  ) {}

  pointer(name: string): Promise<Pointer | undefined> {
    return readPointer(join(this.dir, name));
  }

  /** Writes a version beside those that are there, without making it active. Gives its folder; leaves nothing if it fails. */
  async add(
    name: string,
    version: string,
    files: Readonly<Record<string, string | Uint8Array>>,
  ): Promise<string> {
    const home = join(this.dir, name), incoming = join(home, INCOMING + newId());
    try {
      return await this.#write(name, version, files, incoming);
    } catch (error) {
      await removeAll(incoming).catch(() => {}); // the next start sweeps what even that does not take away
      if (!await this.pointer(name).catch(() => undefined)) await this.#sweepUnpointed(home).catch(() => {});
      throw error;
    }
  }

  async #write(
    name: string,
    version: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    incoming: string,
  ): Promise<string> {
    const home = join(this.dir, name);
    this.step("make the folder");
    if (await makeFolder(home)) {
      await syncFolder(this.dir);
      this.step("mark the folder");
      await writeSynced(join(home, MARK), "");
    }
    this.step("make the version's folder");
    await Deno.mkdir(incoming);
    const folders = new Set([incoming]);
    for (const [file, content] of Object.entries(files)) {
      const target = join(incoming, file);
      this.step("make a folder within");
      await Deno.mkdir(dirname(target), { recursive: true });
      for (let at = dirname(target); at.length > incoming.length; at = dirname(at)) folders.add(at);
      this.step("write a file");
      await writeSynced(target, content);
    }
    this.step("sync the folder");
    for (const folder of folders) await syncFolder(folder);
    const folder = await this.#freeName(home, version);
    this.step("name the version");
    await Deno.rename(incoming, join(home, folder));
    try {
      this.step("sync the name");
      await syncFolder(home);
    } catch (error) {
      await removeAll(join(home, folder)).catch(() => {});
      throw error;
    }
    return folder;
  }

  /**
   * Makes a version active. `replaces`: the entry of the plug-ins folder that had this plug-in before. Where it rejects
   * nothing has changed.
   */
  async activate(name: string, folder: string, replaces?: string): Promise<void> {
    const before = await this.pointer(name);
    const history = [before?.active, ...before?.history ?? []]
      .filter((other, at, all) => other !== undefined && other !== folder && all.indexOf(other) === at)
      .slice(0, this.keep) as string[];
    await this.#flip(name, { active: folder, history, replaces });
    await this.#tidy(name);
  }

  /** Makes the version before the active one active again, and forgets the active one. */
  async rollBack(name: string): Promise<void> {
    const before = await this.pointer(name);
    const [active, ...history] = before?.history ?? [];
    if (active === undefined) return;
    await this.#flip(name, { active, history });
    await this.#tidy(name);
  }

  /** Removes a version that was added and did not become active. */
  async discard(name: string, folder: string): Promise<void> {
    const pointer = await this.pointer(name);
    if (pointer?.active === folder || pointer?.history.includes(folder)) return;
    await this.#remove(join(this.dir, name), folder);
    if (!pointer) await this.#sweepUnpointed(join(this.dir, name));
  }

  /** Removes an entry of the plug-ins folder with all that is in it. */
  async remove(entry: string): Promise<void> {
    await this.#remove(this.dir, entry);
  }

  /** At the start: finishes what was flipped, and sweeps away what was not. */
  async recover(): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(this.dir)) {
      if (name.startsWith(OUTGOING) || /^\.[0-9a-f-]{36}\.new$/.test(name)) {
        await removeAll(join(this.dir, name));
      } else if (isDirectory && !name.startsWith(".")) {
        if (await this.pointer(name)) await this.#settle(name);
        else await this.#sweepUnpointed(join(this.dir, name));
      }
    }
  }

  /** A folder that was dropped, or what a first installation left that was cut off. */
  async #sweepUnpointed(home: string): Promise<void> {
    const there = async (name: string) => await Deno.lstat(join(home, name)).then(() => true, () => false);
    if (await there(MARK)) return await removeAll(home);
    for await (const { name } of Deno.readDir(home)) {
      if (name.startsWith(INCOMING) || name.startsWith(OUTGOING)) await removeAll(join(home, name));
    }
    await Deno.remove(home).catch(() => {}); // where nothing is in it
  }

  /** After a flip there is no way back: what can't be tidied up now is at the next start. */
  async #tidy(name: string): Promise<void> {
    try {
      this.step("sync the flip");
      await syncFolder(join(this.dir, name));
      await this.#settle(name);
    } catch (error) {
      this.log.warn("what an earlier version of a plug-in left can't be tidied up", {
        plugin: name,
        error: messageOf(error),
      });
    }
  }

  /** Does what remains after a flip: the former entry goes, and so do versions that nobody keeps. */
  async #settle(name: string): Promise<void> {
    const home = join(this.dir, name), pointer = (await this.pointer(name))!;
    const { replaces } = pointer;
    if (replaces !== undefined && replaces !== name && !replaces.includes("/") && !replaces.startsWith(".")) {
      await this.#remove(this.dir, replaces);
    }
    const kept = new Set([POINTER, pointer.active, ...pointer.history]);
    for await (const { name: other } of Deno.readDir(home)) {
      if (!kept.has(other)) await this.#remove(home, other);
    }
    if (replaces === undefined) return;
    await this.#flip(name, { active: pointer.active, history: pointer.history });
    this.step("sync the flip");
    await syncFolder(home);
  }

  /** Replaces the pointer in one step; the disk has it once the folder is synced. */
  async #flip(name: string, pointer: Pointer): Promise<void> {
    const home = join(this.dir, name), beside = join(home, INCOMING + newId());
    try {
      this.step("write the pointer");
      await writeSynced(beside, JSON.stringify(pointer) + "\n");
      this.step("flip the pointer");
      await Deno.rename(beside, join(home, POINTER));
    } catch (error) {
      await removeAll(beside).catch(() => {});
      throw error;
    }
  }

  /** Takes it out of sight in one step, then removes it. */
  async #remove(folder: string, name: string): Promise<void> {
    const gone = name.startsWith(OUTGOING) ? name : OUTGOING + newId();
    this.step("take out of sight");
    try {
      if (gone !== name) await Deno.rename(join(folder, name), join(folder, gone));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    this.step("remove");
    await removeAll(join(folder, gone));
  }

  async #freeName(home: string, version: string): Promise<string> {
    for (let n = 1;; n++) {
      const folder = n === 1 ? version : `${version}~${n}`;
      const taken = await Deno.lstat(join(home, folder)).then(() => true, () => false);
      if (!taken) return folder;
    }
  }
}

/** Whether it was not there before. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

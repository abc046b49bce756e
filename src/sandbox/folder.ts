/**
 * Watches the plug-ins folder: tells which entries are new, changed or gone, soon after it happened.
 *
 * The file system's own word is only a hint to look; what counts is what is found, and there is a look every few
 * seconds in any case, for file systems that say nothing.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../base/mod.ts";
import { scanFolder } from "./source.ts";

/** How long the folder must be quiet before it is read, and how often it is read in any case, in milliseconds. */
const QUIET_MS = 100;
const LOOK_MS = 5_000;

/** What changed in the folder. `fingerprint` is undefined where the entry is gone. */
export interface FolderChange {
  readonly entry: string;
  readonly fingerprint: string | undefined;
}

/** A watched folder. */
export class WatchedFolder implements Disposable {
  readonly #known = new Map<string, string>();
  #watcher: Deno.FsWatcher | undefined;
  #quiet: Timer | undefined;
  #look: Timer | undefined;
  #closed = false;
  #scanning: Promise<void> = Promise.resolve();

  /** `onChange` may be asynchronous: {@linkcode WatchedFolder.scan} waits for it. */
  constructor(
    private readonly dir: string,
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly onChange: (change: FolderChange) => void | Promise<void>,
  ) {}

  /** Starts to watch. */
  start(): void {
    this.#scheduleLook();
    this.#watchEvents().catch((error) => {
      if (!this.#closed) {
        const { log } = this.deps;
        log.warn("plug-ins folder can't be watched: it is read every few seconds", {
          error: messageOf(error),
        });
      }
    });
  }

  /** Looks now. Resolves when all changes that were found are dealt with. */
  scan(): Promise<void> {
    return this.#scanning = this.#scanning.catch(() => {}).then(() => this.#scan());
  }

  /** Takes entries for changed, and looks. */
  retry(entries: readonly string[]): void {
    for (const entry of entries) this.#known.delete(entry);
    void this.#scanLogged();
  }

  /** Takes note of what an entry is now, so that it does not count as changed. */
  note(entry: string, fingerprint: string | undefined): void {
    if (fingerprint === undefined) this.#known.delete(entry);
    else this.#known.set(entry, fingerprint);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#quiet?.cancel();
    this.#look?.cancel();
  }

  async #scan(): Promise<void> {
    if (this.#closed) return;
    const found = await scanFolder(this.dir);
    const changes: FolderChange[] = [];
    for (const { name, fingerprint } of found.values()) {
      if (this.#known.get(name) !== fingerprint) changes.push({ entry: name, fingerprint });
    }
    for (const entry of this.#known.keys()) {
      if (!found.has(entry)) changes.push({ entry, fingerprint: undefined });
    }
    // First what is gone, so that a plug-in that was renamed does not meet its former self.
    changes.sort((a, b) => Number(a.fingerprint !== undefined) - Number(b.fingerprint !== undefined));
    for (const { entry, fingerprint } of changes) this.note(entry, fingerprint);
    await Promise.all(changes.map((change) => this.onChange(change)));
  }

  async #watchEvents(): Promise<void> {
    this.#watcher = Deno.watchFs(this.dir, { recursive: true });
    for await (const _ of this.#watcher) {
      this.#quiet?.cancel();
      this.#quiet = this.deps.clock.setTimer(() => this.#scanLogged(), QUIET_MS);
    }
  }

  #scheduleLook(): void {
    this.#look = this.deps.clock.setTimer(async () => {
      await this.#scanLogged();
      if (!this.#closed) this.#scheduleLook();
    }, LOOK_MS);
  }

  async #scanLogged(): Promise<void> {
    try {
      await this.scan();
    } catch (error) {
      if (!this.#closed) this.deps.log.error("plug-ins folder can't be read", { error: messageOf(error) });
    }
  }
}

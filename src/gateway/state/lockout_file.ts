/**
 * Lockouts that survive a restart: pulling the plug must not be a way of getting more attempts.
 *
 * @module
 */
import { join } from "@std/path";
import * as v from "valibot";
import { type Clock, type Log, messageOf } from "../../base/mod.ts";
import { readJsonFile, writeJsonFile } from "./json_file.ts";
import { type KeptLock, Lockout, type LockoutOptions } from "./lockout.ts";

const count = v.pipe(v.number(), v.minValue(0));
const fileSchema = v.record(
  v.string(),
  v.array(
    v.object({ key: v.pipe(v.string(), v.maxLength(64)), failures: count, leftMs: count, agoMs: count }),
  ),
);

/**
 * `<dataDir>/lockouts.json`. Written when an attempt was wrong, at most one write at a time: a lockout itself bounds how
 * many attempts there are, and so how often the flash is written.
 */
export class LockoutFile {
  readonly #lockouts = new Map<string, Lockout>();
  #writing: Promise<void> | undefined;
  #again = false;

  private constructor(
    private readonly deps: { readonly clock: Pick<Clock, "monotonic">; readonly log: Log },
    private readonly path: string,
    private readonly kept: Readonly<Record<string, readonly KeptLock[]>>,
  ) {}

  /** Reads the file. One that can't be read counts as empty. */
  static async open(
    deps: { readonly clock: Pick<Clock, "monotonic">; readonly log: Log },
    dataDir: string,
  ): Promise<LockoutFile> {
    const path = join(dataDir, "lockouts.json");
    let kept: Record<string, KeptLock[]> = {};
    try {
      const found = v.safeParse(fileSchema, await readJsonFile(path) ?? {});
      if (found.success) kept = found.output;
      else deps.log.warn("the lockouts of before could not be read", { path });
    } catch (error) {
      deps.log.warn("the lockouts of before could not be read", { path, reason: messageOf(error) });
    }
    return new LockoutFile(deps, path, kept);
  }

  /** The lockout called `name`, with what is known of it. */
  lockout(name: string, options: LockoutOptions): Lockout {
    const lockout = new Lockout(this.deps.clock, options, this.kept[name], () => this.#save());
    this.#lockouts.set(name, lockout);
    return lockout;
  }

  /** Waits for what is being written. */
  async flushed(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #save(): void {
    this.#again = true;
    this.#writing ??= this.#write().finally(() => this.#writing = undefined);
  }

  async #write(): Promise<void> {
    await Promise.resolve(); // changes of one turn share a write
    while (this.#again) {
      this.#again = false;
      const all = Object.fromEntries(
        [...this.#lockouts].map(([name, lockout]) => [name, lockout.snapshot()]),
      );
      try {
        await writeJsonFile(this.path, all);
      } catch (error) {
        this.deps.log.error("the lockouts could not be kept", { reason: messageOf(error) });
      }
    }
  }
}

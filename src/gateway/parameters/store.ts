/**
 * The file behind the parameter tree. It is written whole or not at all; writes that come while one is under way
 * share the next one, so that a burst of them costs the flash two writes.
 *
 * @module
 */
import * as v from "valibot";
import { type Log, messageOf } from "../../base/mod.ts";
import { readJsonFile, writeJsonFile } from "../state/mod.ts";
import { type ParameterValue, SOURCES } from "./definition.ts";
import { ParameterError } from "./errors.ts";

const STAMP = {
  source: v.picklist(SOURCES),
  by: v.optional(v.string()),
  time: v.number(),
  sequence: v.pipe(v.number(), v.integer()),
};
const VALUE = v.union([v.string(), v.number(), v.boolean()]);
const FILE = v.object({
  sequence: v.pipe(v.number(), v.integer(), v.minValue(0)),
  presets: v.record(v.string(), VALUE),
  values: v.record(v.string(), v.object({ value: VALUE, ...STAMP })),
  tables: v.record(
    v.string(),
    v.object({
      next: v.pipe(v.number(), v.integer(), v.minValue(1)),
      rows: v.array(v.pipe(v.number(), v.integer(), v.minValue(1))),
    }),
  ),
});

/** What is in the file. */
export type StoredTree = v.InferOutput<typeof FILE>;

/** Who wrote a value, and when. `sequence` orders writes also where the clock was set back. */
export interface Stamp {
  readonly source: typeof SOURCES[number];
  /** Which of them: a plug-in's name, an address. */
  readonly by?: string | undefined;
  /** Milliseconds since 1970, as the gateway's clock was. */
  readonly time: number;
  readonly sequence: number;
}

/** A value that was written. */
export interface Entry extends Stamp {
  readonly value: ParameterValue;
}

/** Reads the file; undefined where there is none. One that can't be read is set aside as `<path>.broken`, not lost. */
export async function readTree(path: string, log: Log): Promise<StoredTree | undefined> {
  try {
    const found = await readJsonFile(path);
    return found === undefined ? undefined : v.parse(FILE, found);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof v.ValiError)) throw error;
    const aside = `${path}.broken`;
    await Deno.rename(path, aside);
    log.error("the parameters could not be read: they are at their factory presets", {
      path,
      aside,
      reason: messageOf(error),
    });
    return undefined;
  }
}

/** Writes the file, each time as things are when the write begins. */
export class TreeWriter {
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** Without a path everything counts as written. */
  constructor(private readonly path: string | undefined, private readonly content: () => StoredTree) {}

  /** Resolves when everything that is in memory at this moment is on the disk. Throws ParameterError `disk`. */
  save(): Promise<void> {
    return this.#next ??= this.#write(this.#writing);
  }

  /** What is on its way to the disk, if anything is. */
  get pending(): Promise<void> | undefined {
    return this.#next ?? this.#writing;
  }

  /** Resolves when nothing is being written any more, however it ended. */
  async idle(): Promise<void> {
    while (this.pending) await this.pending.catch(() => {});
  }

  async #write(before: Promise<void> | undefined): Promise<void> {
    // Also where nothing is under way: writes that come in the same moment share this one.
    await (before ?? Promise.resolve()).catch(() => {});
    const writing = this.#writing = this.#next;
    this.#next = undefined;
    try {
      if (this.path !== undefined) await writeJsonFile(this.path, this.content());
    } catch (cause) {
      throw new ParameterError("disk", `the parameters could not be written: ${messageOf(cause)}`, { cause });
    } finally {
      if (this.#writing === writing) this.#writing = undefined;
    }
  }
}

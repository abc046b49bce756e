/**
 * Messages that the platform would not have: kept for whoever looks into it, not for ever.
 *
 * @module
 */
import { type Log, messageOf } from "../../base/mod.ts";
import type { SpoolFile, SpoolFiles } from "./spool_files.ts";
import { encodeLine, type SpoolRecord } from "./spool_record.ts";

const NAME = "refused.log", OLDER = "refused.log.1";
/** Past this the file becomes the older one, and the older one goes. */
const MAX_BYTES = 256 * 1024;

/** The letters that came back. */
export class RefusedMessages {
  #file: SpoolFile | undefined;
  #size = 0;

  constructor(private readonly files: SpoolFiles, private readonly log: Log) {}

  /** Writes a message down with the platform's result. A disk that does not take it costs the message, with a log. */
  async keep(record: SpoolRecord, result: number): Promise<void> {
    const { plugin, time, seq } = record;
    this.log.error("the platform refuses a pushed message: given up", { plugin, time, seq, result });
    try {
      const line = encodeLine({ ...record, result });
      if (!this.#file) this.#size = (await this.files.read(NAME))?.length ?? 0;
      if (this.#size + line.length > MAX_BYTES && this.#size > 0) {
        this.close();
        await this.files.rename(NAME, OLDER);
        this.#size = 0;
      }
      this.#file ??= await this.files.open(NAME);
      await this.#file.write(line, this.#size);
      await this.#file.sync();
      this.#size += line.length;
    } catch (error) {
      this.close();
      this.log.error("a refused message can't be kept: lost", { seq, error: messageOf(error) });
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

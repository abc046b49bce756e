/**
 * The spool: messages on the disk, first in, first out, until the platform has them.
 *
 * Messages are appended to segment files, many in one write and one `fsync`; a segment goes away when all in it was
 * delivered. How far delivery is, is written down without `fsync`: what a power cut takes of that costs a message that
 * is sent again, which the platform knows by its MD5, and spares the flash a write for each message.
 *
 * @module
 */
import { type Log, messageOf } from "../../base/mod.ts";
import { PushError } from "./errors.ts";
import type { SpoolFile, SpoolFiles } from "./spool_files.ts";
import { decodeLine, decodeRecord, encodeLine, readLines, type SpoolRecord } from "./spool_record.ts";

/** Bounds of a spool. What waits is bounded by these; on the disk lie up to three segments more. */
export interface SpoolLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** What one plug-in may fill of it, from 0 to 1. */
  readonly pluginShare: number;
  /** What all of them together may fill: the rest is the gateway's own. */
  readonly pluginsShare: number;
  readonly segmentBytes: number;
}

/** 4 MiB and 10,000 messages, half of it for one plug-in, a tenth for the gateway's own. */
export const DEFAULT_SPOOL_LIMITS: SpoolLimits = {
  maxMessages: 10_000,
  maxBytes: 4 << 20,
  pluginShare: 0.5,
  pluginsShare: 0.9,
  segmentBytes: 256 * 1024,
};

/** A message that waits: where it is. */
export interface SpoolEntry {
  readonly seq: number;
  readonly plugin: string;
  readonly time: string;
  readonly segment: Segment;
  readonly at: number;
  readonly length: number;
}

interface Segment {
  readonly name: string;
  size: number;
  /** Messages in it that wait. */
  waiting: number;
}

interface Write {
  readonly record: SpoolRecord;
  readonly line: Uint8Array<ArrayBuffer>;
  readonly done: PromiseWithResolvers<void>;
}

const DELIVERED = "delivered";
/** So that the number is overwritten in place, whatever its length. */
const DELIVERED_WIDTH = 32;
const SEGMENT = /^(\d{10})\.spool$/;
/** Digests that are remembered: messages of the last while, delivered or not. */
const MAX_DIGESTS = 5000;

/** Messages that wait for the platform. */
export class Spool {
  readonly #segments: Segment[] = [];
  /** Waiting messages in order; those before `#head` are gone. */
  #entries: SpoolEntry[] = [];
  #head = 0;
  /** Messages that wait, and their bytes, those on the way to the disk included. */
  #count = 0;
  #bytes = 0;
  /** By plug-in: how many of its messages and bytes wait, counted in the same way. */
  readonly #shares = new Map<string, { count: number; bytes: number }>();
  readonly #digests = new Set<string>();
  #nextSeq = 1;
  #nextSegment = 1;
  #file: SpoolFile | undefined;
  #writes: Write[] = [];
  #writing: Promise<void> | undefined;
  #delivered = 0;
  #deliveredFile: SpoolFile | undefined;
  #noting: Promise<void> | undefined;
  #noted = 0;
  #closed = false;
  /** Called when messages were added. */
  onAdded: () => void = () => {};

  private constructor(
    private readonly files: SpoolFiles,
    private readonly log: Log,
    private readonly limits: SpoolLimits,
    /** Whose messages count as the gateway's own. */
    private readonly own: string,
  ) {}

  /** Reads what is there. Throws the system's error where the folder can't be used. */
  static async open(
    files: SpoolFiles,
    { log, limits = DEFAULT_SPOOL_LIMITS, own }: { log: Log; limits?: SpoolLimits; own: string },
  ): Promise<Spool> {
    const spool = new Spool(files, log, limits, own);
    await spool.#load();
    return spool;
  }

  /** How many messages wait on the disk. */
  get depth(): number {
    return this.#entries.length - this.#head;
  }

  /** Their bytes, and those on the way to the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The message whose turn it is. */
  get head(): SpoolEntry | undefined {
    return this.#entries[this.#head];
  }

  /** Whether a message with that digest waits or was delivered a while ago: the platform would take another for it. */
  knows(md5: string): boolean {
    return this.#digests.has(md5);
  }

  /**
   * Adds a message behind all that were added before; resolves when it is on the disk.
   * @throws {PushError} `full`, `storage` or `closed`
   */
  add(message: Omit<SpoolRecord, "seq">): Promise<void> {
    if (this.#closed) return Promise.reject(new PushError("closed", "the gateway is stopping"));
    const record = { seq: this.#nextSeq, ...message };
    const line = encodeLine(record);
    const full = this.#fullFor(message.plugin, line.length);
    if (full) return Promise.reject(new PushError("full", full));
    this.#nextSeq++;
    this.#reserve(message.plugin, line.length);
    this.#remember(message.md5);
    const write = { record, line, done: Promise.withResolvers<void>() };
    this.#writes.push(write);
    this.#writing ??= Promise.resolve().then(() => this.#write());
    return write.done.promise;
  }

  /** A waiting message; undefined where the disk no longer has it as it was. */
  async read({ segment, at, length, seq }: SpoolEntry): Promise<SpoolRecord | undefined> {
    const line = await this.files.readPart(segment.name, at, length);
    const record = line.length === length ? decodeRecord(line.subarray(0, length - 1)) : undefined;
    return record?.seq === seq ? record : undefined;
  }

  /** The message whose turn it was is dealt with. */
  shift(): void {
    const entry = this.head;
    if (!entry) return;
    this.#head++;
    if (this.#head > 1000 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    entry.segment.waiting--;
    this.#release(entry.plugin, entry.length);
    this.#delivered = entry.seq;
    this.#noting ??= this.#note();
    this.#prune();
  }

  /** Waits for what is on its way to the disk. Further messages are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing) await this.#writing;
    while (this.#noting) await this.#noting;
    this.#file?.close();
    this.#deliveredFile?.close();
    this.#file = this.#deliveredFile = undefined;
  }

  async #load(): Promise<void> {
    const said = await this.files.read(DELIVERED);
    const end = said?.indexOf(0x0a) ?? -1;
    const delivered = end < 0
      ? undefined
      : decodeLine(said!.subarray(0, end)) as { seq?: unknown } | undefined;
    this.#delivered = Number.isSafeInteger(delivered?.seq) ? delivered!.seq as number : 0;
    this.#nextSeq = this.#delivered + 1;
    for (const name of await this.files.list()) {
      const number = SEGMENT.exec(name)?.[1];
      if (number === undefined) continue;
      this.#nextSegment = Number(number) + 1;
      this.#loadSegment(name, await this.files.read(name) ?? new Uint8Array());
    }
    await this.#cutTail();
    this.#prune();
  }

  #loadSegment(name: string, bytes: Uint8Array): void {
    const { lines, end } = readLines(bytes);
    const segment: Segment = { name, size: end, waiting: 0 };
    this.#segments.push(segment);
    let damaged = 0;
    for (const { at, length, record } of lines) {
      // A record whose number does not go up is what a failed write left behind, or no work of ours.
      if (!record || (this.depth > 0 && record.seq <= this.#entries.at(-1)!.seq)) {
        damaged++;
        continue;
      }
      this.#nextSeq = Math.max(this.#nextSeq, record.seq + 1);
      this.#remember(record.md5);
      if (record.seq <= this.#delivered) continue;
      const { seq, plugin, time } = record;
      this.#entries.push({ seq, plugin, time, segment, at, length });
      segment.waiting++;
      this.#reserve(plugin, length);
    }
    if (damaged > 0) {
      this.log.error("pushed messages are damaged on the disk: lost", { segment: name, damaged });
    }
    if (end < bytes.length) {
      this.log.warn("a message that was cut off while it was written is removed", {
        segment: name,
        bytes: bytes.length - end,
      });
    }
  }

  /** Goes on behind the last whole message of the newest segment. */
  async #cutTail(): Promise<void> {
    const last = this.#segments.at(-1);
    if (!last || last.size >= this.limits.segmentBytes) return;
    this.#file = await this.files.open(last.name);
    await this.#file.truncate(last.size);
  }

  #fullFor(plugin: string, length: number): string | undefined {
    const { maxMessages, maxBytes, pluginShare, pluginsShare } = this.limits;
    const all = { count: this.#count, bytes: this.#bytes };
    const over = ({ count, bytes }: { count: number; bytes: number }, share: number) =>
      count + 1 > maxMessages * share || bytes + length > maxBytes * share;
    if (over(all, 1)) return `the push spool is full: ${all.count} messages wait for the platform; try later`;
    if (plugin === this.own) return undefined;
    const none = { count: 0, bytes: 0 }, reserved = this.#shares.get(this.own) ?? none;
    const plugins = { count: all.count - reserved.count, bytes: all.bytes - reserved.bytes };
    if (over(plugins, pluginsShare)) {
      return `the push spool is full: ${plugins.count} messages wait for the platform; try later`;
    }
    const own = this.#shares.get(plugin) ?? none;
    if (!over(own, pluginShare)) return undefined;
    return `this plug-in's part of the push spool is full: ${own.count} of its messages wait for the platform; try later`;
  }

  #reserve(plugin: string, length: number): void {
    const share = this.#shares.get(plugin) ?? { count: 0, bytes: 0 };
    this.#shares.set(plugin, { count: share.count + 1, bytes: share.bytes + length });
    this.#count++;
    this.#bytes += length;
  }

  #release(plugin: string, length: number): void {
    const { count, bytes } = this.#shares.get(plugin)!;
    if (count === 1) this.#shares.delete(plugin);
    else this.#shares.set(plugin, { count: count - 1, bytes: bytes - length });
    this.#count--;
    this.#bytes -= length;
  }

  #remember(md5: string): void {
    this.#digests.add(md5);
    if (this.#digests.size > MAX_DIGESTS) this.#digests.delete(this.#digests.values().next().value!);
  }

  async #write(): Promise<void> {
    while (this.#writes.length > 0) {
      const batch = this.#writes;
      this.#writes = [];
      try {
        const segment = await this.#segment();
        const bytes = concat(batch.map(({ line }) => line));
        await this.#file!.write(bytes, segment.size);
        await this.#file!.sync();
        for (const { record: { seq, plugin, time }, line } of batch) {
          this.#entries.push({ seq, plugin, time, segment, at: segment.size, length: line.length });
          segment.size += line.length;
          segment.waiting++;
        }
        for (const { done } of batch) done.resolve();
        this.onAdded();
      } catch (error) {
        await this.#failed(batch, error);
      }
    }
    this.#writing = undefined;
  }

  /** None of the batch was promised: what got to the disk of it is taken back. */
  async #failed(batch: readonly Write[], error: unknown): Promise<void> {
    const segment = this.#segments.at(-1);
    try {
      if (segment) await this.#file?.truncate(segment.size);
    } catch {
      // The next batch goes into another segment; a start from here finds the rest by its checksums.
      this.#file?.close();
      this.#file = undefined;
    }
    for (const { record, line } of batch) {
      this.#release(record.plugin, line.length);
      this.#digests.delete(record.md5);
    }
    this.log.error("pushed messages can't be kept", { error: messageOf(error), messages: batch.length });
    for (const { done } of batch) {
      done.reject(
        new PushError("storage", `the message can't be kept: ${messageOf(error)}`, { cause: error }),
      );
    }
  }

  /** The segment that is written to, opened. */
  async #segment(): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (this.#file && last && last.size < this.limits.segmentBytes) return last;
    this.#file?.close();
    this.#file = undefined;
    const name = `${String(this.#nextSegment).padStart(10, "0")}.spool`;
    this.#file = await this.files.open(name);
    this.#nextSegment++;
    const segment = { name, size: 0, waiting: 0 };
    this.#segments.push(segment);
    this.#prune();
    return segment;
  }

  /** Removes segments in which nothing waits, but for the newest two: they are what digests are remembered by. */
  #prune(): void {
    while (this.#segments.length > 2 && this.#segments[0]!.waiting === 0) {
      const { name } = this.#segments.shift()!;
      this.files.remove(name).catch((error) => {
        this.log.warn("a segment of delivered messages can't be removed", {
          segment: name,
          error: messageOf(error),
        });
      });
    }
  }

  async #note(): Promise<void> {
    while (this.#noted !== this.#delivered) {
      const seq = this.#delivered;
      try {
        this.#deliveredFile ??= await this.files.open(DELIVERED);
        await this.#deliveredFile.write(encodeLine({ seq }, DELIVERED_WIDTH), 0);
      } catch (error) {
        this.log.warn("it can't be noted what was delivered", { error: messageOf(error) });
      }
      this.#noted = seq;
    }
    this.#noting = undefined;
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * The sending half of a framed connection: a bounded queue, written in as few writes as possible.
 *
 * @module
 */
import { type Clock, messageOf } from "../base/mod.ts";
import type { ByteStream } from "./stream.ts";
import { Watchdog } from "./watchdog.ts";

/** How a writer fails. */
export type WriteFailure = "slow_peer" | "reset";

interface WriterOptions {
  readonly clock: Clock;
  readonly writeMs: number;
  readonly maxQueuedBytes: number;
  readonly onFailure: (code: WriteFailure, detail: string) => void;
}

/** Frames that are queued in one turn go out in one write; those queued during a write, in the next. */
export class FrameWriter {
  readonly #stream: ByteStream;
  readonly #options: WriterOptions;
  readonly #watch: Watchdog;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #flushing: Promise<void> | undefined;
  #finishing: Promise<void> | undefined;
  #stopped = false;

  constructor(stream: ByteStream, options: WriterOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#watch = new Watchdog(options.clock, () => {
      this.#fail("slow_peer", `took nothing for ${options.writeMs} ms`);
    });
  }

  /** What waits, with what is being written. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues encoded bytes; false where that is too much, which fails the connection. */
  send(bytes: Uint8Array): boolean {
    if (this.#stopped || this.#finishing) return false;
    if (this.#queuedBytes + bytes.length > this.#options.maxQueuedBytes) {
      this.#fail("slow_peer", `${this.#queuedBytes} bytes wait for it`);
      return false;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#flushing ??= this.#flush();
    return true;
  }

  /** Writes what is queued, then tells the peer that this was all. Resolves also where that fails. */
  finish(): Promise<void> {
    return this.#finishing ??= this.#finish();
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  async #finish(): Promise<void> {
    await this.#flushing;
    if (!this.#stopped) await this.#stream.closeWrite().catch(() => {});
  }

  async #flush(): Promise<void> {
    await null; // gives the rest of this turn the chance to join in
    try {
      while (this.#queue.length > 0) {
        const queue = this.#queue;
        this.#queue = [];
        await this.#write(queue.length === 1 ? queue[0]! : concat(queue));
      }
    } catch (error) {
      this.#fail("reset", messageOf(error));
    } finally {
      this.#flushing = undefined;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#stopped;) {
      this.#watch.set(this.#options.writeMs);
      const written = await this.#stream.write(at === 0 ? bytes : bytes.subarray(at));
      at += written;
      if (!this.#stopped) this.#queuedBytes -= written;
    }
    this.#watch.pause();
  }

  #fail(code: WriteFailure, detail: string): void {
    if (!this.#stopped) this.#options.onFailure(code, detail);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

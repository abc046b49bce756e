/**
 * One connection that carries frames, with a limit on everything the peer can do to it.
 *
 * @module
 */
import { type Clock, type HostPort, type Log, messageOf } from "../base/mod.ts";
import { FrameWriter } from "./frame_writer.ts";
import type { ByteStream, Framing } from "./stream.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * Why a connection ended:
 * - `peer_closed`: the peer finished sending, between two frames
 * - `truncated`: the peer finished sending within a frame
 * - `reset`: the connection broke
 * - `idle`: no frame began for `idleMs`
 * - `slow_frame`: a frame was not complete within `frameMs` of its first byte
 * - `slow_peer`: the peer reads too slowly for what is sent to it
 * - `bad_frame`: its bytes can't be framed
 * - `handler_failed`: our own handler threw
 * - `local`: closed by this side
 */
export type CloseCode =
  | "peer_closed"
  | "truncated"
  | "reset"
  | "idle"
  | "slow_frame"
  | "slow_peer"
  | "bad_frame"
  | "handler_failed"
  | "local";

/** Why a connection ended, and what there is to say about it. */
export interface CloseReason {
  readonly code: CloseCode;
  readonly detail?: string;
}

/** Limits of one connection. */
export interface ConnectionLimits {
  /** How long no frame may begin, in milliseconds, while no handler is at work. Default 60,000; 0: no limit. */
  readonly idleMs?: number;
  /** How long a frame may take from its first byte to its last, in milliseconds. Default 10,000. */
  readonly frameMs?: number;
  /** How long one write may wait for the peer, in milliseconds. Default 10,000. */
  readonly writeMs?: number;
  /** How many bytes may wait to be sent. Default 1 MiB. */
  readonly maxQueuedBytes?: number;
  /** How long `end()` waits for the peer to close too, in milliseconds. Default 2,000. */
  readonly lingerMs?: number;
}

/** What a connection works with. */
export interface FramedOptions {
  readonly framing: Framing;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: ConnectionLimits;
}

/**
 * Called for each frame, in order. `frame` is a view that is valid only during the call, or until the promise it
 * returns settles: nothing more is read until then, which holds back a peer that sends faster than it is served.
 */
export type FrameHandler = (frame: Uint8Array, connection: FramedConnection) => void | Promise<void>;

/** A buffer for reading begins small, since most connections are many and quiet, and doubles each time it is filled. */
const SMALLEST_BUFFER = 512;
const LARGEST_BUFFER = 64 * 1024;

/**
 * Frames over a {@linkcode ByteStream}. Read with `run` (a handler) or `frames` (a loop), one of them, once. It never
 * throws what a peer does: the connection ends, and `closed` says why.
 */
export class FramedConnection implements AsyncDisposable {
  /**
   * Asked when the peer has finished sending, which need not mean that it has finished reading: the connection is ended
   * once the promise settles, and answers can be sent until then. Whoever sets it bounds the time.
   */
  onPeerFinished: (() => Promise<void>) | undefined;
  readonly local: HostPort;
  readonly remote: HostPort;
  /** Resolves with the reason once the connection has ended. */
  readonly closed: Promise<CloseReason>;
  readonly #stream: ByteStream;
  readonly #framing: Framing;
  readonly #log: Log;
  readonly #writer: FrameWriter;
  readonly #readWatch: Watchdog;
  readonly #frameMs: number;
  readonly #lingerMs: number;
  readonly #settle: (reason: CloseReason) => void;
  #idleMs: number;
  #state: "open" | "ending" | "closed" = "open";
  #reading = false;
  #partial = false;

  constructor(stream: ByteStream, options: FramedOptions) {
    const { clock, limits = {} } = options;
    this.local = stream.local;
    this.remote = stream.remote;
    this.#stream = stream;
    this.#framing = options.framing;
    this.#log = options.log;
    this.#idleMs = limits.idleMs ?? 60_000;
    this.#frameMs = limits.frameMs ?? 10_000;
    this.#lingerMs = limits.lingerMs ?? 2_000;
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.closed = promise;
    this.#settle = resolve;
    this.#readWatch = new Watchdog(clock, () => this.#onReadTimeout());
    this.#writer = new FrameWriter(stream, {
      clock,
      writeMs: limits.writeMs ?? 10_000,
      maxQueuedBytes: limits.maxQueuedBytes ?? 1024 * 1024,
      onFailure: (code, detail) => this.close(code, detail),
    });
  }

  /** Whether frames can still be sent. */
  get open(): boolean {
    return this.#state === "open";
  }

  /** How many bytes wait to be sent. */
  get queuedBytes(): number {
    return this.#writer.queuedBytes;
  }

  /** Sets another idle limit, from now on; 0: none. A peer that has proved itself may be given more time. */
  setIdle(idleMs: number): void {
    this.#idleMs = idleMs;
    if (this.#state === "open" && this.#reading && !this.#partial) this.#watch();
  }

  /**
   * Queues `payload` as one frame, with all that is sent in the same turn in one write. False where the connection
   * has ended, or ends now because too much waits (`slow_peer`).
   */
  send(payload: Uint8Array): boolean {
    if (this.#state !== "open") return false;
    return this.#writer.send(this.#framing.encode(payload));
  }

  /**
   * Ends in good order: what is queued is sent, the peer is told, and gets `lingerMs` to close too (what it still
   * sends is thrown away), so that a last answer is not lost. Returns at once: `closed` tells when it is done.
   */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#readWatch.set(this.#lingerMs);
    this.#writer.finish().then(() => {
      if (this.#state === "closed") return;
      if (this.#reading) this.#readWatch.set(this.#lingerMs);
      else this.close();
    }, () => {});
  }

  /** Ends at once; what is queued is lost. */
  close(code: CloseCode = "local", detail?: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#readWatch.stop();
    this.#writer.stop();
    this.#stream.close();
    this.#settle(detail === undefined ? { code } : { code, detail });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  /** Reads until the connection ends, and tells why it did. */
  run(handler: FrameHandler): Promise<CloseReason> {
    if (this.#reading) throw new TypeError("this connection is being read already");
    this.#reading = true;
    if (this.#state === "open") this.#watch();
    this.#read(handler).catch((error) => this.#onReadError(error));
    return this.closed;
  }

  /** The frames as a loop, each a copy that may be kept. Leaving the loop closes the connection. */
  async *frames(): AsyncGenerator<Uint8Array, CloseReason, void> {
    const waiting: { frame: Uint8Array; taken: () => void }[] = [];
    let wake = () => {};
    this.run((frame) =>
      new Promise<void>((taken) => {
        waiting.push({ frame: frame.slice(), taken });
        wake();
      })
    ).then(() => wake());
    try {
      while (true) {
        const next = waiting.shift();
        if (next) {
          next.taken(); // it is a copy: the next one may be read meanwhile, and waits here
          yield next.frame;
        } else if (this.#state === "closed") {
          return await this.closed;
        } else {
          await new Promise<void>((resolve) => wake = resolve);
        }
      }
    } finally {
      this.close();
    }
  }

  async #read(handler: FrameHandler): Promise<void> {
    const decoder = this.#framing.decoder();
    let buffer = new Uint8Array(SMALLEST_BUFFER);
    while (this.#state !== "closed") {
      const count = await this.#stream.read(buffer);
      if (count === null) return await this.#onEnd(decoder.pending);
      if (this.#state !== "open") continue;
      await this.#take(decoder.push(buffer.subarray(0, count)), handler);
      if (this.#state !== "open") continue;
      this.#onProgress(decoder.pending > 0);
      if (count === buffer.length && count < LARGEST_BUFFER) buffer = new Uint8Array(count * 2);
    }
  }

  /** Hands the frames over; a time limit that is waiting on the peer rests while a handler is at work. */
  async #take(frames: Iterable<Uint8Array>, handler: FrameHandler): Promise<void> {
    for (const frame of guarded(frames)) {
      this.#partial = false;
      try {
        const work = handler(frame, this);
        if (work) {
          this.#readWatch.pause();
          await work;
        }
      } catch (error) {
        this.#log.error("a frame's handler failed", { reason: messageOf(error), peer: this.remote.host });
        return this.close("handler_failed", messageOf(error));
      }
      if (this.#state !== "open") return;
      this.#watch();
    }
  }

  #onProgress(partial: boolean): void {
    if (partial && !this.#partial) {
      this.#partial = true;
      this.#readWatch.set(this.#frameMs);
    }
  }

  #watch(): void {
    if (this.#idleMs > 0) this.#readWatch.set(this.#idleMs);
    else this.#readWatch.pause();
  }

  async #onEnd(pending: number): Promise<void> {
    if (this.#state === "ending") {
      await this.#writer.finish();
      return this.close();
    }
    if (pending > 0) return this.close("truncated", `${pending} bytes of an unfinished frame`);
    this.#readWatch.pause();
    await this.onPeerFinished?.();
    // The peer may only have finished sending: what is queued for it still goes out, within writeMs.
    if (this.open) this.#state = "ending";
    await this.#writer.finish();
    this.close("peer_closed");
  }

  #onReadTimeout(): void {
    if (this.#state === "ending") this.close();
    else if (this.#partial) this.close("slow_frame", `not complete within ${this.#frameMs} ms`);
    else this.close("idle", `no frame for ${this.#idleMs} ms`);
  }

  #onReadError(error: unknown): void {
    if (error instanceof FramingFailure) this.close("bad_frame", error.message);
    else if (this.#state === "ending") this.close();
    else this.close("reset", messageOf(error));
  }
}

class FramingFailure extends Error {}

/** The frames, with what the decoder throws told apart from what a handler throws. */
function* guarded(frames: Iterable<Uint8Array>): Generator<Uint8Array> {
  const iterator = frames[Symbol.iterator]();
  while (true) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = iterator.next();
    } catch (error) {
      throw new FramingFailure(messageOf(error), { cause: error });
    }
    if (next.done) return;
    yield next.value;
  }
}

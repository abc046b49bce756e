/**
 * Connections in memory, with a window as real ones have: a reader that stops holds the writer up.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";
import type { ByteStream } from "./stream.ts";

/** Bytes on their way in one direction, at most `window` of them. */
class Pipe {
  #chunks: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  #broken: Error | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(private readonly window: number) {}

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#size === 0) {
      if (this.#broken) throw this.#broken;
      if (this.#ended) return null;
      await this.#wake.promise;
    }
    const first = this.#chunks[0]!;
    const count = Math.min(first.length, buffer.length);
    buffer.set(first.subarray(0, count));
    if (count === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    this.#size -= count;
    this.#changed();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (true) {
      if (this.#broken) throw this.#broken;
      if (this.#ended) throw new Deno.errors.BrokenPipe("Broken pipe");
      const room = this.window - this.#size;
      if (room > 0) {
        const chunk = bytes.slice(0, room);
        this.#chunks.push(chunk);
        this.#size += chunk.length;
        this.#changed();
        return chunk.length;
      }
      await this.#wake.promise;
    }
  }

  /** What was written can still be read; then comes the end. */
  end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** Nothing more can be read or written. */
  break(error: Error): void {
    this.#broken ??= error;
    this.#chunks = [];
    this.#size = 0;
    this.#changed();
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

class MemoryStream implements ByteStream {
  constructor(
    readonly local: HostPort,
    readonly remote: HostPort,
    private readonly incoming: Pipe,
    private readonly outgoing: Pipe,
  ) {}

  read(buffer: Uint8Array): Promise<number | null> {
    return this.incoming.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.outgoing.write(bytes);
  }

  closeWrite(): Promise<void> {
    this.outgoing.end();
    return Promise.resolve();
  }

  close(): void {
    this.outgoing.end();
    this.incoming.break(new Deno.errors.BrokenPipe("Broken pipe"));
  }
}

/** The two ends of a connection from `client` to `server`; `window` is how many bytes may be on their way. */
export function memoryPair(client: HostPort, server: HostPort, window = 64 * 1024): [ByteStream, ByteStream] {
  const up = new Pipe(window), down = new Pipe(window);
  return [new MemoryStream(client, server, down, up), new MemoryStream(server, client, up, down)];
}

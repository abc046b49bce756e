/**
 * Datagrams from one thread to another: a ring in shared memory, with one that writes and one that reads.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";

/** The numbers that both threads see, by their place in the control words. */
const WRITTEN = 0, READ = 1, ASLEEP = 2, WOKEN = 3, CLOSED = 4, DROPPED = 5, WORDS = 6;

/** Before each datagram: its length and the port, two bytes each, the address's length in one; then the address. */
const HEADER = 5;
/** A length that no datagram has: the rest of the ring is empty, it goes on at the beginning. */
const SKIP = 0xffff;
/** The largest UDP datagram, and what an address may take as text. */
const LONGEST = 65_507, LONGEST_ADDRESS = 255;

/** What another thread needs to take part. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/** Memory for a ring of `bytes` bytes; a datagram may be as long as half of that. */
export function ringMemory(bytes: number): RingMemory {
  return { control: new SharedArrayBuffer(4 * WORDS), data: new SharedArrayBuffer(bytes) };
}

/** One end of a ring. Exactly one thread writes, and exactly one reads. */
export class DatagramRing {
  readonly #control: Int32Array;
  readonly #data: Uint8Array;

  constructor(memory: RingMemory) {
    this.#control = new Int32Array(memory.control);
    this.#data = new Uint8Array(memory.data);
  }

  get closed(): boolean {
    return Atomics.load(this.#control, CLOSED) === 1;
  }

  /** Datagrams that found no room, since the ring was made. */
  get dropped(): number {
    return Atomics.load(this.#control, DROPPED);
  }

  get empty(): boolean {
    return Atomics.load(this.#control, WRITTEN) === Atomics.load(this.#control, READ);
  }

  /** Puts a datagram in, and wakes the reader where it sleeps. False where there is no room: it is dropped. */
  write(bytes: Uint8Array, { host, port }: HostPort): boolean {
    const size = HEADER + host.length + bytes.length;
    const at = this.#place(size);
    if (at < 0 || bytes.length > LONGEST || host.length > LONGEST_ADDRESS) {
      Atomics.add(this.#control, DROPPED, 1);
      return false;
    }
    const data = this.#data;
    data[at] = bytes.length >> 8;
    data[at + 1] = bytes.length & 255;
    data[at + 2] = port >> 8;
    data[at + 3] = port & 255;
    data[at + 4] = host.length;
    for (let i = 0; i < host.length; i++) data[at + HEADER + i] = host.charCodeAt(i); // an IP address: ASCII
    data.set(bytes, at + HEADER + host.length);
    Atomics.store(this.#control, WRITTEN, at + size);
    this.#wake();
    return true;
  }

  /** Takes the oldest datagram out into `buffer`; undefined where there is none. What is longer is cut off. */
  read(buffer: Uint8Array): { readonly length: number; readonly from: HostPort } | undefined {
    const data = this.#data;
    let at = Atomics.load(this.#control, READ);
    if (at === Atomics.load(this.#control, WRITTEN)) return undefined;
    if (at + HEADER > data.length || ((data[at]! << 8) | data[at + 1]!) === SKIP) at = 0;
    const length = (data[at]! << 8) | data[at + 1]!, port = (data[at + 2]! << 8) | data[at + 3]!;
    const start = at + HEADER + data[at + 4]!;
    let host = "";
    for (let i = at + HEADER; i < start; i++) host += String.fromCharCode(data[i]!);
    const kept = Math.min(length, buffer.length);
    buffer.set(data.subarray(start, start + kept));
    Atomics.store(this.#control, READ, start + length);
    return { length: kept, from: { host, port } };
  }

  /** Waits until there is something to read, or the ring is closed. */
  async filled(): Promise<void> {
    const woken = Atomics.load(this.#control, WOKEN);
    Atomics.store(this.#control, ASLEEP, 1);
    if (!this.empty || this.closed) return void Atomics.store(this.#control, ASLEEP, 0);
    const waiting = Atomics.waitAsync(this.#control, WOKEN, woken);
    if (waiting.async) await waiting.value;
  }

  /** Nothing more will come: whoever waits is woken. */
  close(): void {
    Atomics.store(this.#control, CLOSED, 1);
    Atomics.store(this.#control, ASLEEP, 1);
    this.#wake();
  }

  #wake(): void {
    if (Atomics.compareExchange(this.#control, ASLEEP, 1, 0) !== 1) return;
    Atomics.add(this.#control, WOKEN, 1);
    Atomics.notify(this.#control, WOKEN);
  }

  /** Where a datagram of `size` bytes with its header can go; -1: nowhere. The ring is never filled to the last byte. */
  #place(size: number): number {
    const { length } = this.#data;
    const written = Atomics.load(this.#control, WRITTEN), read = Atomics.load(this.#control, READ);
    if (written < read) return written + size < read ? written : -1;
    if (written + size <= length) return written;
    if (size >= read) return -1;
    if (written + HEADER <= length) this.#data[written] = this.#data[written + 1] = SKIP & 255;
    return 0;
  }
}

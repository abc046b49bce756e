/**
 * A datagram socket on a thread of its own: the kernel keeps few datagrams (208 KiB: about 280 of them), and drops the
 * rest while the process is busy. The thread does nothing but take them in, into a ring of megabytes, from which the
 * program reads when it can.
 *
 * @module
 */
import { type HostPort, messageOf, nextTurn } from "../base/mod.ts";
import type { DatagramOptions, DatagramSocket } from "./datagram.ts";
import { toNetError } from "./errors.ts";
import { DatagramRing, ringMemory } from "./ring.ts";
import { type RawDatagrams, type UdpDeps, UdpSocket } from "./udp.ts";
import type { ThreadOrder, ThreadWord } from "./udp_thread_worker.ts";

/** What may wait to be read, and to be sent: some 130,000 heartbeats, and a quarter of that. */
const RECEIVED_BYTES = 16 << 20, TO_SEND_BYTES = 4 << 20;
const MAX_BYTES = 4096;
/** Datagrams that are handed over before everything else gets its turn. */
const TURN = 64;

/** Binds a UDP socket whose thread is its own (port 0: any). @throws {NetError} where that can't be had */
export async function openUdpOnThread(
  address: HostPort,
  deps: UdpDeps,
  options: DatagramOptions = {},
): Promise<DatagramSocket> {
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  const order: ThreadOrder = {
    address,
    maxBytes,
    received: ringMemory(RECEIVED_BYTES),
    toSend: ringMemory(TO_SEND_BYTES),
  };
  const worker = new Worker(new URL("./udp_thread_worker.ts", import.meta.url), {
    type: "module",
    name: "datagrams",
  });
  const bound = await new Promise<HostPort>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ThreadWord>) => {
      if ("bound" in data) resolve(data.bound);
      else if ("failed" in data) {
        const kind = data.failed.name === "AddrInUse" ? Deno.errors.AddrInUse : Error;
        reject(new kind(data.failed.message));
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(order);
  }).catch((error) => {
    worker.terminate();
    throw toNetError(error, `listen on udp "${address.host}:${address.port}"`);
  });
  return new UdpSocket(new ThreadDatagrams(worker, bound, order), deps, { ...options, maxBytes });
}

/** The thread's socket, as if it were one of this thread. */
class ThreadDatagrams implements RawDatagrams {
  readonly addr: Deno.NetAddr;
  readonly #received: DatagramRing;
  readonly #toSend: DatagramRing;
  readonly #ended = Promise.withResolvers<void>();
  #taken = 0;
  #dropped = 0;
  #trouble: string | undefined;

  constructor(worker: Worker, bound: HostPort, order: ThreadOrder) {
    this.addr = { transport: "udp", hostname: bound.host, port: bound.port };
    this.#received = new DatagramRing(order.received);
    this.#toSend = new DatagramRing(order.toSend);
    worker.onmessage = ({ data }: MessageEvent<ThreadWord>) => {
      if ("ended" in data) this.#ended.resolve();
      else if ("trouble" in data) this.#trouble ??= `${data.trouble}: ${data.message}`;
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#trouble = messageOf(event.error ?? event.message);
      this.#received.close();
      this.#ended.resolve();
    };
  }

  async receive(buffer: Uint8Array<ArrayBuffer>): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    while (true) {
      if (++this.#taken % TURN === 0) await nextTurn();
      this.#tellTrouble();
      const next = this.#received.read(buffer);
      if (next) {
        const { host: hostname, port } = next.from;
        return [buffer.subarray(0, next.length), { transport: "udp", hostname, port }];
      }
      if (this.#received.closed) {
        await this.#ended.promise;
        throw new Deno.errors.BadResource("the socket is closed");
      }
      await this.#received.filled();
    }
  }

  send(bytes: Uint8Array, addr: Deno.Addr): Promise<number> {
    const { hostname: host, port } = addr as Deno.NetAddr;
    return this.#toSend.write(bytes, { host, port })
      ? Promise.resolve(bytes.length)
      : Promise.reject(new Error("too much waits to be sent"));
  }

  close(): void {
    this.#toSend.close();
    this.#received.close();
  }

  /** What the thread could not do is an error of the next datagram's: counted, and told seldom. */
  #tellTrouble(): void {
    const { dropped } = this.#received, trouble = this.#trouble;
    if (trouble !== undefined) {
      this.#trouble = undefined;
      throw new Error(trouble);
    }
    if (dropped === this.#dropped) return;
    const lost = dropped - this.#dropped;
    this.#dropped = dropped;
    throw new Error(`${lost} datagrams were dropped: too many wait to be read`);
  }
}

/**
 * A network in memory, for tests: with loss, duplicates, delay and cut links, all of them repeatable.
 *
 * @module
 */
import { type Clock, formatHostPort, type HostPort, type Random, systemRandom } from "../base/mod.ts";
import { isIpAddress } from "./addresses.ts";
import { type DatagramHandler, type DatagramOptions, type DatagramSocket, freshCounts } from "./datagram.ts";
import { NetError } from "./errors.ts";
import { memoryPair } from "./memory_stream.ts";
import type { ConnectOptions, Network } from "./network.ts";
import type { ByteStream, StreamListener } from "./stream.ts";

/** How bad the network is. All of it can be changed while it runs. */
export interface Conditions {
  /** Share of datagrams that get lost, 0 to 1. */
  loss: number;
  /** Share of datagrams that arrive twice, 0 to 1. */
  duplicates: number;
  /** How long a datagram is on its way, in milliseconds: anything between the two, so they overtake each other. */
  delayMs: readonly [number, number];
}

/** What the network is made of. */
export interface MemoryNetworkOptions extends Partial<Conditions> {
  readonly clock: Clock;
  /** Seeded, for a test that is to repeat itself. */
  readonly random?: Random;
}

/** Hosts are whatever sockets are bound to; a socket on `0.0.0.0` gets what is sent to any address of its port. */
export class MemoryNetwork implements Network {
  readonly conditions: Conditions;
  /** Names that `lookup` knows. */
  readonly names = new Map<string, string>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sockets = new Map<string, MemorySocket>();
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #cut = new Set<string>();
  #nextPort = 40_000;

  constructor(options: MemoryNetworkOptions) {
    this.#clock = options.clock;
    this.#random = options.random ?? systemRandom;
    this.conditions = {
      loss: options.loss ?? 0,
      duplicates: options.duplicates ?? 0,
      delayMs: options.delayMs ?? [0, 0],
    };
  }

  datagramOnThread(address: HostPort, options?: DatagramOptions): Promise<DatagramSocket> {
    return Promise.resolve(this.datagram(address, options));
  }

  datagram(address: HostPort, options: DatagramOptions = {}): DatagramSocket {
    const bound = this.#bind(address, this.#sockets);
    const key = formatHostPort(bound);
    const socket = new MemorySocket(bound, options.maxBytes ?? 4096, {
      send: (bytes, to) => this.#send(bytes, bound, to),
      close: () => this.#sockets.delete(key),
    });
    this.#sockets.set(key, socket);
    return socket;
  }

  listen(address: HostPort): StreamListener {
    const bound = this.#bind(address, this.#listeners);
    const key = formatHostPort(bound);
    const listener = new MemoryListener(bound, () => this.#listeners.delete(key));
    this.#listeners.set(key, listener);
    return listener;
  }

  connect(to: HostPort, options: ConnectOptions & { from?: string } = {}): Promise<ByteStream> {
    const where = `connect to "${formatHostPort(to)}"`;
    if (options.signal?.aborted) {
      return Promise.reject(new NetError("aborted", `${where}: aborted`, { cause: options.signal.reason }));
    }
    const from = { host: options.from ?? "127.0.0.1", port: this.#nextPort++ };
    const listener = this.#find(this.#listeners, to);
    if (!listener || this.#isCut(from.host, to.host)) {
      return Promise.reject(new NetError("refused", `${where}: connection refused`));
    }
    const [client, server] = memoryPair(from, to);
    listener.offer(server);
    return Promise.resolve(client);
  }

  lookup(host: string): Promise<string> {
    const address = isIpAddress(host) ? host : this.names.get(host);
    if (address !== undefined) return Promise.resolve(address);
    return Promise.reject(new NetError("not_found", `look up "${host}": unknown`));
  }

  /** Loses everything between two hosts, in both directions, until {@linkcode heal}. Connections stay. */
  cut(a: string, b: string): void {
    this.#cut.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  /** Mends every cut. */
  heal(): void {
    this.#cut.clear();
  }

  #isCut(a: string, b: string): boolean {
    return this.#cut.has(`${a} ${b}`);
  }

  #bind(address: HostPort, taken: ReadonlyMap<string, unknown>): HostPort {
    if (!isIpAddress(address.host)) {
      throw new NetError("invalid_address", `listen on "${formatHostPort(address)}": not an IP address`);
    }
    const bound = address.port === 0 ? { host: address.host, port: this.#nextPort++ } : address;
    if (taken.has(formatHostPort(bound))) {
      throw new NetError("address_in_use", `listen on "${formatHostPort(bound)}": address already in use`);
    }
    return bound;
  }

  #find<T>(all: ReadonlyMap<string, T>, to: HostPort): T | undefined {
    return all.get(formatHostPort(to)) ?? all.get(`0.0.0.0:${to.port}`);
  }

  #send(bytes: Uint8Array, from: HostPort, to: HostPort): void {
    const source = from.host === "0.0.0.0" ? { host: "127.0.0.1", port: from.port } : from;
    const { loss, duplicates, delayMs: [least, most] } = this.conditions;
    if (this.#isCut(source.host, to.host) || this.#random.float() < loss) return;
    const copies = this.#random.float() < duplicates ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const copy = bytes.slice();
      const arrive = () => this.#find(this.#sockets, to)?.deliver(copy, source);
      const delay = least + this.#random.float() * (most - least);
      if (delay > 0) this.#clock.setTimer(arrive, delay);
      else queueMicrotask(arrive);
    }
  }
}

interface Wire {
  send(bytes: Uint8Array, to: HostPort): void;
  close(): void;
}

class MemorySocket implements DatagramSocket {
  readonly counts = freshCounts();
  #handler: DatagramHandler | undefined;
  #closed = false;

  constructor(readonly address: HostPort, private readonly maxBytes: number, private readonly wire: Wire) {}

  onDatagram(handler: DatagramHandler): void {
    this.#handler = handler;
  }

  send(bytes: Uint8Array, to: HostPort): boolean {
    if (this.#closed) return false;
    if (!isIpAddress(to.host)) {
      this.counts.sendErrors++;
      return false;
    }
    this.counts.sent++;
    this.wire.send(bytes, to);
    return true;
  }

  deliver(bytes: Uint8Array, from: HostPort): void {
    if (this.#closed) return;
    if (bytes.length > this.maxBytes) return void this.counts.oversize++;
    if (!this.#handler) return void this.counts.unhandled++;
    this.counts.received++;
    try {
      this.#handler(bytes, from);
    } catch {
      this.counts.handlerErrors++;
    }
    bytes.fill(0xee); // as the real buffer, which the next datagram overwrites: whoever kept the view notices
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.wire.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

class MemoryListener implements StreamListener {
  readonly #backlog: ByteStream[] = [];
  #waiting: ((stream: ByteStream | undefined) => void) | undefined;
  #closed = false;

  constructor(readonly address: HostPort, private readonly onClose: () => void) {}

  offer(stream: ByteStream): void {
    if (this.#waiting) this.#waiting(stream);
    else this.#backlog.push(stream);
    this.#waiting = undefined;
  }

  accept(): Promise<ByteStream | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const first = this.#backlog.shift();
    if (first) return Promise.resolve(first);
    return new Promise((resolve) => this.#waiting = resolve);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose();
    for (const stream of this.#backlog.splice(0)) stream.close();
    this.#waiting?.(undefined);
  }
}

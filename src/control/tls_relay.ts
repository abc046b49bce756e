/**
 * The open port of a server with TLS: takes connections and passes their bytes on, unread, to whichever server
 * holds the certificate in force.
 *
 * The runtime's server can't change its certificate, and a listener that is closed for another loses the connections
 * that wait in its queue (measured: 142 of 9,238 over 40 changes with `SO_REUSEPORT`). This one stays open, so none
 * is lost; what it costs is one more copy of the bytes.
 *
 * @module
 */
import { type Clock, type HostPort, type Log, messageOf, type Timer } from "../base/mod.ts";

/** What the relay knows of a connection. */
export interface Caller {
  /** The caller's IP address and port. */
  readonly address: string;
  readonly port: number;
  /** Set by the server with the first whole request: until then the time limit runs. */
  asked: boolean;
}

/** A server behind the relay. */
export interface Target {
  /** Its port on the loopback. */
  readonly port: number;
  /** Who is behind a connection to it, by that connection's own port. */
  readonly callers: Map<number, Caller>;
  /** Called when a connection to it begins, and when that has ended. */
  begun(): void;
  ended(): void;
}

/** Bounds of a relay. */
export interface RelayLimits {
  /** Connections at once; others wait in the system's queue. Default 10,000. */
  readonly connections?: number;
  /** Milliseconds from connecting to the first whole request: handshake and headers. Default 20,000. */
  readonly firstRequestMs?: number;
}

/** Bytes read at once, in each direction. */
const CHUNK = 16_384;
/** Milliseconds that a caller gets to take its last bytes and go, once the server has closed. */
const LINGER_MS = 2000;
/** Milliseconds until connections are taken again after the system refused one (too many open files). */
const REST_MS = 100;

/** An open port whose connections go to `target()` as it is when they come. */
export class Relay {
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<() => void>();
  readonly #connections: number;
  readonly #firstRequestMs: number;
  readonly #accepting: Promise<void>;
  #closed = false;
  #room = () => {};
  #empty = () => {};

  /** Throws the system's error where the address can't be had. */
  constructor(
    private readonly deps: { readonly clock: Clock; readonly log: Log },
    at: HostPort,
    private readonly target: () => Target,
    { connections = 10_000, firstRequestMs = 20_000 }: RelayLimits = {},
  ) {
    this.#connections = connections;
    this.#firstRequestMs = firstRequestMs;
    this.#listener = Deno.listen({ hostname: at.host, port: at.port });
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get address(): HostPort {
    const { hostname, port } = this.#listener.addr;
    return { host: hostname, port };
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes no more connections. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#room();
    this.#listener.close();
  }

  /** Resolves once it is closed and every connection has ended. */
  async finished(): Promise<void> {
    await this.#accepting;
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#empty = resolve);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const close of this.#open) close();
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      if (this.#open.size >= this.#connections) {
        await new Promise<void>((resolve) => this.#room = resolve);
        continue;
      }
      try {
        const outer = await this.#listener.accept();
        this.#pass(outer);
      } catch (error) {
        if (this.#closed) return;
        // A caller that left the queue, or no more files: neither may end the service of all others.
        this.deps.log.warn("a connection could not be taken", { error: messageOf(error) });
        await new Promise<void>((resolve) => this.deps.clock.setTimer(resolve, REST_MS));
      }
    }
  }

  async #pass(outer: Deno.TcpConn): Promise<void> {
    let inner: Deno.TcpConn | undefined, late: Timer | undefined, port: number | undefined;
    const target = this.target();
    const close = () => {
      quietly(() => outer.close());
      quietly(() => inner?.close());
    };
    this.#open.add(close);
    target.begun();
    try {
      inner = await Deno.connect({ hostname: "127.0.0.1", port: target.port });
      quietly(() => outer.setNoDelay());
      quietly(() => inner?.setNoDelay());
      const { hostname: address, port: theirs } = outer.remoteAddr;
      const caller: Caller = { address, port: theirs, asked: false };
      port = inner.localAddr.port;
      target.callers.set(port, caller);
      late = this.deps.clock.setTimer(() => {
        if (!caller.asked) close();
      }, this.#firstRequestMs);
      const up = copy(outer, inner).catch(close);
      await copy(inner, outer);
      late.cancel();
      late = this.deps.clock.setTimer(close, LINGER_MS);
      await up;
    } catch {
      // One of the two went away: so does the other.
    } finally {
      late?.cancel();
      close();
      this.#open.delete(close);
      if (port !== undefined) target.callers.delete(port);
      target.ended();
      this.#room();
      if (this.#open.size === 0) this.#empty();
    }
  }
}

/** Copies until `from` ends, then says so to `to`. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (let count; (count = await from.read(buffer)) !== null;) {
    for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
  }
  await to.closeWrite();
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Closed already.
  }
}

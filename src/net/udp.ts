/**
 * The real datagram socket, on `Deno.listenDatagram`.
 *
 * One buffer receives every datagram: the runtime fills it in place, which is three times faster than a fresh array
 * for each. It is one byte longer than the longest datagram allowed, which is how a longer one shows.
 *
 * @module
 */
import { type Clock, type HostPort, type Log, messageOf, sleep, TokenBucket } from "../base/mod.ts";
import { isIpAddress } from "./addresses.ts";
import { type DatagramHandler, type DatagramOptions, type DatagramSocket, freshCounts } from "./datagram.ts";
import { toNetError } from "./errors.ts";

/** The part of `Deno.DatagramConn` that is used: a test can stand in for it. */
export type RawDatagrams = Pick<Deno.DatagramConn, "receive" | "send" | "close" | "addr">;

/** What a socket needs to know of the world. */
export interface UdpDeps {
  readonly clock: Clock;
  readonly log: Log;
}

/** Binds a UDP socket to `address` (an IP address; port 0: any). @throws {NetError} where that can't be had. */
export function openUdp(address: HostPort, deps: UdpDeps, options: DatagramOptions = {}): DatagramSocket {
  let raw: Deno.DatagramConn;
  try {
    raw = Deno.listenDatagram({ transport: "udp", hostname: address.host, port: address.port });
  } catch (error) {
    throw toNetError(error, `listen on udp "${address.host}:${address.port}"`);
  }
  return new UdpSocket(raw, deps, options);
}

/** The longest pause between attempts where receiving keeps failing, in milliseconds. */
const LONGEST_PAUSE = 1000;

/** {@linkcode openUdp} is the way to get one; tests build it over a stand-in. */
export class UdpSocket implements DatagramSocket {
  readonly address: HostPort;
  readonly counts = freshCounts();
  readonly #raw: RawDatagrams;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #complaints: TokenBucket;
  readonly #maxBytes: number;
  readonly #maxPendingSends: number;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #handler: DatagramHandler | undefined;
  #outbox: { bytes: Uint8Array; to: Deno.NetAddr }[] = [];
  #outboxAt = 0;
  #pendingSends = 0;

  constructor(raw: RawDatagrams, deps: UdpDeps, options: DatagramOptions = {}) {
    const bound = raw.addr as Deno.NetAddr;
    this.address = { host: bound.hostname, port: bound.port };
    this.#raw = raw;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#complaints = new TokenBucket(deps.clock, 1, 5);
    this.#maxBytes = options.maxBytes ?? 4096;
    this.#maxPendingSends = options.maxPendingSends ?? 1024;
    this.#loop = this.#receive();
  }

  onDatagram(handler: DatagramHandler): void {
    this.#handler = handler;
  }

  send(bytes: Uint8Array, to: HostPort): boolean {
    if (this.#stop.signal.aborted) return false;
    if (this.#pendingSends >= this.#maxPendingSends) {
      this.counts.sendDrops++;
      return false;
    }
    if (!isIpAddress(to.host)) {
      this.counts.sendErrors++;
      this.#complain("datagram not sent: not an IP address", { host: to.host });
      return false;
    }
    this.#pendingSends++;
    const target: Deno.NetAddr = { transport: "udp", hostname: to.host, port: to.port };
    if (this.#pendingSends === 1) this.#start(bytes, target);
    else this.#outbox.push({ bytes, to: target });
    return true;
  }

  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#raw.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#loop;
  }

  /** One at a time: the runtime turns the order of sends around that are under way together. */
  #start(bytes: Uint8Array, to: Deno.NetAddr): void {
    this.#raw.send(bytes, to).then(this.#onSent, this.#onSendError);
  }

  readonly #onSent = () => {
    this.counts.sent++;
    this.#next();
  };

  readonly #onSendError = (error: unknown) => {
    if (!this.#stop.signal.aborted) {
      this.counts.sendErrors++;
      this.#complain("datagram not sent", { reason: messageOf(error) });
    }
    this.#next();
  };

  #next(): void {
    this.#pendingSends--;
    if (this.#stop.signal.aborted) return;
    const next = this.#outbox[this.#outboxAt++];
    if (!next || this.#outboxAt === this.#maxPendingSends) {
      this.#outbox = this.#outbox.slice(this.#outboxAt);
      this.#outboxAt = 0;
    }
    if (next) this.#start(next.bytes, next.to);
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(this.#maxBytes + 1);
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const [bytes, from] = await this.#raw.receive(buffer);
        failures = 0;
        this.#deliver(bytes, from as Deno.NetAddr);
      } catch (error) {
        if (signal.aborted) return;
        this.counts.receiveErrors++;
        this.#complain("receiving a datagram failed, trying again", { reason: messageOf(error) });
        // The first error may be the echo of an earlier send (ICMP); only repeated ones are worth a pause.
        const pause = Math.min(LONGEST_PAUSE, 2 ** Math.min(failures++, 10) - 1);
        if (pause > 0) await sleep(this.#clock, pause, signal).catch(() => {});
      }
    }
  }

  #deliver(bytes: Uint8Array, from: Deno.NetAddr): void {
    if (bytes.length > this.#maxBytes) return void this.counts.oversize++;
    const handler = this.#handler;
    if (!handler) return void this.counts.unhandled++;
    this.counts.received++;
    try {
      handler(bytes, { host: from.hostname, port: from.port });
    } catch (error) {
      this.counts.handlerErrors++;
      this.#complain("a datagram's handler failed", { reason: messageOf(error) });
    }
  }

  /** Warns, but seldom: what floods the socket must not flood the log. */
  #complain(message: string, fields: Record<string, unknown>): void {
    if (this.#complaints.take()) {
      this.#log.warn(message, { socket: `udp ${this.address.host}:${this.address.port}`, ...fields });
    }
  }
}

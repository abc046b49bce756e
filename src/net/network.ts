/**
 * The network as one thing to hand around: real, or in memory for tests.
 *
 * @module
 */
import type { Clock, HostPort, Log } from "../base/mod.ts";
import type { DatagramOptions, DatagramSocket } from "./datagram.ts";
import { lookupHost, type LookupOptions } from "./dns.ts";
import type { ByteStream, StreamListener } from "./stream.ts";
import { connectTcp, listenTcp } from "./tcp.ts";
import { openUdp } from "./udp.ts";
import { openUdpOnThread } from "./udp_thread.ts";

/** How long to try, and what ends the try. */
export interface ConnectOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Everything that reaches the outside. All of it throws or rejects with `NetError`. */
export interface Network {
  /** Binds a datagram socket (port 0: any). */
  datagram(address: HostPort, options?: DatagramOptions): DatagramSocket;
  /** The same, with a thread of its own that takes in what comes while this one is busy. */
  datagramOnThread(address: HostPort, options?: DatagramOptions): Promise<DatagramSocket>;
  /** Listens for connections (port 0: any). */
  listen(address: HostPort): StreamListener;
  connect(to: HostPort, options?: ConnectOptions): Promise<ByteStream>;
  /** An IP address of a host name; an address is its own. */
  lookup(host: string, options?: LookupOptions): Promise<string>;
}

/** The machine's network. */
export function systemNetwork(deps: { clock: Clock; log: Log }): Network {
  return {
    datagram: (address, options) => openUdp(address, deps, options),
    datagramOnThread: (address, options) => openUdpOnThread(address, deps, options),
    listen: (address) => listenTcp(address, deps),
    connect: (to, { timeoutMs = 10_000, signal } = {}) =>
      connectTcp(to, deps.clock, signal ? { timeoutMs, signal } : { timeoutMs }),
    lookup: (host, options) => lookupHost(host, deps.clock, options),
  };
}

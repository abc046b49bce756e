/**
 * The port for datagrams: what the house above sees of UDP, whether the wire is real or in memory.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";

/**
 * Called for each datagram, in the order of arrival. `bytes` is a view that is valid **only during the call**: the
 * buffer is used again for the next datagram, so decode or copy before returning. What it throws is logged and
 * counted; the socket goes on.
 */
export type DatagramHandler = (bytes: Uint8Array, from: HostPort) => void;

/** What a socket has seen since it was opened. All counts only grow. */
export interface DatagramCounts {
  /** Datagrams handed to the handler. */
  received: number;
  /** Datagrams handed to the system. */
  sent: number;
  /** Received, but longer than `maxBytes`: dropped. */
  oversize: number;
  /** Received while no handler was set: dropped. */
  unhandled: number;
  /** Handed to a handler that threw. */
  handlerErrors: number;
  /** Errors of the socket itself while receiving. */
  receiveErrors: number;
  /** Sends that the system refused (no route, too long, …). */
  sendErrors: number;
  /** Sends dropped because too many were waiting. */
  sendDrops: number;
}

/** Counts of a fresh socket. */
export function freshCounts(): DatagramCounts {
  return {
    received: 0,
    sent: 0,
    oversize: 0,
    unhandled: 0,
    handlerErrors: 0,
    receiveErrors: 0,
    sendErrors: 0,
    sendDrops: 0,
  };
}

/** A bound socket for datagrams. */
export interface DatagramSocket extends AsyncDisposable {
  /** Where it is bound; the port is the real one where 0 was asked for. */
  readonly address: HostPort;
  readonly counts: Readonly<DatagramCounts>;
  /** Sets the one receiver, in place of an earlier one. */
  onDatagram(handler: DatagramHandler): void;
  /**
   * Hands `bytes` to the system without waiting; they must not change afterwards. `to.host` is an IP address (see
   * `Network.lookup`). False where the datagram was dropped: the socket is closed, too many sends wait, or the
   * address is not one. As with all UDP, true promises nothing.
   */
  send(bytes: Uint8Array, to: HostPort): boolean;
  /** Closes at once; closing twice does nothing. Disposing closes too, and waits for the receive loop to end. */
  close(): void;
}

/** Limits of a socket. */
export interface DatagramOptions {
  /** The longest datagram taken, in bytes; longer ones are dropped and counted. Default 4096. */
  readonly maxBytes?: number;
  /** How many sends may wait for the system at once. Default 1024. */
  readonly maxPendingSends?: number;
}

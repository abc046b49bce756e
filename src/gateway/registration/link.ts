/**
 * The gateway's datagram sockets, one for each address family: questions with their answers, and what comes unasked.
 *
 * @module
 */
import type { Clock, HostPort } from "../../base/mod.ts";
import { DatagramExchange, type DatagramSocket, NetError, type Network } from "../../net/mod.ts";
import { MAX_DATAGRAM_BYTES, ProtocolError } from "../../protocol/smart_gateway/mod.ts";

/** A question. */
export interface Asking<Answer> {
  readonly to: HostPort;
  /** The datagram, or what makes the datagram of each attempt, counted from 1. */
  readonly message: Uint8Array | ((attempt: number) => Uint8Array);
  /** Reads an answer; undefined for something else. A ProtocolError counts as something else. */
  readonly read: (bytes: Uint8Array) => Answer | undefined;
  readonly tries: number;
  readonly waitMs: number;
  readonly spacingMs?: number;
  readonly signal: AbortSignal;
}

interface Side {
  readonly socket: DatagramSocket;
  readonly exchange: DatagramExchange;
}

/** Opens a socket when the first datagram of its family goes out. */
export class Link implements AsyncDisposable {
  readonly #sides = new Map<4 | 6, Side>();

  /** `unasked` gets the datagrams that answer no question; the bytes are valid only during the call. */
  constructor(
    private readonly deps: { clock: Clock; network: Network },
    private readonly unasked: (bytes: Uint8Array, from: HostPort) => void,
  ) {}

  /** The answer; undefined where none came. Throws {@linkcode NetError} `aborted` when the signal does. */
  async ask<Answer>(question: Asking<Answer>): Promise<Answer | undefined> {
    const { to, message, read, tries, waitMs, spacingMs, signal } = question;
    try {
      return await this.#side(to).exchange.request({
        to,
        message,
        attempts: tries,
        waitMs,
        ...(spacingMs === undefined ? {} : { spacingMs }),
        signal,
        match(bytes) {
          try {
            return read(bytes);
          } catch (error) {
            if (error instanceof ProtocolError) return undefined;
            throw error;
          }
        },
      });
    } catch (error) {
      if (error instanceof NetError && error.code === "timeout") return undefined;
      throw error;
    }
  }

  send(bytes: Uint8Array, to: HostPort): void {
    this.#side(to).socket.send(bytes, to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket, exchange } of this.#sides.values()) {
      exchange.close();
      await socket[Symbol.asyncDispose]();
    }
  }

  #side(to: HostPort): Side {
    const family = to.host.includes(":") ? 6 : 4;
    let side = this.#sides.get(family);
    if (!side) {
      const socket = this.deps.network.datagram({ host: family === 6 ? "::" : "0.0.0.0", port: 0 }, {
        maxBytes: MAX_DATAGRAM_BYTES,
      });
      const exchange = new DatagramExchange(socket, this.deps.clock, 64);
      socket.onDatagram((bytes, from) => {
        if (!exchange.offer(bytes, from)) this.unasked(bytes, from);
      });
      this.#sides.set(family, side = { socket, exchange });
    }
    return side;
  }
}

/**
 * A server of framed connections that bounds how many there are.
 *
 * @module
 */
import { type Clock, type HostPort, type Log, sleep } from "../base/mod.ts";
import {
  type CloseReason,
  type ConnectionLimits,
  FramedConnection,
  type FrameHandler,
} from "./framed_connection.ts";
import type { ByteStream, Framing, StreamListener } from "./stream.ts";

/** What a server works with. */
export interface FramedServerOptions {
  readonly framing: Framing;
  readonly clock: Clock;
  readonly log: Log;
  /** Connections at once, in all; one more is closed as soon as it is accepted. Default 10,000. */
  readonly maxConnections?: number;
  /** Connections at once from one address. Default: as `maxConnections`. */
  readonly maxPerAddress?: number;
  readonly limits?: ConnectionLimits;
  /** Asked for each connection that the limits let in, with both its ends; false closes it at once. */
  readonly admit?: (remote: HostPort, local: HostPort) => boolean;
  /** Greets a new connection; gives what handles its frames. */
  readonly onConnection: (connection: FramedConnection) => FrameHandler;
  /** Told once a connection has ended. */
  readonly onClosed?: (connection: FramedConnection, reason: CloseReason) => void;
}

/** What a server has seen. All counts only grow. */
export interface FramedServerCounts {
  accepted: number;
  /** Closed at once: over a limit, or not admitted. */
  refused: number;
}

/** Serves until it is stopped. */
export class FramedServer implements AsyncDisposable {
  readonly address: HostPort;
  readonly counts: FramedServerCounts = { accepted: 0, refused: 0 };
  readonly #listener: StreamListener;
  readonly #options: FramedServerOptions;
  readonly #connections = new Set<FramedConnection>();
  readonly #perAddress = new Map<string, number>();
  readonly #loop: Promise<void>;
  #stopping: Promise<void> | undefined;

  /** Takes `listener` over, and closes it in the end. */
  constructor(listener: StreamListener, options: FramedServerOptions) {
    this.#listener = listener;
    this.#options = options;
    this.address = listener.address;
    this.#loop = this.#accept();
  }

  /** The connections that are there now. */
  get connections(): ReadonlySet<FramedConnection> {
    return this.#connections;
  }

  /** Takes no more connections; those that are there go on. */
  stopListening(): void {
    this.#listener.close();
  }

  /** Takes no more connections, ends those that are there in good order, and cuts off what is left after `graceMs`. */
  stop(graceMs = 2_000): Promise<void> {
    return this.#stopping ??= this.#stop(graceMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(graceMs: number): Promise<void> {
    this.#listener.close();
    await this.#loop;
    const all = [...this.#connections];
    for (const connection of all) connection.end();
    const grace = new AbortController();
    const cutOff = sleep(this.#options.clock, graceMs, grace.signal).then(() => {
      for (const connection of all) connection.close();
    }, () => {});
    await Promise.all(all.map((connection) => connection.closed));
    grace.abort();
    await cutOff;
  }

  async #accept(): Promise<void> {
    while (true) {
      const stream = await this.#listener.accept();
      if (!stream) return;
      try {
        this.#admit(stream);
      } catch (error) {
        stream.close();
        this.#options.log.error("a new connection could not be served", { error });
      }
    }
  }

  #admit(stream: ByteStream): void {
    const { maxConnections = 10_000, maxPerAddress = maxConnections, admit } = this.#options;
    const { host } = stream.remote;
    const here = this.#perAddress.get(host) ?? 0;
    const full = this.#stopping !== undefined || this.#connections.size >= maxConnections ||
      here >= maxPerAddress;
    if (full || (admit && !admit(stream.remote, stream.local))) {
      this.counts.refused++;
      stream.close();
      return;
    }
    this.counts.accepted++;
    const connection = new FramedConnection(stream, this.#options);
    const handler = this.#options.onConnection(connection);
    this.#connections.add(connection);
    this.#perAddress.set(host, here + 1);
    connection.run(handler).then((reason) => {
      this.#forget(connection);
      this.#options.onClosed?.(connection, reason);
    }).catch((error) => this.#options.log.error("the end of a connection was not handled", { error }));
  }

  #forget(connection: FramedConnection): void {
    this.#connections.delete(connection);
    const { host } = connection.remote;
    const left = this.#perAddress.get(host)! - 1;
    if (left > 0) this.#perAddress.set(host, left);
    else this.#perAddress.delete(host);
  }
}

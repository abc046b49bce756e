/**
 * The local port for the phone app (reference §6): one Post1, one answer, and the gateway closes. LAN side only,
 * five connections at once.
 *
 * @module
 */
import { type Clock, type HostPort, type Log, type Metrics } from "../../base/mod.ts";
import { type CloseReason, type FramedConnection, FramedServer, type Network } from "../../net/mod.ts";
import {
  decodePost1,
  encodeFrame,
  encodePost1Reply,
  FrameDecoder,
  type Post1,
  type Post1Reply,
  PostResult,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import type { CapabilityAnswer, CapabilityCall } from "../capability/mod.ts";
import { type InterfaceAddress, isLanPeer } from "../driver/mod.ts";
import type { PasswordLock } from "./password_lock.ts";

/** Bounds of the local port. */
export interface LocalLimits {
  /** Connections at once; one more is closed as soon as it is accepted (S: five). */
  readonly maxConnections: number;
  /** How long an app may take to begin its request, in milliseconds. */
  readonly idleMs: number;
  /** How long a request may take to arrive once it began, in milliseconds. */
  readonly frameMs: number;
  readonly maxFrameBytes: number;
}

/** Five connections; 15 s to begin, 10 s to finish; 64 KiB. */
export const DEFAULT_LOCAL_LIMITS: LocalLimits = {
  maxConnections: 5,
  idleMs: 15_000,
  frameMs: 10_000,
  maxFrameBytes: 64 * 1024,
};

/** What the local port works with. */
export interface LocalOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly network: Network;
  readonly dispatch: (call: CapabilityCall) => Promise<CapabilityAnswer>;
  readonly lock: PasswordLock;
  readonly interfaces: () => readonly InterfaceAddress[];
  /** Interfaces that are the LAN; undefined: all with private addresses. */
  readonly lanInterfaces?: readonly string[] | undefined;
  readonly limits?: Partial<LocalLimits>;
}

/** The running local port. */
export class LocalServer implements AsyncDisposable {
  readonly #options: LocalOptions;
  readonly #server: FramedServer;
  readonly #counts;

  /** Listens at `at`. Throws NetError where that can't be had. */
  constructor(at: HostPort, options: LocalOptions) {
    this.#options = options;
    const { clock, log, metrics, network, interfaces, lanInterfaces } = options;
    const limits = { ...DEFAULT_LOCAL_LIMITS, ...options.limits };
    this.#counts = {
      answered: metrics.counter(
        "gatehouse_gateway_local_requests_total",
        "Requests answered on the local port",
      ),
      bad: metrics.counter(
        "gatehouse_gateway_local_bad_requests_total",
        "Unreadable requests on the local port",
      ),
    };
    metrics.gauge(
      "gatehouse_gateway_local_connections",
      "Connections on the local port",
      () => this.#server.connections.size,
    );
    metrics.gauge(
      "gatehouse_gateway_local_refused",
      "Connections refused on the local port since the start",
      () => this.#server.counts.refused,
    );
    this.#server = new FramedServer(network.listen(at), {
      framing: {
        decoder: () => new FrameDecoder(limits.maxFrameBytes),
        encode: (payload) => encodeFrame(payload),
      },
      clock,
      log,
      maxConnections: limits.maxConnections,
      limits: { idleMs: limits.idleMs, frameMs: limits.frameMs },
      admit: ({ host }) => isLanPeer(host, interfaces(), lanInterfaces),
      onConnection: () => (frame, connection) => this.#take(frame, connection),
      onClosed: (connection, reason) => this.#closed(connection, reason),
    });
  }

  get address(): HostPort {
    return this.#server.address;
  }

  get connections(): number {
    return this.#server.connections.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }

  async #take(frame: Uint8Array, connection: FramedConnection): Promise<void> {
    let reply: Post1Reply;
    try {
      reply = await this.#answer(decodePost1(frame), connection.remote.host);
      this.#counts.answered.inc();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#counts.bad.inc();
      reply = { result: PostResult.GENERAL, ...(error.id === undefined ? {} : { id: error.id }) };
    }
    connection.send(encodePost1Reply(reply));
    connection.end();
  }

  async #answer({ id, pluginName, version, parameter }: Post1, peer: string): Promise<Post1Reply> {
    const { dispatch, lock } = this.#options;
    const answer = await lock.guard(
      peer,
      parameter,
      () => dispatch({ origin: "local", pluginName, version, parameter }),
    );
    return { ...answer, id };
  }

  #closed(connection: FramedConnection, { code, detail }: CloseReason): void {
    if (code === "local" || code === "peer_closed") return;
    this.#options.log.debug("local connection ended", { from: connection.remote.host, code, detail });
  }
}

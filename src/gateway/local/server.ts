/**
 * The local port for the phone app (reference §6): one Post1, one answer, and the gateway closes. LAN side only,
 * five connections at once. It can be closed, opened and moved while the gateway runs, and may speak HTTP on a port
 * beside it.
 *
 * @module
 */
import { type Clock, formatHostPort, type HostPort, type Log, type Metrics, sleep } from "../../base/mod.ts";
import {
  type CloseReason,
  type FramedConnection,
  FramedServer,
  type FrameHandler,
  type Framing,
  type Network,
} from "../../net/mod.ts";
import { encodeFrame, FrameDecoder, PostResult } from "../../protocol/smart_gateway/mod.ts";
import type { CapabilityAnswer, CapabilityCall } from "../capability/mod.ts";
import type { InterfaceAddress } from "../driver/mod.ts";
import { LocalAudit } from "./audit.ts";
import { HttpFormFraming, httpResponse } from "./http_form.ts";
import { isLanConnection } from "./lan.ts";
import type { PasswordLock } from "./password_lock.ts";
import { Post1Service } from "./post1.ts";

/** Bounds of the local port. */
export interface LocalLimits {
  /** Connections at once, on both ports together; one more is closed as soon as it is accepted (S: five). */
  readonly maxConnections: number;
  /** How long an app may take to begin its request, in milliseconds. */
  readonly idleMs: number;
  /** How long a request may take to arrive once it began, in milliseconds. */
  readonly frameMs: number;
  /** How long an app may take to read its answer, in milliseconds. */
  readonly writeMs: number;
  readonly maxFrameBytes: number;
  /** How long a port that is closed or moved goes on with the answers that it had begun, in milliseconds. */
  readonly graceMs: number;
}

/** Five connections; 15 s to begin, 10 s to finish, 10 s to read; 64 KiB; 5 s to end. */
const DEFAULT_LOCAL_LIMITS: LocalLimits = {
  maxConnections: 5,
  idleMs: 15_000,
  frameMs: 10_000,
  writeMs: 10_000,
  maxFrameBytes: 64 * 1024,
  graceMs: 5_000,
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
  /** The own address on the way to the internet, if it is known; its interface is not the LAN where there is another. */
  readonly wanAddress?: (() => string | undefined) | undefined;
  /** Interfaces that the settings call the outside. */
  readonly wanInterfaces?: readonly string[] | undefined;
  /** Interfaces that are the LAN; undefined: all with private addresses. */
  readonly lanInterfaces?: readonly string[] | undefined;
  readonly limits?: Partial<LocalLimits>;
  /** Where it also speaks HTTP while it is open; undefined: nowhere. */
  readonly http?: HostPort | undefined;
  /** Whether it stays closed until {@linkcode LocalServer.open}. */
  readonly closed?: boolean | undefined;
}

type Via = "tcp" | "http";

/** The local port. */
export class LocalServer implements AsyncDisposable {
  /** What happened at it. */
  readonly audit: LocalAudit;
  readonly #options: LocalOptions;
  readonly #limits: LocalLimits;
  readonly #service: Post1Service;
  readonly #http = new HttpFormFraming();
  #at: HostPort;
  #servers: { readonly tcp: FramedServer; readonly http: FramedServer | undefined } | undefined;
  /** Servers that were closed and still finish what they had begun. */
  readonly #leaving = new Set<FramedServer>();
  /** Connections whose request is being answered. */
  readonly #working = new Map<FramedConnection, Promise<void>>();
  /** Connections that servers refused which are gone. */
  #refusedBefore = 0;

  /** Listens at `at`, unless told to stay closed. Throws NetError where that can't be had. */
  constructor(at: HostPort, options: LocalOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LOCAL_LIMITS, ...options.limits };
    this.#at = at;
    this.audit = new LocalAudit(options);
    this.#service = new Post1Service({ ...options, audit: this.audit });
    const { metrics } = options;
    metrics.gauge(
      "gatehouse_gateway_local_connections",
      "Connections on the local port",
      () => this.connections,
    );
    metrics.gauge(
      "gatehouse_gateway_local_refused",
      "Connections refused on the local port since the start",
      () => [...this.#all()].reduce((sum, { counts }) => sum + counts.refused, this.#refusedBefore),
    );
    if (!options.closed) this.open(at);
  }

  /** Where it listens, or did last. */
  get address(): HostPort {
    return this.#at;
  }

  /** Where it speaks HTTP; undefined: nowhere. */
  get httpAddress(): HostPort | undefined {
    return this.#servers?.http?.address;
  }

  get isOpen(): boolean {
    return this.#servers !== undefined;
  }

  /** Connections that may still ask something. One that got its answer is only waiting for the app to close too. */
  get connections(): number {
    let count = 0;
    for (const { connections } of this.#all()) {
      for (const { open } of connections) if (open) count++;
    }
    return count;
  }

  /**
   * Opens it, or moves it to `at`; does nothing where it listens there. What was being answered is answered. Throws
   * NetError where the address can't be had: it then goes on as before.
   */
  open(at: HostPort = this.#at): void {
    const now = this.#servers?.tcp;
    if (now && same(now.address, at)) return;
    const tcp = this.#serve("tcp", at, {
      decoder: () => new FrameDecoder(this.#limits.maxFrameBytes),
      encode: (payload) => encodeFrame(payload),
    });
    let http = this.#servers?.http;
    try {
      if (!http && this.#options.http) http = this.#serve("http", this.#options.http, this.#http);
    } catch (error) {
      this.#parting(tcp);
      throw error;
    }
    this.#servers = { tcp, http };
    this.#at = tcp.address;
    if (now) this.#parting(now);
    this.#options.log.info("the local port is open", {
      at: formatHostPort(tcp.address),
      ...(http && { http: formatHostPort(http.address) }),
    });
  }

  /** Opens, moves or closes it, as the parameters LocatePort and Ability say (reference §8); port 0: where it is. */
  place({ port, open }: { readonly port: number; readonly open: boolean }): void {
    if (open) this.open(port === 0 ? this.address : { host: this.#at.host, port });
    else this.close().catch((error) => this.#options.log.error("the local port did not close", { error }));
  }

  /** Closes it to everyone; what was being answered is answered. Resolves when nobody is connected any more. */
  async close(): Promise<void> {
    const servers = this.#servers;
    this.#servers = undefined;
    if (!servers) return;
    this.#options.log.info("the local port is closed");
    await Promise.all([servers.tcp, servers.http].map((server) => server && this.#leave(server)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await Promise.all([...this.#leaving].map((server) => server.stop()));
  }

  *#all(): Iterable<FramedServer> {
    if (this.#servers) {
      yield this.#servers.tcp;
      if (this.#servers.http) yield this.#servers.http;
    }
    yield* this.#leaving;
  }

  #parting(server: FramedServer): void {
    this.#leave(server).catch((error) =>
      this.#options.log.error("the local port did not end well", { error })
    );
  }

  /** Takes no more connections there at once, and lets those finish whose request is being answered. */
  async #leave(server: FramedServer): Promise<void> {
    this.#leaving.add(server);
    server.stopListening();
    const working = [...server.connections].flatMap((connection) => {
      const work = this.#working.get(connection);
      if (!work) connection.end();
      return work ?? [];
    });
    const done = new AbortController();
    const grace = sleep(this.#options.clock, this.#limits.graceMs, done.signal).catch(() => {});
    await Promise.race([Promise.all(working), grace]);
    done.abort();
    await server.stop();
    this.#leaving.delete(server);
    this.#refusedBefore += server.counts.refused;
  }

  #serve(via: Via, at: HostPort, framing: Framing): FramedServer {
    const { clock, log, network } = this.#options, limits = this.#limits;
    return new FramedServer(network.listen(at), {
      framing,
      clock,
      log,
      // Those that are closing are few and brief; but nobody may keep any number of them.
      maxConnections: 4 * limits.maxConnections,
      limits: { idleMs: limits.idleMs, frameMs: limits.frameMs, writeMs: limits.writeMs },
      admit: (remote, local) => this.#admit(via, remote, local),
      onConnection: () => this.#handler(via),
      onClosed: (connection, reason) => this.#closed(via, connection, reason),
    });
  }

  #admit(via: Via, remote: HostPort, local: HostPort): boolean {
    const { interfaces, lanInterfaces: named, wanInterfaces: outside, wanAddress } = this.#options;
    const view = { interfaces: interfaces(), named, outside, wanAddress: wanAddress?.() };
    const reason = !isLanConnection(remote.host, local.host, view)
      ? "not on the LAN side"
      : this.connections >= this.#limits.maxConnections
      ? `${this.#limits.maxConnections} connections are there`
      : undefined;
    if (reason === undefined) return true;
    this.audit.note({ from: remote.host, via, outcome: "refused", reason });
    return false;
  }

  #handler(via: Via): FrameHandler {
    return (frame, connection) => {
      const work = this.#answer(via, frame, connection.remote.host).then((reply) => {
        connection.send(reply);
        connection.end();
      });
      this.#working.set(connection, work.catch(() => {}));
      return work;
    };
  }

  async #answer(via: Via, frame: Uint8Array, from: string): Promise<Uint8Array> {
    if (via === "tcp") return await this.#service.answer(frame, from, via);
    const request = this.#http.request(frame);
    if (request.ok) return httpResponse(200, await this.#service.answer(request.json, from, via));
    this.#service.refused(from, via, `${request.status}: ${request.reason}`);
    return httpResponse(request.status, new TextEncoder().encode(`{"Result":${PostResult.GENERAL}}`));
  }

  #closed(via: Via, connection: FramedConnection, { code, detail }: CloseReason): void {
    this.#working.delete(connection);
    if (code === "local" || code === "peer_closed") return;
    const reason = detail === undefined ? code : `${code}: ${detail}`;
    this.audit.note({ from: connection.remote.host, via, outcome: "dropped", reason });
  }
}

function same(a: HostPort, b: HostPort): boolean {
  return a.host === b.host && a.port === b.port;
}

/**
 * The HTTP server: listens, bounds what runs at once, stops without cutting off what is in work.
 *
 * The runtime's server (`Deno.serve`) has no time limit for request headers: without TLS a caller that sends half a
 * header holds a connection (some kilobytes, no handler) until it goes away or the server stops. Put a reverse proxy
 * in front where strangers can connect in large numbers. Bodies have a time limit of ours; of a body that was
 * refused the runtime may still swallow some megabytes before it closes the connection.
 *
 * @module
 */
import {
  type Deps,
  formatHostPort,
  GatehouseError,
  type HostPort,
  messageOf,
  newId,
  type Service,
  sleep,
  withTimeout,
} from "../base/mod.ts";
import type { IpNetwork } from "../net/mod.ts";
import type { ClientInfo } from "./passage.ts";
import { originOf } from "./forwarded.ts";
import { problem, problemResponse } from "./problem.ts";
import { type Answer, type TlsFiles, TlsServer } from "./tls.ts";
import type { RelayLimits } from "./tls_relay.ts";

/** What answers requests: an `Api`. */
export interface HttpHandler {
  fetch(request: Request, client: ClientInfo): Promise<Response>;
}

/** Bounds of a server. */
export interface ServeOptions {
  /** For the log and for health; default "http". */
  readonly name?: string;
  /** Requests in work at once; more are answered 503 with `Retry-After`. Default 4096. */
  readonly maxInFlight?: number;
  /** Milliseconds that requests in work get when the server stops; default 5000. */
  readonly graceMs?: number;
  /**
   * Milliseconds for which a server that stops goes on to answer 503 `stopping` at least, so that whoever stands before
   * it (a balancer) sends the rest elsewhere: a connection that comes while a server closes is cut off. Default 0.
   */
  readonly noticeMs?: number;
  /** HTTPS with the certificate in these files, read again when they change; absent: HTTP. */
  readonly tls?: (TlsFiles & { readonly limits?: RelayLimits }) | undefined;
  /** Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; absent: nobody's. */
  readonly trustedProxies?: readonly IpNetwork[] | undefined;
}

/** What listens: the runtime's server, or the one with TLS. */
interface Listening {
  readonly address: HostPort;
  /** Takes no more requests, and resolves once all connections have closed in good order. */
  shutdown(): Promise<void>;
  /** Cuts all connections. */
  kill(): Promise<void>;
}

/** A running HTTP server. */
export interface HttpService extends Service {
  /** Where it listens: the port is the real one where 0 was asked for. */
  readonly address: HostPort;
  /** `http://host:port` or `https://…`, for clients on this machine. */
  readonly url: string;
}

/** How long connections get to close once nothing is in work. */
const CLOSE_MS = 1000;

/** Starts a server at `at`. Fails with the system's error where the address can't be had. */
export function serveHttp(
  deps: Pick<Deps, "clock" | "log" | "metrics">,
  handler: HttpHandler,
  at: HostPort,
  { name = "http", maxInFlight = 4096, graceMs = 5000, noticeMs = 0, tls, trustedProxies = [] }:
    ServeOptions = {},
): HttpService {
  const { clock, log, metrics } = deps;
  const stopping = new AbortController();
  let inFlight = 0;
  let drained = () => {};
  let state: "up" | "stopping" | "down" = "up";
  metrics.gauge("gatehouse_http_requests_in_flight", "HTTP requests in work", () => inFlight, {
    server: name,
  });
  const refused = metrics.counter(
    "gatehouse_http_requests_refused_total",
    "HTTP requests refused because too many were in work",
    { server: name },
  );
  const leave = () => {
    if (--inFlight === 0) drained();
  };

  const answer: Answer = (request, { address: peer, completed }) => {
    // A request is in work until its answer is handed over in full, so that streams count too.
    inFlight++;
    completed.then(leave, leave);
    if (state === "up" && inFlight <= maxInFlight) {
      const { address, secure } = trustedProxies.length > 0
        ? originOf(request.headers, peer, trustedProxies)
        : { address: peer, secure: false };
      return handler.fetch(request, {
        address,
        secure: secure || tls !== undefined,
        stopping: stopping.signal,
      });
    }
    const refusal = state === "up"
      ? problem(503, "overloaded", "too many requests at once", { retryAfterSeconds: 1 })
      : problem(503, "stopping", "the server is stopping", {
        retryAfterSeconds: 1,
        headers: { connection: "close" },
      });
    if (state === "up") refused.inc();
    return problemResponse(refusal, new URL(request.url).pathname, newId());
  };

  const down = () => void (state = "down");
  const server: Listening = tls ? new TlsServer(deps, at, tls, answer, tls.limits) : plain(deps, at, answer, {
    ended(error) {
      down();
      if (error !== undefined) log.error("HTTP server ended", { name, error: messageOf(error) });
    },
  });
  const { address } = server;
  /** Waits until nothing is in work any more; false where that takes longer than the grace time. */
  const drain = async () => {
    if (inFlight === 0) return true;
    const empty = new Promise<boolean>((resolve) => drained = () => resolve(true));
    const late = () => new GatehouseError("late", "still in work");
    return await withTimeout(clock, empty, graceMs, late).catch(() => false);
  };
  const stop = async () => {
    state = "stopping";
    // Those that wait for something (long polls) end at once, the rest gets its time.
    stopping.abort(new DOMException("the server is stopping", "AbortError"));
    const [empty] = await Promise.all([drain(), noticeMs > 0 && sleep(clock, noticeMs)]);
    if (empty) {
      // What was answered is still on its way to the sockets, so connections close gracefully. On some runtimes
      // that waits for ever for a caller that sent half a request: it is left to itself after a moment.
      const late = () => new GatehouseError("late", "still open");
      await withTimeout(clock, server.shutdown(), CLOSE_MS, late).catch(() => tls && server.kill());
    } else {
      log.warn("requests cut off by the stop", { name, count: inFlight });
      await server.kill();
    }
    down();
  };
  let stopped: Promise<void> | undefined;
  return {
    name,
    address,
    addresses: [`${tls ? "https" : "http"} ${formatHostPort(address)}`],
    url: `${tls ? "https" : "http"}://${formatHostPort({ ...address, host: reachable(address.host) })}`,
    health: () => state === "up" ? { status: "up" } : { status: "down", detail: "not listening" },
    [Symbol.asyncDispose]: () => stopped ??= stop(),
  };
}

/** A server without TLS. */
function plain(
  { log }: Pick<Deps, "log">,
  at: HostPort,
  answer: Answer,
  { ended }: { ended: (error?: unknown) => void },
): Listening {
  const kill = new AbortController();
  const server = Deno.serve({
    hostname: at.host,
    port: at.port,
    signal: kill.signal,
    onListen: () => {},
    onError(error) {
      log.error("HTTP server failed to answer", { error });
      return new Response(null, { status: 500 });
    },
  }, (request, { remoteAddr, completed }) => answer(request, { address: remoteAddr.hostname, completed }));
  const finished = server.finished.then(() => ended(), ended);
  return {
    address: { host: server.addr.hostname, port: server.addr.port },
    shutdown: () => server.shutdown().then(() => finished),
    kill() {
      kill.abort();
      return finished;
    },
  };
}

/** A host that a client on this machine can connect to. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

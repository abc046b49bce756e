/**
 * What is written down of each request: counts and latencies by route, a line in the log.
 *
 * @module
 */
import type { Counter, Histogram, Log, Metrics } from "../base/mod.ts";

/** A finished request. `route` is the pattern, never the path: labels stay few whatever callers ask for. */
export interface Observed {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly address: string;
  readonly actor: string | undefined;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Counts and logs requests. */
export class Observer {
  readonly #counters = new Map<string, Counter>();
  readonly #latencies = new Map<string, Histogram>();

  constructor(private readonly metrics: Metrics, private readonly log: Log) {}

  observe(request: Observed): void {
    const method = METHODS.has(request.method) ? request.method : "other";
    const key = `${method} ${request.route}`;
    this.#counter(key, method, request).inc();
    this.#latency(key, method, request.route).observe(request.seconds);
    // Reads by machines (probes, polls) would bury what people look for.
    const level = request.status >= 500 ? "warn" : method === "GET" || method === "HEAD" ? "debug" : "info";
    if (!this.log.enabled(level)) return;
    this.log[level]("request", {
      method,
      path: request.path.slice(0, 256),
      status: request.status,
      ms: Math.round(request.seconds * 10_000) / 10,
      from: request.address,
      actor: request.actor,
      request: request.id,
    });
  }

  #counter(key: string, method: string, { route, status }: Observed): Counter {
    const id = `${key} ${status}`;
    let counter = this.#counters.get(id);
    if (!counter) {
      counter = this.metrics.counter("gatehouse_http_requests_total", "HTTP requests answered", {
        method,
        route,
        status: String(status),
      });
      this.#counters.set(id, counter);
    }
    return counter;
  }

  #latency(key: string, method: string, route: string): Histogram {
    let latency = this.#latencies.get(key);
    if (!latency) {
      latency = this.metrics.histogram("gatehouse_http_request_seconds", "Time to answer HTTP requests", {
        method,
        route,
      });
      this.#latencies.set(key, latency);
    }
    return latency;
  }
}

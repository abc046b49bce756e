/**
 * Request and response over datagrams: send, wait, send again, give up.
 *
 * @module
 */
import { type Clock, formatHostPort, type HostPort, type Timer } from "../base/mod.ts";
import type { DatagramSocket } from "./datagram.ts";
import { NetError } from "./errors.ts";

/** One request. */
export interface ExchangeRequest<Answer> {
  /** Where to; the answer must come from there (an IP address, as `Network.lookup` gives it). */
  readonly to: HostPort;
  /** The datagram, or what makes the datagram of each attempt, counted from 1. */
  readonly message: Uint8Array | ((attempt: number) => Uint8Array);
  /**
   * Reads the answer; undefined where the datagram is something else, and is left to the others. `bytes` is valid
   * only during the call. What it throws ends the request.
   */
  readonly match: (bytes: Uint8Array, from: HostPort) => Answer | undefined;
  /** How many times it is sent in all. */
  readonly attempts: number;
  /** How long the last attempt waits for its answer, in milliseconds. */
  readonly waitMs: number;
  /** From one attempt to the next, in milliseconds; answers count all the while. Default, and at least, `waitMs`. */
  readonly spacingMs?: number;
  /** Ends the request with a {@linkcode NetError} `aborted`. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  offer(bytes: Uint8Array, from: HostPort): boolean;
  fail(error: Error): void;
}

/**
 * Keeps the requests that wait for an answer on one socket. The owner of the socket offers each datagram:
 *
 * ```ts ignore
 * const exchange = new DatagramExchange(socket, clock);
 * socket.onDatagram((bytes, from) => exchange.offer(bytes, from) || handleRequest(bytes, from));
 * ```
 */
export class DatagramExchange {
  readonly #waiting = new Map<string, Set<Waiting>>();
  #size = 0;
  #closed = false;

  /** `maxPending`: how many requests may wait at once, in all. */
  constructor(
    private readonly socket: Pick<DatagramSocket, "send">,
    private readonly clock: Clock,
    private readonly maxPending = 10_000,
  ) {}

  /** How many requests wait. */
  get pending(): number {
    return this.#size;
  }

  /** Hands a datagram to the request that waits for it; false where none does. */
  offer(bytes: Uint8Array, from: HostPort): boolean {
    if (this.#size === 0) return false;
    const waiting = this.#waiting.get(formatHostPort(from));
    if (!waiting) return false;
    for (const request of waiting) {
      if (request.offer(bytes, from)) return true;
    }
    return false;
  }

  /**
   * Sends a request until it is answered.
   *
   * @throws {NetError} `timeout` after the last attempt, `aborted`, `closed`, or `overflow` at once.
   */
  request<Answer>(request: ExchangeRequest<Answer>): Promise<Answer> {
    const where = formatHostPort(request.to);
    if (this.#closed) return Promise.reject(new NetError("closed", `request to "${where}": socket closed`));
    if (request.signal?.aborted) return Promise.reject(aborted(where, request.signal));
    if (this.#size >= this.maxPending) {
      return Promise.reject(
        new NetError("overflow", `request to "${where}": ${this.maxPending} requests wait`),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    let timer: Timer | undefined;
    let attempt = 0;
    const forget = this.#remember(where, {
      offer: (bytes, from) => {
        try {
          const answer = request.match(bytes, from);
          if (answer === undefined) return false;
          resolve(answer);
        } catch (error) {
          reject(error);
        }
        end();
        return true;
      },
      fail: (error) => fail(error),
    });
    const end = () => {
      timer?.cancel();
      request.signal?.removeEventListener("abort", onAbort);
      forget();
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    const onAbort = () => fail(aborted(where, request.signal!));
    const next = () => {
      if (attempt === request.attempts) {
        return fail(new NetError("timeout", `no answer from "${where}" to ${attempt} attempts`));
      }
      attempt++;
      try {
        const { message } = request;
        this.socket.send(typeof message === "function" ? message(attempt) : message, request.to);
      } catch (error) {
        return fail(error);
      }
      const spacing = Math.max(request.waitMs, request.spacingMs ?? 0);
      timer = this.clock.setTimer(next, attempt === request.attempts ? request.waitMs : spacing);
    };
    request.signal?.addEventListener("abort", onAbort, { once: true });
    next();
    return promise;
  }

  /** Ends every request with `closed`, and refuses new ones. */
  close(): void {
    this.#closed = true;
    for (const waiting of [...this.#waiting.values()]) {
      for (const request of [...waiting]) request.fail(new NetError("closed", "request: socket closed"));
    }
  }

  #remember(where: string, request: Waiting): () => void {
    let waiting = this.#waiting.get(where);
    if (!waiting) this.#waiting.set(where, waiting = new Set());
    waiting.add(request);
    this.#size++;
    return () => {
      if (!waiting.delete(request)) return;
      this.#size--;
      if (waiting.size === 0 && this.#waiting.get(where) === waiting) this.#waiting.delete(where);
    };
  }
}

function aborted(where: string, signal: AbortSignal): NetError {
  return new NetError("aborted", `request to "${where}": aborted`, { cause: signal.reason });
}

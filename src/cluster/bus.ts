/**
 * Messages between the parts of a platform, wherever they run.
 *
 * A part publishes what happened and asks others for what only they can do: only the node that holds a gateway's
 * UDP association can send its triggers, only the one that holds its plug-in channel can post. The bus in this
 * file stays within one process; one on NATS takes its place when there are several nodes.
 *
 * @module
 */
import { type Clock, GatehouseError, type Log, messageOf, withTimeout } from "../base/mod.ts";

/**
 * - `no_responder`: nobody answers requests of that subject: it was not delivered
 * - `timeout`: no answer in time
 * - `lost`: it was sent, and whoever had to answer is gone: whether it was done is not known
 * - `too_large`: it is larger than a message between nodes may be: it was not sent
 * - `failed`: the responder, on another node, failed
 */
export type BusErrorCode = "no_responder" | "timeout" | "lost" | "too_large" | "failed";

/** A request that got no answer. */
export class BusError extends GatehouseError<BusErrorCode> {
  override readonly name = "BusError";
}

/** Subjects of events, with the shape of their messages. */
export type EventMap = object;
/** Subjects of requests, with the shapes of request and reply. */
export type RequestMap = object;

/** A node of the cluster in one of its lives: it counts its epoch up each time it joins anew. */
export interface NodeAddress {
  readonly node: string;
  readonly epoch: number;
}

/** Hears of an event; `from` names the node where it happened, and is undefined where that is this one. */
export type EventHandler<Message> = (message: Message, from?: NodeAddress) => void;

/** The request's shape in an entry of a {@linkcode RequestMap}. */
export type RequestOf<R> = R extends { request: infer T } ? T : never;
/** The reply's shape in an entry of a {@linkcode RequestMap}. */
export type ReplyOf<R> = R extends { reply: infer T } ? T : never;

/** Publish and subscribe, request and respond, on typed subjects. Messages are plain JSON values. */
export interface Bus<Events extends EventMap, Requests extends RequestMap> {
  /** Tells every subscriber; never waits for them, never fails because of one. */
  publish<S extends keyof Events & string>(subject: S, message: Events[S]): void;
  subscribe<S extends keyof Events & string>(subject: S, handler: EventHandler<Events[S]>): Disposable;
  /**
   * Asks the responder of `subject`: where there are several nodes, the one on the node that can answer.
   * @throws {BusError} and whatever a responder of this process throws
   */
  request<S extends keyof Requests & string>(
    subject: S,
    message: RequestOf<Requests[S]>,
    timeoutMs: number,
  ): Promise<ReplyOf<Requests[S]>>;
  /** Answers requests of `subject`. One responder a subject: a second one is a mistake and throws. */
  respond<S extends keyof Requests & string>(
    subject: S,
    handler: (message: RequestOf<Requests[S]>) => Promise<ReplyOf<Requests[S]>>,
  ): Disposable;
}

/** The bus of a platform that runs in one process. */
export class LocalBus<Events extends EventMap, Requests extends RequestMap> implements Bus<Events, Requests> {
  readonly #subscribers = new Map<string, Set<EventHandler<unknown>>>();
  readonly #responders = new Map<string, (message: unknown) => Promise<unknown>>();

  constructor(private readonly clock: Clock, private readonly log: Log) {}

  publish<S extends keyof Events & string>(subject: S, message: Events[S], from?: NodeAddress): void {
    for (const handler of this.#subscribers.get(subject) ?? []) {
      try {
        handler(message, from);
      } catch (error) {
        this.log.error("an event handler failed", { subject, error: messageOf(error) });
      }
    }
  }

  subscribe<S extends keyof Events & string>(subject: S, handler: EventHandler<Events[S]>): Disposable {
    const handlers = this.#subscribers.get(subject) ?? new Set();
    this.#subscribers.set(subject, handlers);
    const own = (message: unknown, from?: NodeAddress) => handler(message as Events[S], from);
    handlers.add(own);
    return { [Symbol.dispose]: () => void handlers.delete(own) };
  }

  request<S extends keyof Requests & string>(
    subject: S,
    message: RequestOf<Requests[S]>,
    timeoutMs: number,
  ): Promise<ReplyOf<Requests[S]>> {
    const responder = this.#responders.get(subject);
    if (!responder) {
      return Promise.reject(new BusError("no_responder", `no service here answers "${subject}"`));
    }
    return withTimeout(
      this.clock,
      responder(message),
      timeoutMs,
      () => new BusError("timeout", `no answer to "${subject}" within ${timeoutMs} ms`),
    ) as Promise<ReplyOf<Requests[S]>>;
  }

  respond<S extends keyof Requests & string>(
    subject: S,
    handler: (message: RequestOf<Requests[S]>) => Promise<ReplyOf<Requests[S]>>,
  ): Disposable {
    if (this.#responders.has(subject)) throw new TypeError(`"${subject}" has a responder already`);
    this.#responders.set(subject, handler as (message: unknown) => Promise<unknown>);
    return { [Symbol.dispose]: () => void this.#responders.delete(subject) };
  }
}

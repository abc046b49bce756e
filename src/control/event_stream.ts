/**
 * Server-sent events: answers that stay open and tell what happens, one JSON document an event.
 *
 * What a reader costs is bounded: few readers at once, fewer for one principal, a queue of limited length and size
 * each, and an end for readers that no longer take anything. Streams end when the caller goes away, when the server
 * stops, and when the caller would no longer be let in.
 *
 * @module
 */
import type { Clock, Log, Metrics, Timer } from "../base/mod.ts";
import type { Principal } from "./auth.ts";
import { problem } from "./problem.ts";

/** One event. */
export interface ServerEvent {
  /** What a reader that comes back names in `Last-Event-ID`; no line ends and no NUL in it. */
  readonly id?: string;
  /** Its kind; readers see "message" where there is none. Letters, digits, `_`, `.`, `-`. */
  readonly event?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** What a stream needs of the call that asked for it: any `Call` is one. */
export interface StreamCall {
  readonly request: Request;
  readonly signal: AbortSignal;
  readonly principal: Principal | undefined;
  readonly log: Log;
  /** Whether the caller would still be let in. */
  authorized(): Promise<boolean>;
}

/** Why a stream ended from this side; readers get it as `{"reason": …}` in an `end` event. */
export type EndReason =
  /** There is nothing more to tell. */
  | "finished"
  /** The reader was too slow for what happens: events were lost. Come back, with `Last-Event-ID` where that is served. */
  | "lagged"
  /** The token ended, or what it gave access to. */
  | "unauthorized"
  | "stopping"
  | "failed";

/** One reader of a stream, as its producer sees it. */
export interface EventReader {
  /** The id of the last event that the reader has, where it came back. At most 256 visible characters. */
  readonly lastEventId: string | undefined;
  /** Aborts when the stream has ended, from whichever side. */
  readonly signal: AbortSignal;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  /**
   * Hands over an event and waits until the reader keeps up: for producers that can wait, such as those that read
   * from a database. False once the stream has ended.
   */
  send(event: ServerEvent): Promise<boolean>;
  /** Hands over an event of a producer that can't wait. A reader whose queue is full is ended as `lagged`: false. */
  push(event: ServerEvent): boolean;
  /** Ends the stream after what is queued. */
  end(reason?: EndReason): void;
}

/** Bounds of a set of streams. */
export interface EventStreamOptions {
  /** For metrics: `messages`. */
  readonly name: string;
  /** Readers at once, default 200; of one principal, default the same. */
  readonly maxReaders?: number;
  readonly maxPerPrincipal?: number;
  /** What waits for one reader at most: events, default 1,000; characters, default 1 Mi. */
  readonly maxQueued?: number;
  readonly maxQueuedChars?: number;
  /** Milliseconds of silence until a comment keeps the connection open, default 15,000. */
  readonly heartbeatMs?: number;
  /** A reader that takes nothing of what waits for it is cut off after so many milliseconds, default 60,000. */
  readonly stallMs?: number;
  /** Milliseconds between looks at whether the caller would still be let in, default 30,000. */
  readonly recheckMs?: number;
}

/** What goes out at once at most, in characters. */
const MAX_CHUNK = 64 * 1024;
const MAX_LAST_EVENT_ID = 256;
/** What browsers wait before they come back, in milliseconds. */
const RETRY_MS = 3000;

/**
 * The streams of one kind.
 *
 * @example
 * ```ts
 * import { FakeClock, Metrics } from "../base/mod.ts";
 * import { EventStreams, Routes } from "./mod.ts";
 * const streams = new EventStreams({ clock: new FakeClock(), metrics: new Metrics() }, { name: "greetings" });
 * const routes = new Routes();
 * routes.route({
 *   method: "GET",
 *   path: "/greetings",
 *   summary: "Greets for ever",
 *   auth: ["admin"],
 *   responses: { 200: { description: "Events", mediaType: "text/event-stream" } },
 * }).handle((call) =>
 *   streams.open(call, async (reader) => {
 *     for (let n = Number(reader.lastEventId ?? 0) + 1; await reader.send({ id: `${n}`, data: "hello" }); n++);
 *   })
 * );
 * ```
 */
export class EventStreams {
  readonly #clock: Clock;
  readonly #options: Required<EventStreamOptions>;
  readonly #readers = new Map<string, number>();
  readonly #count: (outcome: EndReason | "gone" | "stalled") => void;
  #open = 0;

  constructor({ clock, metrics }: { clock: Clock; metrics: Metrics }, options: EventStreamOptions) {
    this.#clock = clock;
    const maxReaders = options.maxReaders ?? 200;
    this.#options = {
      maxPerPrincipal: maxReaders,
      maxQueued: 1000,
      maxQueuedChars: 1 << 20,
      heartbeatMs: 15_000,
      stallMs: 60_000,
      recheckMs: 30_000,
      ...options,
      maxReaders,
    };
    const stream = options.name;
    metrics.gauge("gatehouse_event_streams", "Readers of server-sent events", () => this.#open, { stream });
    this.#count = (outcome) =>
      metrics.counter("gatehouse_event_streams_ended_total", "Ended streams of server-sent events", {
        stream,
        outcome,
      }).inc();
  }

  /** How many readers there are. */
  get readers(): number {
    return this.#open;
  }

  /**
   * The answer to `call`. `produce` is called at once and tells the reader what there is; the stream ends when it
   * returns, so one that only subscribes to something waits for `reader.ended`. `allowed` is asked besides the
   * caller's token, every now and then, whether the stream may go on. Check everything that can be wrong with the
   * request before: from here on there is no other status than 200.
   *
   * @throws {ProblemError} 429 where the principal has too many streams, 503 where all have
   */
  open(
    call: StreamCall,
    produce: (reader: EventReader) => Promise<void>,
    allowed: () => Promise<boolean> | boolean = () => true,
  ): { response: Response } {
    // Nobody would ever read the body of an answer to HEAD.
    if (call.request.method === "HEAD") return { response: new Response(null, { headers: HEADERS }) };
    const leave = this.#enter(call.principal);
    const stream = new EventStream(this.#clock, this.#options, call, allowed, (outcome) => {
      leave();
      this.#count(outcome);
    });
    produce(stream).then(
      () => stream.end("finished"),
      (error) => {
        if (stream.signal.aborted) return; // what it waited for was broken off with the stream
        call.log.error("a stream of events failed", { stream: this.#options.name, error });
        stream.end("failed");
      },
    );
    return { response: new Response(stream.body, { headers: HEADERS }) };
  }

  #enter(principal: Principal | undefined): () => void {
    const { maxReaders, maxPerPrincipal } = this.#options;
    const key = principal ? `${principal.kind}:${principal.id}` : "";
    const own = this.#readers.get(key) ?? 0;
    if (own >= maxPerPrincipal) {
      throw problem(
        429,
        "too_many_streams",
        `no more than ${maxPerPrincipal} streams for one caller: end one`,
        {
          retryAfterSeconds: 5,
        },
      );
    }
    if (this.#open >= maxReaders) {
      throw problem(503, "too_many_streams", "too many streams are open", { retryAfterSeconds: 5 });
    }
    this.#readers.set(key, own + 1);
    this.#open++;
    return () => {
      this.#open--;
      const left = this.#readers.get(key)! - 1;
      if (left > 0) this.#readers.set(key, left);
      else this.#readers.delete(key);
    };
  }
}

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  // Neither kept, nor compressed (that would hold events back), nor collected by a proxy.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

/** The id of the last event that a reader has seen, where it comes back: at most 256 visible characters. */
export function lastEventId(request: Request): string | undefined {
  const last = request.headers.get("last-event-id");
  return last !== null && last.length <= MAX_LAST_EVENT_ID && /^[\x21-\x7e]+$/.test(last) ? last : undefined;
}

/** An event as it goes out. @throws {TypeError} where id or kind would break the stream */
export function formatEvent({ id, event, data }: ServerEvent): string {
  if (id !== undefined && /[\0\r\n]/.test(id)) throw new TypeError("an event's id has a line end in it");
  if (event !== undefined && !/^[\w.-]+$/.test(event)) throw new TypeError(`bad kind of event: "${event}"`);
  // JSON has no line ends of its own.
  return `${id === undefined ? "" : `id: ${id}\n`}${event === undefined ? "" : `event: ${event}\n`}data: ${
    JSON.stringify(data) ?? "null"
  }\n\n`;
}

class EventStream implements EventReader {
  readonly lastEventId: string | undefined;
  readonly ended: Promise<void>;
  readonly body: ReadableStream<Uint8Array>;
  readonly #end = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  readonly #encoder = new TextEncoder();
  #queue: string[] = [`retry: ${RETRY_MS}\n\n`];
  #queuedChars = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Set while the reader is ready for more than there is. */
  #wanted = false;
  #room: PromiseWithResolvers<void> | undefined;
  #closing = false;
  #outcome: EndReason = "finished";
  #timers: { heartbeat?: Timer; stall?: Timer; recheck?: Timer } = {};

  constructor(
    private readonly clock: Clock,
    private readonly options: Required<EventStreamOptions>,
    call: StreamCall,
    allowed: () => Promise<boolean> | boolean,
    private readonly onEnd: (outcome: EndReason | "gone" | "stalled") => void,
  ) {
    this.lastEventId = lastEventId(call.request);
    this.ended = this.#finished.promise;
    this.body = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
      pull: () => {
        this.#wanted = true;
        this.#flush();
      },
      cancel: () => this.#over("gone"),
    }, { highWaterMark: 1 });
    const { signal } = call;
    const onAbort = () => {
      if (call.request.signal.aborted) this.#over("gone");
      else this.end("stopping");
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    this.ended.then(() => signal.removeEventListener("abort", onAbort));
    this.#recheck(async () => await call.authorized() && await allowed());
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  async send(event: ServerEvent): Promise<boolean> {
    if (this.#closing) return false;
    this.#put(formatEvent(event));
    while (!this.#closing && this.#queue.length > 0) {
      await (this.#room ??= Promise.withResolvers()).promise;
    }
    return !this.#closing;
  }

  push(event: ServerEvent): boolean {
    if (this.#closing) return false;
    const text = formatEvent(event);
    const { maxQueued, maxQueuedChars } = this.options;
    if (this.#queue.length >= maxQueued || this.#queuedChars + text.length > maxQueuedChars) {
      this.end("lagged");
      return false;
    }
    this.#put(text);
    return true;
  }

  end(reason: EndReason = "finished"): void {
    if (this.#closing) return;
    this.#closing = true;
    // Whoever may not read any more gets nothing of what was meant for it either.
    if (reason === "unauthorized") this.#queue = [];
    this.#queue.push(formatEvent({ event: "end", data: { reason } }));
    this.#outcome = reason;
    // Whoever produces has nothing to do for it any more, while what is queued may still be on its way.
    this.#end.abort(new DOMException("the stream has ended", "AbortError"));
    this.#makeRoom();
    this.#watch();
    this.#flush();
  }

  #put(text: string): void {
    this.#queue.push(text);
    this.#queuedChars += text.length;
    this.#flush();
    if (this.#queue.length > 0) this.#watch();
  }

  /** Gives the reader what waits, where it is ready for it. */
  #flush(): void {
    const controller = this.#controller;
    if (!this.#wanted || !controller || this.#queue.length === 0) return;
    let chunk = "", taken = 0;
    for (const text of this.#queue) {
      if (chunk !== "" && chunk.length + text.length > MAX_CHUNK) break;
      chunk += text;
      taken++;
    }
    this.#queue = this.#queue.slice(taken);
    this.#queuedChars = Math.max(0, this.#queuedChars - chunk.length);
    this.#wanted = false;
    this.#timers.stall?.cancel();
    delete this.#timers.stall;
    this.#beat();
    controller.enqueue(this.#encoder.encode(chunk));
    if (this.#queue.length > 0) return this.#watch();
    if (this.#closing) {
      controller.close();
      return this.#over(this.#outcome);
    }
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #beat(): void {
    this.#timers.heartbeat?.cancel();
    this.#timers.heartbeat = this.clock.setTimer(() => {
      if (this.#queue.length === 0) this.#put(": still here\n\n");
    }, this.options.heartbeatMs);
  }

  /** Something waits: whoever takes none of it in time is cut off. */
  #watch(): void {
    if (!this.#controller) return;
    this.#timers.stall ??= this.clock.setTimer(() => {
      try {
        this.#controller?.error(new DOMException("the reader takes nothing", "TimeoutError"));
      } finally {
        this.#over("stalled");
      }
    }, this.options.stallMs);
  }

  #recheck(good: () => Promise<boolean>): void {
    this.#timers.recheck = this.clock.setTimer(() => {
      good().then(
        (still) => still ? this.#closing || this.#recheck(good) : this.end("unauthorized"),
        () => this.#closing || this.#recheck(good), // what would know is away: no reason to cut anybody off
      );
    }, this.options.recheckMs);
  }

  #over(outcome: EndReason | "gone" | "stalled"): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#closing = true;
    for (const timer of Object.values(this.#timers)) timer?.cancel();
    this.#queue = [];
    this.#end.abort(new DOMException("the stream has ended", "AbortError"));
    this.#makeRoom();
    this.#finished.resolve();
    this.onEnd(outcome);
  }
}

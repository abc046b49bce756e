/**
 * The client: one method for what is asked once, one for lists, one for streams of events.
 *
 * @module
 */
import { ClientError, Problem, problemOf, readText } from "./errors.ts";
import { eventsIn, type ServerEvent } from "./events.ts";
import { KEYED, type Operations } from "./operations.ts";
import { RawBody } from "./raw_body.ts";

/** An operation: `GET /api/v1/gateways/{mac}`. */
export type OperationName = keyof Operations;
/** What an operation takes: path, query, body, and the headers that matter. */
export type Input<Name extends OperationName> = Operations[Name]["input"];
/** What an operation answers. */
export type Reply<Name extends OperationName> = Operations[Name]["reply"];
/** An item of a list. */
export type Item<Name extends OperationName> = Reply<Name> extends { items: (infer One)[] } ? One : never;
/** Lists that come a page at a time. */
export type ListName = {
  [Name in OperationName]: Reply<Name> extends { items: unknown[]; next?: string } ? Name : never;
}[OperationName];

/** Input that may be left out where nothing in it is required. */
type Args<Name extends OperationName> = Record<never, never> extends Input<Name>
  ? [input?: Input<Name>, options?: CallOptions]
  : [input: Input<Name>, options?: CallOptions];

/** How one call is made. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What a client is made of. */
export interface ClientOptions {
  /** `https://gate.example`: without a path. */
  readonly url: string;
  /** An API key or another bearer token; a function is asked before each request. Absent: none is sent. */
  readonly token?: string | (() => string | Promise<string>);
  /** Milliseconds that one attempt may take until it is answered; default 90,000, for what waits a minute. */
  readonly timeoutMs?: number;
  /** How often what can be sent again is sent at most; default 4. */
  readonly attempts?: number;
  /** Longest pause between two attempts, in milliseconds; who is told to wait longer is told so. Default 10,000. */
  readonly maxPauseMs?: number;
  /** Instead of the runtime's: another `fetch` (with a CA of one's own, say), and time and keys for tests. */
  readonly fetch?: (request: Request) => Promise<Response>;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly newKey?: () => string;
}

/** An answer with what its headers say. */
export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
  /** For `ifMatch` of a change. */
  readonly etag: string | undefined;
  /** Whether it was given before, to an earlier attempt. */
  readonly replayed: boolean;
}

/** Input without its types. */
interface AnyInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly key?: string;
}

const MAX_REPLY = 67_108_864;
/** The first pause, in milliseconds; each further one is twice as long. */
const FIRST_PAUSE_MS = 200;
/** A stream that is silent for longer is cut: the platform shows every 15 seconds that it is there. */
const SILENCE_MS = 45_000;

/**
 * A platform's HTTP API. Posts carry an `Idempotency-Key` of their own where the platform takes one, so that they can
 * be sent again when a connection breaks, and are done once.
 */
export class Client {
  readonly #options: ClientOptions & Required<Pick<ClientOptions, "timeoutMs" | "attempts" | "maxPauseMs">>;

  constructor(options: ClientOptions) {
    this.#options = { timeoutMs: 90_000, attempts: 4, maxPauseMs: 10_000, ...options };
  }

  /** Asks, and gives the answer's body. @throws {Problem | ClientError} */
  async call<Name extends OperationName>(name: Name, ...args: Args<Name>): Promise<Reply<Name>> {
    return (await this.ask(name, ...args)).body;
  }

  /** Asks, and gives the answer with its ETag. @throws {Problem | ClientError} */
  async ask<Name extends OperationName>(
    name: Name,
    ...[input, options]: Args<Name>
  ): Promise<Answer<Reply<Name>>> {
    return await this.#send(name, (input ?? {}) as AnyInput, options?.signal, {}, async (response) => ({
      status: response.status,
      body: await bodyOf(response) as Reply<Name>,
      etag: response.headers.get("etag") ?? undefined,
      replayed: response.headers.get("idempotency-replayed") === "true",
    }));
  }

  /** Every item of a list, page after page. @throws {Problem | ClientError} */
  async *all<Name extends ListName>(name: Name, ...[input, options]: Args<Name>): AsyncGenerator<Item<Name>> {
    const given = (input ?? {}) as AnyInput;
    for (let cursor = given.query?.["cursor"];;) {
      const asked = { ...given, query: { ...given.query, cursor } };
      const page = await this.#send(name, asked, options?.signal, {}, bodyOf) as {
        items: Item<Name>[];
        next?: string;
      };
      yield* page.items;
      if (page.next === undefined) return;
      cursor = page.next;
    }
  }

  /**
   * The events of a stream. Where it breaks off it is opened again, behind the last event that had an id; streams
   * whose events have none begin anew. Ends where the platform says that there is nothing more to tell.
   *
   * @throws {Problem | ClientError} where it is refused, or can't be opened again
   */
  async *events<Name extends OperationName>(
    name: Name,
    ...[input, options]: Args<Name>
  ): AsyncGenerator<ServerEvent> {
    let last: string | undefined;
    for (let silent = 0;;) {
      const cut = new AbortController();
      const signal = options?.signal ? AbortSignal.any([options.signal, cut.signal]) : cut.signal;
      try {
        const headers = {
          accept: "text/event-stream",
          ...(last === undefined ? {} : { "last-event-id": last }),
        };
        const response = await this.#send(
          name,
          (input ?? {}) as AnyInput,
          signal,
          headers,
          (one) => Promise.resolve(one),
        );
        for await (const event of eventsIn(alive(response, cut))) {
          silent = 0;
          if (event === undefined) continue;
          if (event.event === "end") {
            const { reason } = event.data as { reason?: string };
            if (reason === "finished") return;
            if (reason === "unauthorized") {
              throw new Problem(401, "unauthorized", "the stream's token ended", "");
            }
            break;
          }
          last = event.id ?? last;
          yield event;
        }
      } catch (error) {
        options?.signal?.throwIfAborted();
        if (error instanceof Problem || (error instanceof ClientError && error.code !== "unreachable")) {
          throw error;
        }
        if (silent + 1 >= this.#options.attempts) throw unreachable(error);
      } finally {
        cut.abort();
      }
      await this.#pause(silent++);
    }
  }

  /** Sends, and reads the answer, until there is one, as far as that does no harm. */
  async #send<Body>(
    name: string,
    input: AnyInput,
    signal: AbortSignal | undefined,
    headers: Readonly<Record<string, string>>,
    read: (response: Response) => Promise<Body>,
  ): Promise<Body> {
    const [method] = name.split(" "),
      { attempts, maxPauseMs, newKey = () => crypto.randomUUID() } = this.#options;
    const key = KEYED.has(name) ? input.key ?? newKey() : undefined;
    const repeatable = method === "GET" || key !== undefined ||
      (method === "PUT" && input.ifMatch === undefined);
    for (let attempt = 0;; attempt++) {
      try {
        return await this.#once(name, input, key, signal, headers, read);
      } catch (error) {
        signal?.throwIfAborted();
        if (attempt + 1 >= attempts || isUsedUp(input.body)) throw error;
        if (error instanceof Problem) {
          const wait = pauseOf(error, attempt > 0);
          if (wait === undefined || wait > maxPauseMs) throw error;
          await this.#sleep(wait);
        } else if (repeatable && error instanceof ClientError && error.code !== "too_large") {
          await this.#pause(attempt);
        } else throw error;
        signal?.throwIfAborted();
      }
    }
  }

  async #once<Body>(
    name: string,
    input: AnyInput,
    key: string | undefined,
    signal: AbortSignal | undefined,
    headers: Readonly<Record<string, string>>,
    read: (response: Response) => Promise<Body>,
  ): Promise<Body> {
    const { url, token, timeoutMs, fetch = (request) => globalThis.fetch(request) } = this.#options;
    const [method, path] = name.split(" ") as [string, string], { body } = input;
    const bearer = typeof token === "function" ? await token() : token;
    const late = new AbortController();
    const request = new Request(new URL(pathOf(path, input), url), {
      method,
      headers: {
        ...headers,
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...(input.ifMatch === undefined ? {} : { "if-match": input.ifMatch }),
        ...(body === undefined
          ? {}
          : { "content-type": body instanceof RawBody ? body.type : "application/json" }),
      },
      ...(body === undefined ? {} : { body: body instanceof RawBody ? body.content : JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      redirect: "error", // a token is for nobody else
    });
    // Not for what is handed on as it comes: streams and files go on for longer.
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const response = await fetch(request);
      if (!response.ok) throw await problemOf(response);
      return await read(response);
    } catch (error) {
      signal?.throwIfAborted();
      if (late.signal.aborted) {
        throw new ClientError("timeout", `no answer in ${timeoutMs} ms`, { cause: error });
      }
      throw error instanceof Problem ? error : unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The pause after so many attempts in vain, with a part that chance decides, so that not all come at once. */
  async #pause(attempts: number): Promise<void> {
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** attempts, this.#options.maxPauseMs);
    await this.#sleep(longest * (0.5 + Math.random() / 2));
  }

  #sleep(ms: number): Promise<void> {
    return this.#options.sleep?.(ms) ?? new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** Milliseconds after which a refusal says that asking again helps; undefined where it does not. */
function pauseOf({ status, code, retryAfter }: Problem, again: boolean): number | undefined {
  const passing = status === 429 || status === 503 || (again && code === "idempotency_in_progress");
  return passing && retryAfter !== undefined ? retryAfter * 1000 : undefined;
}

/** A body that can't be sent a second time: the first has read it. */
function isUsedUp(body: unknown): boolean {
  return body instanceof RawBody && body.content instanceof ReadableStream;
}

function pathOf(path: string, { params = {}, query = {} }: AnyInput): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = String(params[name] ?? "");
    // "." and ".." would be another path.
    if (/^\.{0,2}$/.test(value)) throw new TypeError(`"${name}" can't be "${value}"`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined) search.append(name, String(one));
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}

/** JSON as its value, nothing as undefined, anything else as the response itself. */
async function bodyOf(response: Response): Promise<unknown> {
  if (response.status === 204) return void await response.body?.cancel();
  if (!/^application\/json\b/.test(response.headers.get("content-type") ?? "")) return response;
  try {
    return JSON.parse(await readText(response, MAX_REPLY));
  } catch (error) {
    if (error instanceof ClientError) throw error;
    if (error instanceof SyntaxError) {
      throw new ClientError("not_an_answer", "an answer that is no JSON", { cause: error });
    }
    throw unreachable(error);
  }
}

/** The bytes of a stream, which is cut when it falls silent. */
async function* alive(response: Response, cut: AbortController): AsyncGenerator<Uint8Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => cut.abort(), SILENCE_MS);
  };
  try {
    watch();
    for await (const chunk of response.body ?? []) {
      watch();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ClientError("unreachable", `the platform can't be reached: ${reason}`, { cause: error });
}

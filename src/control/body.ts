/**
 * Reading request bodies: how large, how slow and how deep they may be, whoever sends them.
 *
 * @module
 */
import { type Clock, withTimeout } from "../base/mod.ts";
import { problem, ProblemError } from "./problem.ts";

/** Largest body of a route that names no limit of its own, in bytes. */
export const DEFAULT_MAX_BODY = 1 << 20;
/** Deepest nesting of a JSON body. */
const MAX_JSON_DEPTH = 64;

/** How slowly a body may arrive: `graceMs`, and beyond that at least `bytesPerSecond` on average. */
export interface BodyPace {
  readonly graceMs: number;
  readonly bytesPerSecond: number;
}

/** Thirty seconds, and 4 KiB a second beyond. */
export const DEFAULT_PACE: BodyPace = { graceMs: 30_000, bytesPerSecond: 4096 };

/** What reading a body needs to know. */
export interface BodyLimits {
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly pace: BodyPace;
}

/** A body that the handler reads as it arrives; reading fails with a problem where a limit is passed. */
export interface StreamBody {
  readonly kind: "stream";
  readonly mediaType: string;
  /** Bytes announced by the caller; undefined where it does not say. */
  readonly length: number | undefined;
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** A body of a media type that the route takes as plain text. */
export interface TextBody {
  readonly kind: "text";
  readonly mediaType: string;
  readonly text: string;
}

/** The media type of a request without its parameters, in lower case; "" where it names none. */
export function mediaTypeOf(request: Request): string {
  return (request.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

/** The announced length, checked against the limit; undefined where none is announced. */
function announcedLength(request: Request, maxBytes: number): number | undefined {
  const text = request.headers.get("content-length");
  if (text === null) return undefined;
  const length = Number(text);
  if (length > maxBytes) throw tooLarge(maxBytes);
  return Number.isSafeInteger(length) ? length : undefined;
}

function tooLarge(maxBytes: number): ProblemError {
  // The rest of the body is not read: the connection can't be used again.
  return problem(413, "body_too_large", `the body is larger than ${maxBytes} bytes`, {
    headers: { connection: "close" },
    members: { maxBytes },
  });
}

function tooSlow(): ProblemError {
  return problem(408, "body_too_slow", "the body did not arrive in time", {
    headers: { connection: "close" },
  });
}

/** The body as a stream that keeps to the limits. */
export function guardedStream(request: Request, limits: BodyLimits): StreamBody {
  const length = announcedLength(request, limits.maxBytes);
  const source = request.body?.getReader();
  const started = limits.clock.monotonic();
  let received = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const chunk = source && await readChunk(source, limits, started, received);
      if (!chunk) return controller.close();
      received += chunk.byteLength;
      if (received > limits.maxBytes) {
        cancelQuietly(source!);
        throw tooLarge(limits.maxBytes);
      }
      controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
    },
    async cancel(reason) {
      await source?.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return { kind: "stream", mediaType: mediaTypeOf(request), length, stream };
}

/** The next bytes, or undefined at the end; fails where they don't come in time. */
async function readChunk(
  source: ReadableStreamDefaultReader<Uint8Array>,
  { clock, pace }: BodyLimits,
  started: number,
  received: number,
): Promise<Uint8Array | undefined> {
  const due = started + pace.graceMs + received / pace.bytesPerSecond * 1000;
  let late = false;
  const timer = clock.setTimer(() => {
    late = true;
    cancelQuietly(source);
  }, due - clock.monotonic());
  try {
    const { value } = await source.read();
    if (late) throw tooSlow();
    return value;
  } catch (cause) {
    if (late) throw tooSlow();
    throw problem(400, "body_incomplete", "the body broke off", { cause });
  } finally {
    timer.cancel();
  }
}

/** Gives up on a body; that it may already be broken is no news. */
function cancelQuietly(source: ReadableStreamDefaultReader<Uint8Array>): void {
  source.cancel().catch(() => {});
}

/** The whole body in memory. */
async function readBytes(request: Request, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  const announced = announcedLength(request, limits.maxBytes);
  // The server gives no more than was announced: such a body is read at once, which is several times faster.
  if (announced !== undefined && request.body) return await readAnnounced(request, announced, limits);
  const { stream } = guardedStream(request, limits);
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    total += chunk.byteLength;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

async function readAnnounced(
  request: Request,
  length: number,
  { clock, pace, maxBytes }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const patience = pace.graceMs + length / pace.bytesPerSecond * 1000;
    bytes = await withTimeout(clock, request.bytes(), patience, tooSlow);
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw problem(400, "body_incomplete", "the body broke off", { cause });
  }
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

/** The whole body as text; bytes that are not UTF-8 are refused. */
export async function readText(request: Request, limits: BodyLimits): Promise<string> {
  const bytes = await readBytes(request, limits);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw problem(
      400,
      "invalid_encoding",
      'the body is not UTF-8: save it as that, in a spreadsheet as "CSV UTF-8"',
      { cause },
    );
  }
}

/**
 * JSON text to a value that is safe to hand on: not nested deeper than {@linkcode MAX_JSON_DEPTH}, and without an
 * own key `__proto__`, which a later merge could turn into a change of every object.
 */
export function parseJson(text: string): unknown {
  if (tooDeep(text)) {
    throw problem(400, "invalid_json", `the body is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw problem(400, "invalid_json", text === "" ? "a body is needed: JSON" : "the body is not JSON", {
      cause,
    });
  }
  // A key may hide behind \u escapes, so those take the slow look as well.
  if ((text.includes("__proto__") || text.includes("\\u")) && hasProtoKey(value)) {
    throw problem(400, "invalid_json", 'the body has a key "__proto__"');
  }
  return value;
}

function tooDeep(text: string): boolean {
  let depth = 0, inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

function hasProtoKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Object.hasOwn(value, "__proto__")) return true;
  return Object.values(value).some(hasProtoKey);
}

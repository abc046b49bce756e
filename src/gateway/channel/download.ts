/**
 * Fetching a plug-in package over HTTP, within bounds of size and time, and checking that it is the right one. A
 * download that is cut goes on where it was.
 *
 * @module
 */
import { type Clock, GatehouseError, messageOf, sleep } from "../../base/mod.ts";
import { type Fetcher, openFetcher } from "../outbound.ts";

/** Why a package was not taken. */
export type DownloadErrorCode =
  | "bad_url"
  | "unreachable"
  | "too_large"
  | "wrong_size"
  | "wrong_digest"
  | "too_slow";

/** A package that was not taken. */
export class DownloadError extends GatehouseError<DownloadErrorCode> {
  override readonly name = "DownloadError";
}

/** What to fetch. */
export interface Download {
  readonly url: string;
  /** Bytes that it must have; 0: not said. */
  readonly size: number;
  /** `sha256:<hex>` that it must have; undefined: not said. */
  readonly digest: string | undefined;
  readonly maxBytes: number;
  /** The whole download may take this long. */
  readonly timeoutMs: number;
  /** Told after each piece: bytes so far, and bytes expected if that is known. */
  readonly onProgress: (bytes: number, expected: number | undefined) => void;
  readonly signal: AbortSignal;
  /** How it is fetched; default: from wherever the URL says. */
  readonly fetcher?: Fetcher | undefined;
}

/** The bytes of the package. @throws {DownloadError}, or the signal's reason */
export async function download(clock: Clock, request: Download): Promise<Uint8Array<ArrayBuffer>> {
  const { url, size, digest, maxBytes, timeoutMs } = request;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new DownloadError("bad_url", "the address is no http or https URL");
  }
  if (digest !== undefined && !/^sha256:[0-9a-fA-F]{64}$/.test(digest)) {
    throw new DownloadError("wrong_digest", 'the digest is not "sha256:" and 64 hex digits');
  }
  if (size > maxBytes) throw tooLarge(maxBytes);
  const late = new AbortController();
  const timer = clock.setTimer(() => late.abort(), timeoutMs);
  try {
    const bytes = await fetchBounded(clock, request, AbortSignal.any([request.signal, late.signal]));
    if (size > 0 && bytes.length !== size) {
      throw new DownloadError("wrong_size", `the package has ${bytes.length} bytes, not ${size}`);
    }
    if (digest !== undefined && await sha256(bytes) !== digest.slice(7).toLowerCase()) {
      throw new DownloadError("wrong_digest", "the package has another digest than announced");
    }
    return bytes;
  } catch (error) {
    request.signal.throwIfAborted();
    if (late.signal.aborted) {
      throw new DownloadError("too_slow", `the package did not arrive within ${timeoutMs} ms`);
    }
    if (error instanceof DownloadError) throw error;
    throw new DownloadError("unreachable", `the package can't be fetched: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    timer.cancel();
  }
}

/** How often a download is taken up, and the pause before the first time; later ones are longer. */
const TRIES = 5;
const PAUSE_MS = 500;
/** A server that is silent for so long is taken for gone: a connection that broke without a word says nothing else. */
const IDLE_MS = 15_000;

/** What has arrived so far. */
interface Received {
  pieces: Uint8Array[];
  length: number;
  /** What tells this content of the file from another (RFC 9110, section 8.8.3), if the server said it. */
  etag: string | undefined;
}

/** The download broke off where it can be taken up again. */
class CutOff extends Error {}

async function fetchBounded(
  clock: Clock,
  request: Download,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const received: Received = { pieces: [], length: 0, etag: undefined };
  for (let attempt = 1;; attempt++) {
    try {
      await fetchRest(clock, request, received, signal);
      break;
    } catch (error) {
      // What the server says or sends that is wrong stays wrong; only a cut in the middle is worth another try.
      const cut = error instanceof CutOff || (!(error instanceof DownloadError) && received.length > 0);
      if (!cut || signal.aborted || attempt === TRIES) throw error;
      await sleep(clock, PAUSE_MS * 2 ** (attempt - 1), signal);
    }
  }
  const bytes = new Uint8Array(received.length);
  let at = 0;
  for (const piece of received.pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Fetches what is missing; all of it where the server does not know how to go on in the middle. */
async function fetchRest(
  clock: Clock,
  request: Download,
  received: Received,
  signal: AbortSignal,
): Promise<void> {
  const headers: Record<string, string> = {};
  if (received.length > 0) {
    headers["range"] = `bytes=${received.length}-`;
    if (received.etag !== undefined) headers["if-range"] = received.etag;
  }
  const silent = new AbortController();
  const watch = () => clock.setTimer(() => silent.abort(), IDLE_MS);
  let timer = watch();
  const heard = () => {
    timer.cancel();
    timer = watch();
  };
  const fetcher = request.fetcher ?? openFetcher;
  try {
    const init = { signal: AbortSignal.any([signal, silent.signal]), headers };
    await fetcher(request.url, init, (response) => receive(request, received, response, heard));
  } catch (error) {
    if (!silent.signal.aborted || signal.aborted) throw error;
    throw new Error(`nothing came for ${IDLE_MS / 1000} s`, { cause: error });
  } finally {
    timer.cancel();
  }
}

async function receive(
  { size, maxBytes, onProgress }: Download,
  received: Received,
  response: Response,
  heard: () => void,
): Promise<void> {
  heard();
  const { status, headers } = response, resuming = received.length > 0;
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    const said = `the server answered ${status}`;
    // A server that had begun to send is not wrong for good: it is being started again, or has too much to do.
    throw resuming && (status >= 500 || status === 429)
      ? new CutOff(said)
      : new DownloadError("unreachable", said);
  }
  if (status === 206) {
    const first = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(headers.get("content-range") ?? "")?.[1];
    if (!resuming || Number(first ?? NaN) !== received.length) {
      await response.body.cancel();
      if (!resuming) throw new DownloadError("unreachable", "the server sends a part that nobody asked for");
      startAnew(received);
      throw new CutOff("the server goes on at another place than it was asked to");
    }
  } else startAnew(received);
  const etag = headers.get("etag");
  received.etag = etag?.startsWith('"') ? etag : undefined; // a weak one does not tell bytes apart
  const announced = Number(headers.get("content-length") ?? NaN);
  const expected = Number.isInteger(announced) ? received.length + announced : size > 0 ? size : undefined;
  const limit = size > 0 ? size : maxBytes;
  onProgress(received.length, expected);
  for await (const piece of response.body) {
    heard();
    received.length += piece.length;
    if (received.length > limit) {
      throw size > 0
        ? new DownloadError("wrong_size", `the package has more than ${size} bytes`)
        : tooLarge(maxBytes);
    }
    received.pieces.push(piece);
    onProgress(received.length, expected);
  }
  if (expected !== undefined && received.length < expected) throw new CutOff("the connection was cut");
}

function startAnew(received: Received): void {
  received.pieces = [];
  received.length = 0;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function tooLarge(maxBytes: number): DownloadError {
  return new DownloadError("too_large", `the package has more than ${maxBytes} bytes`);
}

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

/** What has arrived so far. */
interface Received {
  readonly pieces: Uint8Array[];
  length: number;
}

async function fetchBounded(
  clock: Clock,
  request: Download,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const received: Received = { pieces: [], length: 0 };
  for (let attempt = 1;; attempt++) {
    try {
      await fetchRest(request, received, signal);
      break;
    } catch (error) {
      // What the server says or sends that is wrong stays wrong; only a cut in the middle is worth another try.
      const cut = !(error instanceof DownloadError) && received.length > 0;
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
  request: Download,
  received: Received,
  signal: AbortSignal,
): Promise<void> {
  const headers: Record<string, string> = received.length > 0 ? { range: `bytes=${received.length}-` } : {};
  const fetcher = request.fetcher ?? openFetcher;
  await fetcher(request.url, { signal, headers }, (response) => receive(request, received, response));
}

async function receive(
  { size, maxBytes, onProgress }: Download,
  received: Received,
  response: Response,
): Promise<void> {
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new DownloadError("unreachable", `the server answered ${response.status}`);
  }
  if (response.status !== 206) {
    received.pieces.length = 0;
    received.length = 0;
  }
  const announced = Number(response.headers.get("content-length") ?? NaN);
  const expected = Number.isInteger(announced) ? received.length + announced : size > 0 ? size : undefined;
  const limit = size > 0 ? size : maxBytes;
  onProgress(received.length, expected);
  for await (const piece of response.body) {
    received.length += piece.length;
    if (received.length > limit) {
      throw size > 0
        ? new DownloadError("wrong_size", `the package has more than ${size} bytes`)
        : tooLarge(maxBytes);
    }
    received.pieces.push(piece);
    onProgress(received.length, expected);
  }
  if (expected !== undefined && received.length < expected) throw new Error("the connection was cut");
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function tooLarge(maxBytes: number): DownloadError {
  return new DownloadError("too_large", `the package has more than ${maxBytes} bytes`);
}

/**
 * Fetching a plug-in package over HTTP, within bounds of size and time, and checking that it is the right one.
 *
 * @module
 */
import { type Clock, GatehouseError, messageOf } from "../../base/mod.ts";

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
    const bytes = await fetchBounded(request, AbortSignal.any([request.signal, late.signal]));
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

async function fetchBounded(
  { url, size, maxBytes, onProgress }: Download,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  // A redirection could point anywhere, into the home as well.
  const response = await fetch(url, { signal, redirect: "error" });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new DownloadError("unreachable", `the server answered ${response.status}`);
  }
  const announced = Number(response.headers.get("content-length") ?? NaN);
  const expected = Number.isInteger(announced) ? announced : size > 0 ? size : undefined;
  const limit = size > 0 ? size : maxBytes;
  const pieces: Uint8Array[] = [];
  let length = 0;
  onProgress(0, expected);
  for await (const piece of response.body) {
    length += piece.length;
    if (length > limit) {
      throw size > 0
        ? new DownloadError("wrong_size", `the package has more than ${size} bytes`)
        : tooLarge(maxBytes);
    }
    pieces.push(piece);
    onProgress(length, expected);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function tooLarge(maxBytes: number): DownloadError {
  return new DownloadError("too_large", `the package has more than ${maxBytes} bytes`);
}

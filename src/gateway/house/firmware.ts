/**
 * Fetching a firmware into a file, within bounds of size and time, and checking that it is the right one.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type Clock, GatehouseError, messageOf } from "../../base/mod.ts";
import { type Fetcher, openFetcher } from "../outbound.ts";

/** What to fetch. */
export interface FirmwareSource {
  readonly url: string;
  /** `sha256:<hex>` that it must have; undefined: not said. */
  readonly digest: string | undefined;
}

/** Bounds. */
export interface FirmwareLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** 256 MiB; twenty minutes. */
export const FIRMWARE_LIMITS: FirmwareLimits = { maxBytes: 256 * 1024 * 1024, timeoutMs: 20 * 60_000 };

/** Throws GatehouseError `firmware` where this can't be what to fetch. */
export function checkSource({ url, digest }: FirmwareSource): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw refused("downurl is no http or https URL");
  }
  if (digest !== undefined && !/^sha256:[0-9a-fA-F]{64}$/.test(digest)) {
    throw refused('the digest is not "sha256:" and 64 hex digits');
  }
}

/**
 * Fetches it to `path`, which is not there afterwards unless it is the right one. Throws GatehouseError `firmware`, or
 * the signal's reason.
 */
export async function fetchFirmware(
  clock: Clock,
  source: FirmwareSource,
  path: string,
  options: FirmwareLimits & {
    readonly signal: AbortSignal;
    readonly onProgress: (percent: number) => void;
    /** How it is fetched; default: from wherever the URL says. */
    readonly fetcher?: Fetcher | undefined;
  },
): Promise<void> {
  checkSource(source);
  const late = new AbortController();
  const timer = clock.setTimer(() => late.abort(), options.timeoutMs);
  let whole = false;
  try {
    const signal = AbortSignal.any([options.signal, late.signal]);
    const { fetcher = openFetcher, ...bounds } = options;
    await fetcher(source.url, { signal }, (response) => receive(source, path, response, bounds));
    whole = true;
  } catch (error) {
    options.signal.throwIfAborted();
    if (late.signal.aborted) throw refused(`the firmware did not arrive within ${options.timeoutMs} ms`);
    if (error instanceof GatehouseError) throw error;
    throw refused(`the firmware can't be fetched: ${messageOf(error)}`, error);
  } finally {
    timer.cancel();
    if (!whole) await Deno.remove(path).catch(() => {});
  }
}

async function receive(
  { digest }: FirmwareSource,
  path: string,
  response: Response,
  { maxBytes, onProgress }: FirmwareLimits & { readonly onProgress: (percent: number) => void },
): Promise<void> {
  const announced = Number(response.headers.get("content-length") ?? NaN);
  if (!response.ok || !response.body || announced > maxBytes) {
    await response.body?.cancel();
    throw refused(
      announced > maxBytes
        ? `the firmware has more than ${maxBytes} bytes`
        : `the server answered ${response.status}`,
    );
  }
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  const hash = createHash("sha256");
  let length = 0;
  for await (const piece of response.body) {
    length += piece.length;
    if (length > maxBytes) throw refused(`the firmware has more than ${maxBytes} bytes`);
    hash.update(piece);
    for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
    if (announced > 0) onProgress(Math.min(100, Math.floor(100 * length / announced)));
  }
  if (Number.isFinite(announced) && length < announced) throw refused("the firmware was cut off");
  if (length === 0) throw refused("the firmware is empty");
  if (digest !== undefined && hash.digest("hex") !== digest.slice(7).toLowerCase()) {
    throw refused("the firmware has another digest than announced");
  }
  await file.sync();
}

function refused(reason: string, cause?: unknown): GatehouseError {
  return new GatehouseError("firmware", reason, { cause });
}

/**
 * How fast a download goes: one request, whose body is counted and thrown away, for some seconds.
 *
 * Where it may go is as in `http.ts`: to the internet only, to the very address that was checked, and nowhere else on
 * a server's word.
 *
 * @module
 */
import { type HttpPorts, withConnection } from "./http.ts";

/** What came. */
export interface SpeedReport {
  /** Bytes of the body. */
  readonly bytes: number;
  /** From the first byte of the answer to the last one that was counted. */
  readonly seconds: number;
  /** Bits a second. */
  readonly rate: number;
  /** The whole body came before the time was over. */
  readonly whole: boolean;
}

/** The longest measurement in seconds, and the most that is fetched in bytes. */
const MAX_SECONDS = 30;
const MAX_BYTES = 4 * 1024 ** 3;
const MAX_HEAD = 32 * 1024, CONNECT_MS = 10_000, MAX_URL = 2048;

let running = false;

/** Measures. Throws Error with the reason: no such host, not on the internet, no answer, an answer that is none. */
export async function measureDownload(
  ports: HttpPorts,
  target: string,
  seconds: number,
  signal: AbortSignal,
): Promise<SpeedReport> {
  const url = downloadUrl(target);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
    throw new Error(`the time is not 1 to ${MAX_SECONDS} seconds`);
  }
  if (running) throw new Error("a download is being measured");
  running = true;
  const late = new AbortController(), over = new AbortController();
  const timer = ports.clock.setTimer(() => late.abort(), CONNECT_MS);
  const stop = AbortSignal.any([signal, late.signal, over.signal]);
  try {
    return await withConnection(ports, url, stop, async (conn) => {
      const request =
        `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nconnection: close\r\n\r\n`;
      const bytes = new TextEncoder().encode(request);
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      const { rest, length } = await head(conn);
      timer.cancel();
      const ending = ports.clock.setTimer(() => over.abort(), seconds * 1000);
      try {
        return await count(ports, conn, rest, length, over.signal);
      } finally {
        ending.cancel();
      }
    });
  } catch (error) {
    signal.throwIfAborted();
    if (late.signal.aborted) throw new Error(`no answer within ${CONNECT_MS / 1000} s`);
    throw error;
  } finally {
    timer.cancel();
    running = false;
  }
}

/** Throws Error where it is none that can be fetched. */
export function downloadUrl(target: string): URL {
  if (target.length > MAX_URL || !URL.canParse(target)) throw new Error("the address is no URL");
  const url = new URL(target);
  if (!/^https?:$/.test(url.protocol)) throw new Error("the address is no http or https URL");
  if (url.username !== "" || url.password !== "") throw new Error("the address has a user name");
  return url;
}

/** Reads the head of the answer: what came behind it, and how long the body is to be. */
async function head(conn: Deno.Conn): Promise<{ rest: number; length: number | undefined }> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (;;) {
    const read = await conn.read(buffer);
    if (read === null) throw new Error("the answer was cut off");
    text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
    const end = text.indexOf("\r\n\r\n");
    if (end > MAX_HEAD || (end < 0 && text.length > MAX_HEAD)) {
      throw new Error("the head of the answer is too long");
    }
    if (end < 0) continue;
    const [first = "", ...lines] = text.slice(0, end).split("\r\n");
    const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
    if (status === undefined) throw new Error("the answer is no HTTP");
    if (status !== "200") throw new Error(`the server answered ${status}`);
    const length = lines.map((line) => /^content-length:\s*(\d{1,15})\s*$/i.exec(line)?.[1]).find(Boolean);
    return { rest: text.length - end - 4, length: length === undefined ? undefined : Number(length) };
  }
}

async function count(
  { clock }: HttpPorts,
  conn: Deno.Conn,
  already: number,
  length: number | undefined,
  over: AbortSignal,
): Promise<SpeedReport> {
  const buffer = new Uint8Array(256 * 1024), began = clock.monotonic();
  let bytes = already, whole = false, last = began;
  while (!over.aborted && bytes < MAX_BYTES) {
    if (length !== undefined && bytes >= length) {
      whole = true;
      break;
    }
    let read: number | null;
    try {
      read = await conn.read(buffer);
    } catch (error) {
      if (over.aborted) break; // the connection was closed under it: the time is over
      throw error;
    }
    if (read === null) {
      if (over.aborted) break; // or it ends so, where it is closed under a read
      if (length !== undefined) throw new Error("the answer was cut off");
      whole = true;
      break;
    }
    bytes += read;
    last = clock.monotonic();
  }
  if (!whole) last = clock.monotonic();
  const seconds = Math.max(0.001, (last - began) / 1000);
  return { bytes, seconds, rate: Math.round(8 * bytes / seconds), whole };
}

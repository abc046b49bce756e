/**
 * Reading one HTTP/1.1 response off a connection that the server closes after it, within bounds (RFC 9112).
 *
 * @module
 */
import type { JsonObject } from "../../sandbox/mod.ts";

const MAX_HEAD = 32 * 1024;
const MAX_BODY = 512 * 1024;

/** The bytes of a connection, taken piece by piece. */
class Source {
  #left: Uint8Array = new Uint8Array(0);

  constructor(private readonly conn: { read(into: Uint8Array): Promise<number | null> }) {}

  /** The next line without its end. Throws RangeError past `limit` bytes. */
  async line(limit: number): Promise<string> {
    for (let from = 0;;) {
      const end = this.#left.indexOf(0x0a, from);
      if (end > limit || (end < 0 && this.#left.length > limit)) {
        throw new RangeError("http: the head is too long");
      }
      if (end >= 0) {
        const line = new TextDecoder("latin1").decode(this.#left.subarray(0, end));
        this.#left = this.#left.subarray(end + 1);
        return line.replace(/\r$/, "");
      }
      from = this.#left.length;
      if (!await this.#more()) throw new Error("http: the answer was cut off");
    }
  }

  /** The next `count` bytes, or all that come until the end. */
  async bytes(count: number | undefined): Promise<Uint8Array> {
    while (count === undefined || this.#left.length < count) {
      if (this.#left.length > MAX_BODY) throw tooLong();
      if (await this.#more()) continue;
      if (count !== undefined) throw new Error("http: the answer was cut off");
      break;
    }
    const bytes = this.#left.subarray(0, count);
    this.#left = this.#left.subarray(bytes.length);
    return bytes;
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(16 * 1024), read = await this.conn.read(buffer);
    if (read === null) return false;
    const joined = new Uint8Array(this.#left.length + read);
    joined.set(this.#left);
    joined.set(buffer.subarray(0, read), this.#left.length);
    this.#left = joined;
    return true;
  }
}

/** Reads it: `{ status, headers, body }`, header names in lower case, the body as UTF-8 text. Throws Error. */
export async function readResponse(
  conn: { read(into: Uint8Array): Promise<number | null> },
  method: string,
): Promise<JsonObject> {
  const source = new Source(conn);
  for (let interim = 0; interim < 8; interim++) {
    const status = Number(/^HTTP\/1\.[01] ([1-9]\d\d)(?: |$)/.exec(await source.line(MAX_HEAD))?.[1] ?? NaN);
    if (Number.isNaN(status)) throw new Error("http: the answer is not HTTP");
    const headers = await readHeaders(source);
    if (status < 200) continue;
    const bodiless = method === "HEAD" || status === 204 || status === 304;
    const body = bodiless ? new Uint8Array(0) : await readBody(source, headers);
    return { status, headers: Object.fromEntries(headers), body: new TextDecoder().decode(body) };
  }
  throw new Error("http: no end of interim answers");
}

async function readHeaders(source: Source): Promise<Map<string, string>> {
  const headers = new Map<string, string>();
  for (let left = MAX_HEAD;;) {
    const line = await source.line(left);
    if (line === "") return headers;
    left -= line.length + 2;
    const colon = line.indexOf(":"), name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw new Error("http: a header is malformed");
    if (name === "__proto__") continue;
    const value = line.slice(colon + 1).trim(), before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
}

async function readBody(source: Source, headers: ReadonlyMap<string, string>): Promise<Uint8Array> {
  const coding = headers.get("transfer-encoding")?.toLowerCase(), length = headers.get("content-length");
  if (coding === undefined) {
    if (length === undefined) return await source.bytes(undefined);
    if (!/^\d{1,15}$/.test(length)) throw new Error("http: Content-Length is malformed");
    if (Number(length) > MAX_BODY) throw tooLong();
    return await source.bytes(Number(length));
  }
  if (coding !== "chunked") throw new Error(`http: Transfer-Encoding "${coding.slice(0, 40)}"`);
  const chunks: Uint8Array[] = [];
  for (let total = 0;;) {
    const size = /^([0-9a-f]{1,8})(?:[ \t]*;.*)?$/i.exec(await source.line(1024))?.[1];
    if (size === undefined) throw new Error("http: a chunk is malformed");
    const count = parseInt(size, 16);
    if (count === 0) {
      const body = new Uint8Array(total);
      let at = 0;
      for (const chunk of chunks) {
        body.set(chunk, at);
        at += chunk.length;
      }
      return body;
    }
    if ((total += count) > MAX_BODY) throw tooLong();
    chunks.push(await source.bytes(count));
    if (await source.line(2) !== "") throw new Error("http: a chunk is malformed");
  }
}

function tooLong(): RangeError {
  return new RangeError(`http: the answer has more than ${MAX_BODY} bytes`);
}

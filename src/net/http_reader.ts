/**
 * Reading one HTTP/1.1 response off a connection, within bounds (RFC 9112): for where no client of the runtime's lets
 * the address be chosen.
 *
 * @module
 */

/** Longest head, interim answers each for themselves, and how many of these there may be. */
const MAX_HEAD = 32 * 1024, MAX_INTERIM = 8;
const PIECE = 16 * 1024;

/** The status and the headers of a response; names in lower case. */
export interface HttpHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** A response, first its head, then its body. All of it throws Error, RangeError where something is too long. */
export class HttpReader {
  #left: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(private readonly conn: { read(into: Uint8Array): Promise<number | null> }) {}

  /** The head. Interim answers are passed over. */
  async head(): Promise<HttpHead> {
    for (let interim = 0; interim < MAX_INTERIM; interim++) {
      const status = Number(/^HTTP\/1\.[01] ([1-9]\d\d)(?: |$)/.exec(await this.#line(MAX_HEAD))?.[1] ?? NaN);
      if (Number.isNaN(status)) throw new Error("http: the answer is not HTTP");
      const headers = await this.#headers();
      if (status >= 200) return { status, headers };
    }
    throw new Error("http: no end of interim answers");
  }

  /** The body of the answer to a `method`, as it comes. */
  async *body(method: string, { status, headers }: HttpHead): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (!hasBody(method, status)) return;
    const coding = headers.get("transfer-encoding")?.toLowerCase(), length = headers.get("content-length");
    if (coding === undefined) {
      if (length !== undefined && !/^\d{1,15}$/.test(length)) {
        throw new Error("http: Content-Length is malformed");
      }
      return yield* this.#bytes(length === undefined ? undefined : Number(length));
    }
    if (coding !== "chunked") throw new Error(`http: Transfer-Encoding "${coding.slice(0, 40)}"`);
    for (;;) {
      const size = /^([0-9a-f]{1,8})(?:[ \t]*;.*)?$/i.exec(await this.#line(1024))?.[1];
      if (size === undefined) throw new Error("http: a chunk is malformed");
      const count = parseInt(size, 16);
      if (count === 0) return;
      yield* this.#bytes(count);
      if (await this.#line(2) !== "") throw new Error("http: a chunk is malformed");
    }
  }

  /** The next line without its end. */
  async #line(limit: number): Promise<string> {
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

  async #headers(): Promise<Map<string, string>> {
    const headers = new Map<string, string>();
    for (let left = MAX_HEAD;;) {
      const line = await this.#line(left);
      if (line === "") return headers;
      left -= line.length + 2;
      const colon = line.indexOf(":"), name = line.slice(0, colon).toLowerCase();
      if (colon < 1 || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
        throw new Error("http: a header is malformed");
      }
      if (name === "__proto__") continue;
      const value = line.slice(colon + 1).trim(), before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
  }

  /** The next `count` bytes as they come, or all until the end. */
  async *#bytes(count = Infinity): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    while (count > 0) {
      if (this.#left.length === 0 && !await this.#more()) {
        if (count !== Infinity) throw new Error("http: the answer was cut off");
        return;
      }
      const piece = this.#left.slice(0, Math.min(count, this.#left.length));
      this.#left = this.#left.subarray(piece.length);
      count -= piece.length;
      yield piece;
    }
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(PIECE), read = await this.conn.read(buffer);
    if (read === null) return false;
    if (this.#left.length === 0) this.#left = buffer.subarray(0, read);
    else {
      const joined = new Uint8Array(this.#left.length + read);
      joined.set(this.#left);
      joined.set(buffer.subarray(0, read), this.#left.length);
      this.#left = joined;
    }
    return true;
  }
}

/** Whether the answer to a `method` with that status has a body (RFC 9112 §6.3, RFC 9110 §15.3.6). */
export function hasBody(method: string, status: number): boolean {
  return method !== "HEAD" && ![204, 205, 304].includes(status);
}

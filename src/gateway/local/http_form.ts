/**
 * The other form of Post1 that some gateways take: `POST /gatewayManage.cmd` with the form field `jsonCfg`. As little of
 * HTTP/1.1 as that needs, and bounds on all of it.
 *
 * A browser of the LAN may be made to send such a request by any page that it shows. So what looks like that is refused:
 * another origin than this host, a request for another site, a host name instead of an address (DNS rebinding).
 *
 * @module
 */
import { parseHostPort } from "../../base/mod.ts";
import { type FrameDecoder, type Framing, isIpAddress } from "../../net/mod.ts";

/** Where the request must go to. */
const LOCAL_HTTP_PATH = "/gatewayManage.cmd";

/** Bounds. */
export interface HttpFormLimits {
  /** Request line and headers together. */
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  readonly maxBodyBytes: number;
}

/** 4 KiB, 40 headers, 96 KiB: 64 KiB of JSON, with some of it percent-encoded. */
export const DEFAULT_HTTP_FORM_LIMITS: HttpFormLimits = {
  maxHeadBytes: 4096,
  maxHeaders: 40,
  maxBodyBytes: 96 * 1024,
};

/** A request that was read: the JSON of `jsonCfg`, or the status that it is refused with. */
export type HttpFormRequest =
  | { readonly ok: true; readonly json: Uint8Array }
  | { readonly ok: false; readonly status: number; readonly reason: string };

const TEXTS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  431: "Request Header Fields Too Large",
};

/** The bytes of a response, after which the connection is closed. */
export function httpResponse(status: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(
    `HTTP/1.1 ${status} ${TEXTS[status] ?? ""}\r\n` +
      "Content-Type: application/json; charset=utf-8\r\n" +
      `Content-Length: ${body.length}\r\n` +
      (status === 405 ? "Allow: POST\r\n" : "") +
      "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
  );
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** A framing whose one frame a connection is a whole request; {@linkcode HttpFormFraming.request} tells what it says. */
export class HttpFormFraming implements Framing {
  readonly #requests = new WeakMap<Uint8Array, HttpFormRequest>();

  constructor(private readonly limits: HttpFormLimits = DEFAULT_HTTP_FORM_LIMITS) {}

  decoder(): FrameDecoder {
    return new HttpFormDecoder(this.limits, (frame, request) => this.#requests.set(frame, request));
  }

  /** Responses are made by {@linkcode httpResponse}. */
  encode(payload: Uint8Array): Uint8Array {
    return payload;
  }

  /** What a frame of this framing says. */
  request(frame: Uint8Array): HttpFormRequest {
    return this.#requests.get(frame) ?? refuse(400, "no request");
  }
}

class HttpFormDecoder implements FrameDecoder {
  #buffer = new Uint8Array(0);
  #size = 0;
  #bodyAt = -1;
  #length = 0;
  #done = false;

  constructor(
    private readonly limits: HttpFormLimits,
    private readonly found: (frame: Uint8Array, request: HttpFormRequest) => void,
  ) {}

  get pending(): number {
    return this.#done ? 0 : this.#size;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#done) return []; // one request a connection
    const searched = Math.max(0, this.#size - 3), held = this.#hold(chunk);
    if (this.#bodyAt < 0) {
      const { maxHeadBytes } = this.limits, end = endOfHead(held, searched);
      if (end < 0 ? held.length > maxHeadBytes : end > maxHeadBytes) {
        return this.#end(refuse(431, `headers over ${maxHeadBytes} bytes`));
      }
      if (end < 0) return [];
      const length = readHead(held.subarray(0, end), this.limits);
      if (typeof length !== "number") return this.#end(length);
      this.#bodyAt = end + 4;
      this.#length = length;
    }
    const body = held.subarray(this.#bodyAt, this.#bodyAt + this.#length);
    return body.length < this.#length ? [] : this.#end(readForm(body));
  }

  /** Everything so far; room grows by doubling, so that single bytes cost no more than many at once. */
  #hold(chunk: Uint8Array): Uint8Array {
    const size = this.#size + chunk.length;
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(0, this.#size));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#size);
    this.#size = size;
    return this.#buffer.subarray(0, size);
  }

  #end(request: HttpFormRequest): Uint8Array[] {
    this.#done = true;
    this.#buffer = new Uint8Array(0);
    const frame = request.ok ? request.json : new Uint8Array(0);
    this.found(frame, request);
    return [frame];
  }
}

function refuse(status: number, reason: string): Extract<HttpFormRequest, { ok: false }> {
  return { ok: false, status, reason };
}

function endOfHead(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(13, from); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  }
  return -1;
}

/** The body's length, or why the request is refused. */
function readHead(
  bytes: Uint8Array,
  limits: HttpFormLimits,
): number | Extract<HttpFormRequest, { ok: false }> {
  if (bytes.some((byte) => byte > 126 || (byte < 32 && byte !== 13 && byte !== 10 && byte !== 9))) {
    return refuse(400, "a header is not plain text");
  }
  const lines = new TextDecoder().decode(bytes).split("\r\n");
  if (lines.some((line) => /[\r\n]/.test(line))) return refuse(400, "a line ends in a strange way");
  const [, method, target, minor] = /^([A-Z]{1,16}) (\/\S*) HTTP\/1\.([01])$/.exec(lines.shift()!) ?? [];
  if (method === undefined || target === undefined) return refuse(400, "not an HTTP/1.1 request");
  if (lines.length > limits.maxHeaders) return refuse(431, `over ${limits.maxHeaders} headers`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]{1,64}):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return refuse(400, "a header that is none");
    const key = name.toLowerCase();
    if (ONCE.has(key) && headers.has(key)) return refuse(400, `${key} twice`);
    headers.set(key, value);
  }
  const host = headers.get("host");
  if (host === undefined && minor === "1") return refuse(400, "no Host");
  const foreign = foreignTo(host, headers);
  if (foreign) return refuse(403, foreign);
  if (target.split("?", 1)[0] !== LOCAL_HTTP_PATH) return refuse(404, "another path");
  if (method !== "POST") return refuse(405, "another method");
  if (headers.has("transfer-encoding")) return refuse(411, "Transfer-Encoding");
  const type = headers.get("content-type");
  if (type !== undefined && !/^application\/x-www-form-urlencoded(;|$)/i.test(type)) {
    return refuse(415, "another Content-Type");
  }
  const length = headers.get("content-length");
  if (length === undefined) return refuse(411, "no Content-Length");
  if (!/^\d{1,15}$/.test(length)) return refuse(400, "a Content-Length that is none");
  return Number(length) > limits.maxBodyBytes
    ? refuse(413, `a body over ${limits.maxBodyBytes} bytes`)
    : Number(length);
}

const ONCE: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "content-type",
  "origin",
]);

/** Why a request seems to come from a page of another site; undefined where it does not. */
function foreignTo(host: string | undefined, headers: ReadonlyMap<string, string>): string | undefined {
  if (host !== undefined) {
    const name = parseHostPort(host)?.host ?? host.replace(/^\[(.*)\]$/, "$1");
    if (!isIpAddress(name)) return "Host is a name";
  }
  const origin = headers.get("origin");
  if (origin !== undefined && origin !== `http://${host}`) return "another Origin";
  const site = headers.get("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") return "a request of another site";
  return undefined;
}

/** The field `jsonCfg`, percent-encoded as forms are, or (as some apps send it) the bare JSON. */
function readForm(body: Uint8Array): HttpFormRequest {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return refuse(400, "the form is not UTF-8");
  }
  const at = /(?:^|&)jsonCfg=/.exec(text);
  if (!at) return refuse(400, "no jsonCfg");
  const rest = text.slice(at.index + at[0].length);
  if (/^\s*\{/.test(rest)) return { ok: true, json: new TextEncoder().encode(rest.trim()) };
  try {
    const value = decodeURIComponent(rest.split("&", 1)[0]!.replaceAll("+", " "));
    return { ok: true, json: new TextEncoder().encode(value) };
  } catch {
    return refuse(400, "jsonCfg is not percent-encoded UTF-8");
  }
}

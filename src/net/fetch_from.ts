/**
 * HTTP to an address that was judged before, whatever a name server says by then.
 *
 * The runtime's own `fetch` asks the name server itself. Its "proxy" of the kind `tcp` goes where it is told, but
 * speaks plain HTTP there even for an `https` URL. So one request is made by hand: HTTP/1.1, one a connection.
 *
 * @module
 */
import { hasBody, HttpReader } from "./http_reader.ts";

/** What is asked. */
export interface Outgoing {
  /** Default `GET`. */
  readonly method?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly body?: string | undefined;
  /** Breaks it off, the body's reading included. */
  readonly signal?: AbortSignal | null | undefined;
  /** Authorities that are trusted besides the runtime's, in PEM. */
  readonly caCerts?: readonly string[] | undefined;
}

/**
 * Asks `address` for `url` (the URL's host is named there and, over TLS, has to prove itself), hands the response on,
 * and lets go of the connection once `use` is through. Redirections are answers like others. Proxies of the
 * environment are not asked. Throws the signal's reason, what the runtime throws, or Error where the answer is none.
 */
export async function fetchFrom<T>(
  address: string,
  url: string,
  { method = "GET", headers, body = "", signal, caCerts = [] }: Outgoing,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  const target = new URL(url), secure = target.protocol === "https:";
  if (!secure && target.protocol !== "http:") throw new TypeError(`not http or https: "${target.protocol}"`);
  const request = requestOf(target, method, new Headers(headers), new TextEncoder().encode(body));
  const port = target.port !== "" ? Number(target.port) : secure ? 443 : 80;
  let conn: Deno.Conn = await connect(address, port, signal);
  const close = () => {
    try {
      conn.close();
    } catch {
      // closed already
    }
  };
  signal?.addEventListener("abort", close, { once: true });
  try {
    if (secure) {
      const hostname = target.hostname.replace(/^\[|\]$/g, "");
      conn = await Deno.startTls(conn as Deno.TcpConn, { hostname, caCerts: [...caCerts] });
      signal?.throwIfAborted();
    }
    for (let at = 0; at < request.length;) at += await conn.write(request.subarray(at));
    const reader = new HttpReader(conn), head = await reader.head();
    const stream = hasBody(method, head.status) ? ReadableStream.from(reader.body(method, head)) : null;
    return await use(new Response(stream, { status: head.status, headers: [...head.headers] }));
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", close);
    close();
  }
}

/** A connection; where the signal aborts first, one that is made after all is closed. */
async function connect(address: string, port: number, signal?: AbortSignal | null): Promise<Deno.Conn> {
  signal?.throwIfAborted();
  const connecting = Deno.connect({ hostname: address, port });
  if (!signal) return await connecting;
  const aborted = Promise.withResolvers<never>(), abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([connecting, aborted.promise]);
  } catch (error) {
    connecting.then((conn) => conn.close(), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The request's bytes. Headers hold no line ends: `Headers` sees to that. */
function requestOf(url: URL, method: string, headers: Headers, body: Uint8Array): Uint8Array {
  if (!/^[A-Z]{1,16}$/.test(method)) throw new TypeError(`not a method: "${method}"`);
  headers.set("host", url.host);
  headers.set("connection", "close");
  if (body.length > 0 || method === "POST") headers.set("content-length", String(body.length));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = new TextEncoder().encode(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`);
  const request = new Uint8Array(head.length + body.length);
  request.set(head);
  request.set(body, head.length);
  return request;
}

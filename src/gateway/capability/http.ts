/**
 * HTTP for plug-ins: to the hosts that their manifests declare, and only where these are on the internet.
 *
 * What would be a way into the home or into the gateway itself is closed (server-side request forgery): the name is
 * looked up here, every address of it must be public and not our own, and the connection goes to the very address
 * that was checked, so that a name server can't change its mind in between. Redirections are not followed. One
 * request a connection, HTTP/1.1; no other client lets the address be chosen.
 *
 * @module
 */
import { type Clock, messageOf } from "../../base/mod.ts";
import type { Json, JsonObject } from "../../sandbox/mod.ts";
import { readResponse } from "./http_response.ts";

/** What requests are made with. */
export interface HttpPorts {
  readonly clock: Clock;
  lookup(name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<string[]>;
  /** Whether a plug-in may speak to this address. */
  mayReach(address: string): boolean;
  connect(address: string, port: number, signal: AbortSignal): Promise<Deno.Conn>;
  startTls(conn: Deno.Conn, hostname: string): Promise<Deno.Conn>;
}

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** Headers that say how the message travels are ours. */
const OURS =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|accept-encoding|proxy-.*)$/;
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
const MAX_HEADERS = 32, MAX_VALUE = 4096, MAX_URL = 4096, MAX_BODY = 256 * 1024;
const REQUEST_MS = 30_000;
/** Requests at one time, of all plug-ins; how many of them one may have is its share (`shares.ts`). */
const MAX_RUNNING = 8;

let running = 0;

/** Makes the request `[url, { method, headers, body }]` and answers `{ status, headers, body }`. Throws Error. */
export async function plainHttp(
  ports: HttpPorts,
  hosts: readonly string[],
  [target, given]: Json[],
  signal: AbortSignal,
): Promise<JsonObject> {
  const url = urlOf(target, hosts);
  const { method, head, body } = requestOf(url, given);
  if (running >= MAX_RUNNING) throw new Error("http: too many requests at one time");
  running++;
  const stop = new AbortController(), all = AbortSignal.any([signal, stop.signal]);
  const timer = ports.clock.setTimer(
    () => stop.abort(new Error(`http: no answer within ${REQUEST_MS} ms`)),
    REQUEST_MS,
  );
  try {
    return await withConnection(ports, url, all, async (conn) => {
      for (const bytes of [head, body]) {
        for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      }
      return await readResponse(conn, method);
    });
  } catch (error) {
    if (stop.signal.aborted) throw stop.signal.reason;
    throw error;
  } finally {
    timer.cancel();
    running--;
  }
}

/** Connects to the URL's host, where that is on the internet, and closes the connection in the end. Throws Error. */
export async function withConnection<T>(
  ports: HttpPorts,
  url: URL,
  signal: AbortSignal,
  use: (conn: Deno.Conn) => Promise<T>,
): Promise<T> {
  let conn: Deno.Conn | undefined;
  const close = () => closed(conn);
  signal.addEventListener("abort", close, { once: true });
  try {
    const address = await unlessAborted(addressOf(ports, url.hostname, signal), signal);
    conn = await opened(ports.connect(address, portOf(url), signal), signal);
    if (url.protocol === "https:") conn = await opened(ports.startTls(conn, url.hostname), signal);
    return await use(conn);
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** A connection that is being opened; where the signal comes first, it is closed as soon as it is there. */
async function opened(opening: Promise<Deno.Conn>, signal: AbortSignal): Promise<Deno.Conn> {
  try {
    return await unlessAborted(opening, signal);
  } catch (error) {
    opening.then(closed, () => {});
    throw error;
  }
}

/** What `work` comes to, or the signal's reason where that comes first, whether or not `work` heeds the signal. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>(), onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function closed(conn: Deno.Conn | undefined): void {
  try {
    conn?.close();
  } catch {
    // closed already
  }
}

function urlOf(target: Json | undefined, hosts: readonly string[]): URL {
  if (typeof target !== "string" || target.length > MAX_URL || !URL.canParse(target)) {
    throw new Error("http: no URL");
  }
  const url = new URL(target);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error("http: only http and https");
  if (url.username !== "" || url.password !== "") throw new Error("http: no user names in URLs");
  if (!hosts.some((host) => matches(url, host))) {
    throw new Error(`http: "${url.host}" is not among the hosts in the manifest`);
  }
  return url;
}

/** Whether a host of the manifest means this URL's: without a port, the protocol's own port only. */
function matches(url: URL, host: string): boolean {
  const [name, port] = host.split(":") as [string, string | undefined];
  if ((port ?? "") !== "" ? Number(port) !== portOf(url) : url.port !== "") return false;
  return name.startsWith("*.") ? url.hostname.endsWith(name.slice(1)) : url.hostname === name;
}

function portOf(url: URL): number {
  return url.port !== "" ? Number(url.port) : url.protocol === "https:" ? 443 : 80;
}

/** An address of the host. One that may not be reached among several taints them all. */
async function addressOf(ports: HttpPorts, hostname: string, signal: AbortSignal): Promise<string> {
  const found = await Promise.allSettled([
    ports.lookup(hostname, "A", signal),
    ports.lookup(hostname, "AAAA", signal),
  ]);
  signal.throwIfAborted();
  const addresses = found.flatMap((each) => each.status === "fulfilled" ? each.value : []);
  if (addresses.length === 0) {
    const failed = found.find((each) => each.status === "rejected");
    throw new Error(failed ? `http: ${messageOf(failed.reason)}` : `http: "${hostname}" has no address`);
  }
  const closed = addresses.find((address) => !ports.mayReach(address));
  if (closed !== undefined) throw new Error(`http: "${hostname}" is not on the internet`);
  return addresses[0]!;
}

function requestOf(
  url: URL,
  given: Json | undefined,
): { method: string; head: Uint8Array; body: Uint8Array } {
  const options = typeof given === "object" && given !== null && !Array.isArray(given) ? given : {};
  const method = options["method"] ?? "GET", text = options["body"] ?? "", headers = options["headers"] ?? {};
  if (typeof method !== "string" || !METHODS.includes(method)) {
    throw new Error(`http: method: one of ${METHODS.join(", ")}`);
  }
  if (typeof text !== "string") throw new Error("http: body: not a string");
  const body = new TextEncoder().encode(text);
  if (body.length > MAX_BODY) throw new Error(`http: body: more than ${MAX_BODY} bytes`);
  if (typeof headers !== "object" || Array.isArray(headers)) throw new Error("http: headers: not an object");
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) throw new Error(`http: more than ${MAX_HEADERS} headers`);
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`, "connection: close"];
  for (const [name, value] of entries) {
    if (!TOKEN.test(name) || OURS.test(name.toLowerCase())) {
      throw new Error(`http: header "${name.slice(0, 64)}"`);
    }
    // Printable ASCII: what could end a line would begin another header, or another request.
    if (typeof value !== "string" || value.length > MAX_VALUE || !/^[\x20-\x7e\t]*$/.test(value)) {
      throw new Error(`http: value of header "${name}"`);
    }
    lines.push(`${name}: ${value}`);
  }
  if (body.length > 0 || method === "POST" || method === "PUT" || method === "PATCH") {
    lines.push(`content-length: ${body.length}`);
  }
  return { method, head: new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"), body };
}

/**
 * One HTTP/1.1 response as plug-ins get it: whole, within bounds, its body as text.
 *
 * @module
 */
import { HttpReader } from "../../net/mod.ts";
import type { JsonObject } from "../../sandbox/mod.ts";

const MAX_BODY = 512 * 1024;

/** Reads it: `{ status, headers, body }`, header names in lower case, the body as UTF-8 text. Throws Error. */
export async function readResponse(
  conn: { read(into: Uint8Array): Promise<number | null> },
  method: string,
): Promise<JsonObject> {
  const reader = new HttpReader(conn), head = await reader.head();
  if (method !== "HEAD" && Number(head.headers.get("content-length")) > MAX_BODY) throw tooLong();
  const body = new Uint8Array(MAX_BODY);
  let length = 0;
  for await (const piece of reader.body(method, head)) {
    if (length + piece.length > MAX_BODY) throw tooLong();
    body.set(piece, length);
    length += piece.length;
  }
  const text = new TextDecoder().decode(body.subarray(0, length));
  return { status: head.status, headers: Object.fromEntries(head.headers), body: text };
}

function tooLong(): RangeError {
  return new RangeError(`http: the answer has more than ${MAX_BODY} bytes`);
}

/**
 * A phone app: talks to gateways on the LAN (TCP 17998) and to the platform's app API.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** Sends one Post1 to a gateway's local port; the inner reply. The gateway closes after it. */
export async function postLocally(port: number, parameter: Json): Promise<Json> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const body = new TextEncoder().encode(JSON.stringify({
    RPCMethod: "Post1",
    ID: Math.floor(Math.random() * 1e8),
    Plugin_Name: "",
    Version: "1.0",
    Parameter: encodeBase64(JSON.stringify({ SequenceId: "0000CAFE", ...parameter })),
  }));
  const frame = new Uint8Array(4 + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, 4);
  for (let at = 0; at < frame.length;) at += await conn.write(frame.subarray(at));
  const answer = new Uint8Array(await new Response(conn.readable).arrayBuffer());
  const outer = JSON.parse(new TextDecoder().decode(answer.subarray(4)));
  if (outer.Result !== 0) throw new Error(`the gateway answered ${JSON.stringify(outer)}`);
  return JSON.parse(new TextDecoder().decode(decodeBase64(outer.return_Parameter)));
}

/** A caller of an HTTP API with a bearer token. Throws with the problem where the status is an error. */
export class Client {
  constructor(readonly url: string, private token?: string) {}

  /** From now on calls with this token. */
  signedIn(token: string): void {
    this.token = token;
  }

  async call<T = Json>(method: string, path: string, body?: Json | Json[] | Uint8Array): Promise<T> {
    const raw = body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body ? { "content-type": raw ? "text/javascript" : "application/json" } : {}),
      },
      ...(body ? { body: raw ? body as BodyInit : JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? {} : JSON.parse(text)) as T;
  }
}

/**
 * A balancer before the nodes, as small as it may be: each request goes to the next node, and on to another one where
 * nobody listens or a node says that it has taken nothing. A node that said so is left out for a while.
 *
 * @module
 */
import { NOT_TAKEN } from "./cluster_load.ts";
import type { Nodes } from "./nodes.ts";

/** It listens. Dispose of it to stop it. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** Requests that went on to another node. */
  readonly passedOn: number;
}

/** How long a node is left out that said that it stops: until it has closed its port. */
const LEFT_OUT_MS = 3000;

/** Starts one on a port of its own. */
export function startBalancer(nodes: Nodes): Balancer {
  // A connection for each request: of one that is used again nobody can tell whether what was sent on it was taken.
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const outUntil = new Map<string, number>();
  let turn = 0, passedOn = 0;
  const pass = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url), body = await request.arrayBuffer(), first = turn++;
    for (let i = 0;; i++) {
      const node = nodes.node((first + i) % nodes.all.length), last = i === nodes.all.length - 1;
      if (!last && (outUntil.get(node.url) ?? 0) > performance.now()) continue;
      try {
        const response = await fetch(node.url + pathname + search, {
          client,
          method: request.method,
          headers: request.headers,
          ...(body.byteLength > 0 ? { body } : {}),
        });
        const text = await response.text();
        const taken = response.status !== 503 || !NOT_TAKEN.includes(JSON.parse(text).code);
        if (taken || last) return new Response(text || null, response);
        outUntil.set(node.url, performance.now() + LEFT_OUT_MS);
      } catch (error) {
        const { message, cause } = error as Error;
        if (last || !/refused/i.test(`${message} ${cause}`)) {
          return Response.json({ code: "bad_gateway", message: `${node.name}: ${message} ${cause}` }, {
            status: 502,
          });
        }
      }
      passedOn++;
    }
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, pass);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    get passedOn() {
      return passedOn;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      client.close();
    },
  };
}

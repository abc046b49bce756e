/**
 * Receivers of webhooks, and what the documents say they should do.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type TestPlatform } from "./platform.ts";

type Json = Record<string, unknown>;

/** Lets webhooks lead to this machine. */
export const ALLOWED = { webhooks: { allow: ["127.0.0.1"] } };

/** One request as it came. */
export interface Received {
  readonly headers: Headers;
  readonly body: string;
  readonly id: string;
  readonly type: string;
  readonly data: Json;
}

/** A receiver. `answer` may be changed while it runs. */
export class Receiver implements AsyncDisposable {
  readonly got: Received[] = [];
  answer: (received: Received) => Response | Promise<Response> = () => new Response(null, { status: 204 });
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
      const body = await request.text(), { headers } = request, { type, data } = JSON.parse(body);
      const received = { headers, body, id: headers.get("webhook-id")!, type, data };
      this.got.push(received);
      return await this.answer(received);
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/in`;
  }

  types(): string[] {
    return this.got.map(({ type }) => type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Makes something over the API; what it answered. */
export async function made(p: Pick<TestPlatform, "call">, path: string, body?: unknown): Promise<Json> {
  const { status, body: answer } = await p.call("POST", path, body);
  assert(status < 300, `POST ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

/** The example of the documents, as a reader would take it over. */
export async function exampleOfTheDocuments() {
  const text = await Deno.readTextFile(new URL("../../docs/webhooks.md", import.meta.url));
  const [, code] = /```ts\n([\s\S]+?)```/.exec(text)!;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, code!);
  const { isGenuine } = await import(`file://${path}`);
  await Deno.remove(path);
  return isGenuine as (secret: string, headers: Headers, body: string) => boolean;
}

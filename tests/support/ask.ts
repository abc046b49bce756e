/**
 * Asking an API as a program does.
 *
 * @module
 */

/** The administrator's token of test platforms. */
export const ADMIN_TOKEN = "administrator-of-the-tests";

/** What an API answered; `body` is `{}` where there was none, and `{ text }` where it was no JSON. */
export interface Answer {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- what an answer holds is what each test checks
  readonly body: any;
  readonly headers: Headers;
}

/** Asks with a bearer token, the administrator's unless another or none is given. A body of bytes goes as it is. */
export async function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  token: string | null = ADMIN_TOKEN,
  more: { client?: Deno.HttpClient; signal?: AbortSignal } = {},
): Promise<Answer> {
  const json = body !== undefined && !(body instanceof Uint8Array);
  const response = await fetch(url + path, {
    ...more,
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json ? { "content-type": "application/json" } : {}),
    },
    ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : body as BodyInit }),
  });
  const text = await response.text(), { status, headers } = response;
  const decoded = headers.get("content-type")?.includes("json") ? JSON.parse(text) : { text };
  return { status, body: text === "" ? {} : decoded, headers };
}

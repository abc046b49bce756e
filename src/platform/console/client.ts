/**
 * The console as a client of the platform's API, in the same process: it can do what its user could do with their
 * own token, and nothing else.
 *
 * @module
 */
import type { Api } from "../../control/mod.ts";

/** What the API answered where it did not do it. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly requestId: string,
    /** What is wrong with the fields, one by one, where the API said so. */
    readonly faults: readonly Fault[] = [],
  ) {
    super(detail);
  }
}

/** One thing that is wrong with a request. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** A user's way to the API. */
export class ApiClient {
  constructor(
    private readonly api: Pick<Api, "fetch">,
    private readonly token: string,
    private readonly address: string,
  ) {}

  /** Asks for JSON. `T` is what the route's schema says. @throws {ApiProblem} */
  get<T>(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<T> {
    const given = Object.entries(query).filter((pair): pair is [string, string] => !!pair[1]);
    const search = new URLSearchParams(given).toString();
    return this.#call("GET", search === "" ? path : `${path}?${search}`);
  }

  /** Changes something. @throws {ApiProblem} */
  send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
    return this.#call(method, path, body);
  }

  /** The answer as it is, for files. @throws {ApiProblem} */
  async raw(
    path: string,
    { accept = [], ...init }: {
      method?: string;
      headers?: Record<string, string>;
      body?: BodyInit;
      /** Statuses besides those of success that are an answer. */
      accept?: readonly number[];
    } = {},
  ): Promise<Response> {
    const response = await this.api.fetch(
      new Request(new URL(path, "http://console.internal"), {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${this.token}` },
      }),
      { address: this.address },
    );
    if (response.ok || accept.includes(response.status)) return response;
    const text = await response.text();
    const problem = response.headers.get("content-type")?.startsWith("application/problem+json")
      ? JSON.parse(text) as { code: string; detail: string; requestId: string; faults?: Fault[] }
      : { code: "unexpected", detail: text.slice(0, 200), requestId: "", faults: [] };
    throw new ApiProblem(response.status, problem.code, problem.detail, problem.requestId, problem.faults);
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.raw(path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}

/**
 * Floor 1: a typed client of the platform's HTTP API, for programs of others: it needs `fetch` and nothing else of
 * this program.
 *
 * @example
 * ```ts ignore
 * import { Client, Problem } from "./mod.ts";
 * const client = new Client({ url: "https://gate.example", token: "ghk_…" });
 * for await (const { mac, online } of client.all("GET /api/v1/gateways", { query: { vendor: "Example" } })) {
 *   if (!online) continue;
 *   const { body, etag } = await client.ask("GET /api/v1/gateways/{mac}", { params: { mac } });
 *   try {
 *     const ifMatch = etag!;
 *     await client.call("PATCH /api/v1/gateways/{mac}", { params: { mac }, ifMatch, body: { region: body.region } });
 *   } catch (error) {
 *     if (!(error instanceof Problem) || error.code !== "precondition_failed") throw error;
 *   }
 * }
 * ```
 *
 * @module
 */
export {
  type Answer,
  type CallOptions,
  Client,
  type ClientOptions,
  type Input,
  type Item,
  type ListName,
  type OperationName,
  type Reply,
} from "./client.ts";
export { ClientError, type ClientErrorCode, type Fault, Problem } from "./errors.ts";
export type { ServerEvent } from "./events.ts";
export type { Operations } from "./operations.ts";
export { RawBody } from "./raw_body.ts";

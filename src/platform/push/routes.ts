/**
 * Pushed messages over HTTP.
 *
 * @module
 */
import { decodeBase64 } from "@std/encoding";
import * as v from "valibot";
import {
  decodeCursor,
  macSchema,
  pageOf,
  pageQuery,
  pageSchema,
  problem,
  Routes,
} from "../../control/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import type { PushMessageRow } from "./schema.ts";
import type { PushStore } from "./store.ts";

const MessageView = v.object({
  id: v.string(),
  mac: v.string(),
  plugin: v.string(),
  /** When the gateway says that it was: `YYYYMMDDhhmmss`. */
  time: v.string(),
  receivedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** The content as it came. */
  base64: v.string(),
  /** The same as text, where it is UTF-8. */
  text: v.nullable(v.string()),
});

/** The routes of pushed messages. */
export function pushRoutes(deps: PlatformDeps, store: PushStore): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/messages",
    summary: "What a gateway has pushed, newest first",
    tags: ["messages"],
    auth: ["admin"],
    params: v.object({ mac: macSchema }),
    query: v.object({ plugin: v.optional(v.pipe(v.string(), v.maxLength(128))), ...pageQuery() }),
    responses: {
      200: { description: "A page of messages", schema: pageSchema(MessageView) },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, query: { plugin, cursor, limit } }) => {
    if (!await deps.gateways.find(mac)) {
      throw problem(404, "gateway_not_found", `no gateway with MAC ${mac} is preset`);
    }
    const before = cursor === undefined ? undefined : decodeCursor(cursor, v.string());
    const rows = await store.list(mac, limit + 1, before, plugin);
    return { status: 200, body: pageOf(rows, limit, (row) => row.id, view) };
  });
  return routes;
}

function view(row: PushMessageRow): v.InferInput<typeof MessageView> {
  return {
    id: row.id,
    mac: row.mac,
    plugin: row.plugin,
    time: row.time,
    receivedAt: new Date(row.received_at).toISOString(),
    base64: row.message,
    text: textOf(row.message),
  };
}

function textOf(base64: string): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(decodeBase64(base64));
  } catch {
    return null; // not base64, or not text
  }
}

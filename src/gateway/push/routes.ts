/**
 * The control API's part about message push.
 *
 * @module
 */
import * as v from "valibot";
import { formatHostPort } from "../../base/mod.ts";
import { Routes, timeSchema } from "../../control/mod.ts";
import type { MessagePush } from "./push.ts";

const Time = v.nullable(timeSchema);
const PushView = v.object({
  /** `waiting`: for a registration that names a message server; `pausing`: after a failure, until `nextTryAt`. */
  state: v.picklist(["idle", "waiting", "sending", "pausing"]),
  messageServer: v.nullable(v.string()),
  waiting: v.number(),
  bytes: v.number(),
  maxMessages: v.number(),
  maxBytes: v.number(),
  /** The message whose turn it is; `time` as it goes to the platform. */
  oldest: v.nullable(v.object({ plugin: v.string(), time: v.string() })),
  /** Failures in a row. */
  failures: v.number(),
  nextTryAt: Time,
  lastError: v.nullable(v.string()),
  lastErrorAt: Time,
  lastDeliveredAt: Time,
  /** Counts since the start. */
  taken: v.number(),
  delivered: v.number(),
  refused: v.number(),
  notTaken: v.number(),
});

/** The routes. */
export function pushStatusRoutes(push: Pick<MessagePush, "status">): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/push",
    summary: "What waits to be pushed to the platform, and how that goes",
    auth: ["admin"],
    responses: { 200: { description: "As it is now", schema: PushView } },
  }).handle(() => {
    const { messageServer, oldest, nextTryAt, lastError, lastErrorAt, lastDeliveredAt, ...rest } =
      push.status;
    return {
      status: 200,
      body: {
        ...rest,
        messageServer: messageServer ? formatHostPort(messageServer) : null,
        oldest: oldest ?? null,
        nextTryAt: iso(nextTryAt),
        lastError: lastError ?? null,
        lastErrorAt: iso(lastErrorAt),
        lastDeliveredAt: iso(lastDeliveredAt),
      },
    };
  });
  return routes;
}

function iso(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

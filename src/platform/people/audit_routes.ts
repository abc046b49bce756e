/**
 * `/api/v1/audit`: reading, checking and exporting the audit log.
 *
 * @module
 */
import * as v from "valibot";
import {
  decodeCursor,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import type { AuditLog } from "./audit.ts";
import type { AuditRow } from "./schema.ts";

const word = v.optional(v.pipe(v.string(), v.maxLength(500)));

const AuditView = v.object({
  seq: v.number(),
  at: timeSchema,
  actor: v.string(),
  actorName: v.string(),
  action: v.string(),
  target: v.string(),
  status: v.number(),
  address: v.string(),
  requestId: v.string(),
  before: v.unknown(),
  after: v.unknown(),
  hash: v.string(),
});

/** The routes of the audit log. */
export function auditRoutes(audit: AuditLog): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/audit",
    summary: "Who changed what, the newest first",
    tags: ["audit"],
    auth: ["audit:read"],
    unconfined: true,
    query: v.object({
      actor: word,
      action: word,
      target: word,
      from: v.optional(timeSchema),
      until: v.optional(timeSchema),
      ...pageQuery(),
    }),
    responses: { 200: { description: "A page of entries", schema: pageSchema(AuditView) } },
  }).handle(async ({ query: { cursor, limit, from, until, ...filter } }) => {
    const rows = await audit.list({
      ...filter,
      from: from === undefined ? undefined : Date.parse(from),
      until: until === undefined ? undefined : Date.parse(until),
      beforeSeq: decodeCursor(cursor, v.number()),
      limit: limit + 1,
    });
    return { status: 200, body: pageOf(rows, limit, (row) => Number(row.seq), auditView) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/audit/verify",
    summary: "Whether the audit log is whole",
    description:
      "Goes through the whole chain of hashes. Keep `head` elsewhere: it shows a log cut off at its end.",
    tags: ["audit"],
    auth: ["audit:read"],
    unconfined: true,
    responses: {
      200: {
        description: "What was found",
        schema: v.object({
          entries: v.number(),
          intact: v.boolean(),
          brokenAt: v.nullable(v.number()),
          head: v.string(),
        }),
      },
    },
  }).handle(async () => ({ status: 200, body: await audit.verify() }));

  routes.route({
    method: "GET",
    path: "/api/v1/audit/export",
    summary: "The whole audit log, one JSON object a line, the oldest first",
    tags: ["audit"],
    auth: ["audit:read"],
    unconfined: true,
    audited: true,
    responses: { 200: { description: "The log", mediaType: "application/x-ndjson" } },
  }).handle(() => {
    const lines = audit.all();
    const body = new ReadableStream<string>({
      async pull(controller) {
        const { done, value } = await lines.next();
        if (done) return controller.close();
        controller.enqueue(value.map((row) => JSON.stringify(auditView(row)) + "\n").join(""));
      },
      async cancel() {
        await lines.return(undefined);
      },
    });
    return {
      response: new Response(body.pipeThrough(new TextEncoderStream()), {
        headers: {
          "content-type": "application/x-ndjson",
          "content-disposition": 'attachment; filename="gatehouse-audit.ndjson"',
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
        },
      }),
    };
  });
  return routes;
}

function auditView(row: AuditRow): v.InferInput<typeof AuditView> {
  return {
    seq: Number(row.seq),
    at: isoTime(Number(row.at)),
    actor: row.actor,
    actorName: row.actor_name,
    action: row.action,
    target: row.target,
    status: row.status,
    address: row.address,
    requestId: row.request_id,
    before: row.before === null ? null : JSON.parse(row.before),
    after: row.after === null ? null : JSON.parse(row.after),
    hash: row.hash,
  };
}

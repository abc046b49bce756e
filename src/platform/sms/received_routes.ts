/**
 * Messages from phones over HTTP: where they stand for many, what they say for few.
 *
 * @module
 */
import * as v from "valibot";
import {
  decodeCursor,
  encodeCursor,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { MAY_READ, MAY_READ_CONTENT } from "./access.ts";
import { PhoneNumber, SpId } from "./fields.ts";
import { textOf } from "./message_text.ts";
import type { ReceivedFacts, ReceivedTexts } from "./received.ts";
import type { ReceivedRow } from "./schema.ts";
import { searchBody, searchPages, searchResponse } from "./search.ts";

const STATES = ["waiting", "delivered", "failed"] as const;
const FACTS = {
  id: v.number(),
  msgId: v.string(),
  spId: v.string(),
  serviceId: v.string(),
  source: v.string(),
  destination: v.string(),
  state: v.picklist(STATES),
  result: v.nullable(v.number()),
  receivedAt: timeSchema,
  doneAt: v.nullable(timeSchema),
} as const;
const ContentView = v.object({
  ...FACTS,
  msgFmt: v.number(),
  text: v.nullable(v.string()),
  content: v.string(),
});
const FILTERS = {
  spId: v.optional(SpId),
  state: v.optional(v.picklist(STATES)),
  source: v.optional(PhoneNumber),
} as const;
const Place = v.strictObject({ id: v.number() });

/** The routes. */
export function receivedRoutes({ received }: { readonly received: ReceivedTexts }): Routes {
  const routes = new Routes();
  const contentOf = (row: ReceivedRow): v.InferInput<typeof ContentView> => ({
    ...factsOf(row),
    ...textOf(received.deliverOf(row)),
  });
  routes.route({
    method: "GET",
    path: "/api/v1/sms/received",
    summary: "Messages from phones, the newest first, without what they say",
    description: "`result` is that of DELIVER_RESP, null where the provider never came for it.",
    tags: ["short messages"],
    auth: MAY_READ,
    query: v.object({ ...pageQuery(), ...FILTERS }),
    responses: { 200: { description: "A page", schema: pageSchema(v.object(FACTS)) } },
  }).handle(async ({ query: { cursor, limit, ...filter } }) => {
    const rows = await received.list(filter, limit + 1, decodeCursor(cursor, Place)?.id);
    return { status: 200, body: pageOf(rows, limit, ({ id }) => ({ id }), factsOf) };
  });
  routes.route({
    method: "GET",
    path: "/api/v1/sms/received/{id}",
    summary: "A message from a phone with what it says",
    description: "Each reading is in the audit log.",
    tags: ["short messages"],
    auth: MAY_READ_CONTENT,
    audited: true,
    params: v.object({ id: v.pipe(v.string(), v.regex(/^\d{1,15}$/, "Invalid id: Expected a number")) }),
    responses: {
      200: { description: "The message", schema: ContentView },
      404: { description: "No such message" },
    },
  }).handle(async ({ params: { id } }) => {
    const row = await received.find(Number(id));
    if (!row) throw problem(404, "message_not_found", `no message "${id}" from a phone`);
    return { status: 200, body: contentOf(row) };
  });
  routes.route({
    method: "POST",
    path: "/api/v1/sms/received/search",
    keyed: false, // contents are kept sealed
    summary: "Messages from phones that say something, the newest first",
    description:
      "As with messages to phones: 10,000 are opened at most, and each search is in the audit log, without " +
      "what was searched for.",
    tags: ["short messages"],
    auth: MAY_READ_CONTENT,
    audited: true,
    body: { json: v.strictObject({ ...searchBody, ...FILTERS }) },
    responses: { 200: searchResponse(ContentView) },
  }).handle(async ({ body: { text, cursor, limit, ...filter }, signal }) => ({
    status: 200,
    body: await searchPages({
      ...{ text, limit, signal },
      place: decodeCursor(cursor, Place),
      page: (size, place) => received.listWhole(filter, size, place?.id),
      placeOf: ({ id }) => ({ id }),
      view: contentOf,
      cursorOf: encodeCursor,
    }),
  }));
  return routes;
}

function factsOf(row: ReceivedFacts): v.InferInput<v.ObjectSchema<typeof FACTS, undefined>> {
  return {
    id: row.id,
    msgId: row.msg_id,
    spId: row.sp_id,
    serviceId: row.service_id,
    source: row.source,
    destination: row.destination,
    state: row.state,
    result: row.result,
    receivedAt: isoTime(row.received_at),
    doneAt: isoTime(row.done_at),
  };
}

/**
 * Messages to phones over HTTP: where they stand for many, what they say for few.
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
import { MsgId, PhoneNumber, SpId } from "./fields.ts";
import { mtOf } from "./message.ts";
import { textOf } from "./message_text.ts";
import type { MessageRow } from "./schema.ts";
import { searchBody, searchPages, searchResponse } from "./search.ts";
import type { MessageFacts, SmsStore } from "./store.ts";

const STATES = ["scheduled", "waiting", "sent", "delivered", "failed", "cancelled"] as const;
const FACTS = {
  msgId: v.string(),
  spId: v.string(),
  serviceId: v.string(),
  destination: v.string(),
  state: v.picklist(STATES),
  stat: v.nullable(v.string()),
  submittedAt: timeSchema,
  dueAt: timeSchema,
  expiresAt: timeSchema,
  doneAt: v.nullable(timeSchema),
} as const;
const MessageView = v.object(FACTS);
const ContentView = v.object({
  ...FACTS,
  source: v.string(),
  msgFmt: v.number(),
  /** Without the user data header; null where it is no text. */
  text: v.nullable(v.string()),
  /** All of Msg_Content, in hex. */
  content: v.string(),
});

const FILTERS = {
  spId: v.optional(SpId),
  state: v.optional(v.picklist(STATES)),
  destination: v.optional(PhoneNumber),
} as const;
const Place = v.strictObject({ submittedAt: v.number(), msgId: v.string() });

/** What these routes lean on. */
export interface MessageParts {
  readonly store: SmsStore;
}

/** The routes. */
export function messageRoutes({ store }: MessageParts): Routes {
  const routes = new Routes();
  listRoute(routes, store);
  contentRoute(routes, store);
  searchRoute(routes, store);
  return routes;
}

function listRoute(routes: Routes, store: SmsStore): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/messages",
    summary: "Messages to phones, the newest first, without what they say",
    tags: ["short messages"],
    auth: MAY_READ,
    query: v.object({ ...pageQuery(), ...FILTERS }),
    responses: { 200: { description: "A page", schema: pageSchema(MessageView) } },
  }).handle(async ({ query: { cursor, limit, ...filter } }) => {
    const rows = await store.list(filter, limit + 1, decodeCursor(cursor, Place));
    return { status: 200, body: pageOf(rows, limit, placeOfRow, factsOf) };
  });
}

function contentRoute(routes: Routes, store: SmsStore): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/messages/{msgId}",
    summary: "A message with what it says",
    description: "Each reading is in the audit log.",
    tags: ["short messages"],
    auth: MAY_READ_CONTENT,
    audited: true,
    params: v.object({ msgId: MsgId }),
    responses: {
      200: { description: "The message", schema: ContentView },
      404: { description: "No such message" },
    },
  }).handle(async ({ params: { msgId } }) => {
    const row = await store.message(msgId.toLowerCase());
    if (!row) throw problem(404, "message_not_found", `no message "${msgId}"`);
    return { status: 200, body: contentOf(row) };
  });
}

function searchRoute(routes: Routes, store: SmsStore): void {
  routes.route({
    method: "POST",
    path: "/api/v1/sms/messages/search",
    keyed: false, // contents are kept sealed
    summary: "Messages that say something, the newest first",
    description:
      "Opens 10,000 messages at most and gives a cursor where there are more. What is searched for is in " +
      "the body, so that no log of paths has it. Each search is in the audit log, without it.",
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
      page: (size, place) => store.listWhole(filter, size, place),
      placeOf: placeOfRow,
      view: contentOf,
      cursorOf: encodeCursor,
    }),
  }));
}

function placeOfRow(row: MessageFacts) {
  return { submittedAt: row.submitted_at, msgId: row.msg_id };
}

function factsOf(row: MessageFacts): v.InferInput<typeof MessageView> {
  return {
    msgId: row.msg_id,
    spId: row.sp_id,
    serviceId: row.service_id,
    destination: row.destination,
    state: row.state,
    stat: row.stat,
    submittedAt: isoTime(row.submitted_at),
    dueAt: isoTime(row.due_at),
    expiresAt: isoTime(row.expires_at),
    doneAt: isoTime(row.done_at),
  };
}

function contentOf(row: MessageRow): v.InferInput<typeof ContentView> {
  const { submit } = mtOf(row);
  return { ...factsOf(row), source: submit.Src_Id, ...textOf(submit) };
}

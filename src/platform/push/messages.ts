/**
 * Reading pushed messages, for every API that shows them: lists, live streams, and how a message looks.
 *
 * @module
 */
import { decodeBase64 } from "@std/encoding";
import type { Kysely } from "kysely";
import * as v from "valibot";
import {
  decodeCursor,
  type EventReader,
  isoTime,
  lastEventId,
  type Page,
  pageOf,
  problem,
  queryInteger,
  timeSchema,
} from "../../control/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { type Following, MessageFeed } from "./feed.ts";
import type { PushMessageRow, PushTables } from "./schema.ts";
import { type MessageFilter, PushStore } from "./store.ts";

/** A message as APIs show it. */
export const MessageView = v.object({
  id: v.string(),
  mac: v.string(),
  plugin: v.string(),
  /** When the gateway says that it was: `YYYYMMDDhhmmss`. */
  time: v.string(),
  receivedAt: timeSchema,
  /** The content as it came. */
  base64: v.string(),
  /** The same as text, where it is UTF-8. */
  text: v.nullable(v.string()),
});

/** The `plugin` parameter of lists and streams. */
export const pluginQuery = { plugin: v.optional(v.pipe(v.string(), v.maxLength(128))) };
/** The `after` parameter of streams: what `Last-Event-ID` says, for readers that come for the first time. */
export const afterQuery = { after: v.optional(queryInteger(0, 1e15 - 1)) };

/** What a stream of messages is described by in the OpenAPI document. */
export const STREAM_DESCRIPTION =
  "Server-sent events: `ready` first, then a `message` for each, as the list shows them. Each event's `id` is a place " +
  "to come back to: with `Last-Event-ID` (or `after=`) the stream goes on behind it, without a gap and without telling " +
  "a message twice; without it, it begins now; `after=0` begins with the oldest that is kept.";

/** The messages of the platform's gateways. */
export class PushedMessages implements Disposable {
  readonly #store: Pick<PushStore, "list" | "latest" | "between">;
  readonly #feed: MessageFeed;

  constructor(deps: Pick<PlatformDeps, "clock" | "log" | "bus">, sql: Kysely<PushTables>) {
    this.#store = new PushStore(sql);
    this.#feed = new MessageFeed(deps, this.#store);
  }

  /** A page, newest first. @throws {ProblemError} `invalid_cursor` */
  async page(
    filter: MessageFilter,
    { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<Page<v.InferInput<typeof MessageView>>> {
    const before = decodeCursor(cursor, v.pipe(v.number(), v.safeInteger()));
    const rows = await this.#store.list(filter, limit + 1, before);
    return pageOf(rows, limit, (row) => row.seq, messageView);
  }

  /** The newest, from before the place `before`, each with its place. */
  async latest(
    filter: MessageFilter,
    limit: number,
    before?: number,
  ): Promise<{ readonly seq: number; readonly message: v.InferInput<typeof MessageView> }[]> {
    const rows = await this.#store.list(filter, limit, before);
    return rows.map((row) => ({ seq: Number(row.seq), message: messageView(row) }));
  }

  /**
   * What tells a reader of messages as they come. `request` may name the place to go on from, `after` does otherwise.
   * @throws {ProblemError} 400 where it names none of ours
   */
  following(
    filter: MessageFilter,
    request: Request,
    after: number | undefined,
    allowed?: () => Promise<boolean>,
  ): (reader: EventReader) => Promise<void> {
    const from = placeOf(request) ?? after;
    const following: Following = { filter, from, view: messageView, ...(allowed && { allowed }) };
    return (reader) => this.#feed.follow(reader, following);
  }

  [Symbol.dispose](): void {
    this.#feed[Symbol.dispose]();
  }
}

function placeOf(request: Request): number | undefined {
  const id = lastEventId(request);
  if (id === undefined) return undefined;
  if (!/^\d{1,15}$/.test(id)) {
    throw problem(
      400,
      "invalid_event_id",
      "Last-Event-ID is none that this stream gave out: come without it",
    );
  }
  return Number(id);
}

function messageView(row: PushMessageRow): v.InferInput<typeof MessageView> {
  return {
    id: row.id,
    mac: row.mac,
    plugin: row.plugin,
    time: row.time,
    receivedAt: isoTime(row.received_at),
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

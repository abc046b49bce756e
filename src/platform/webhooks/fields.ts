/**
 * What the routes of webhooks and of their deliveries share, and what people may say of a webhook.
 *
 * @module
 */
import * as v from "valibot";
import { EVENT_TYPES } from "./events.ts";
import { MAX_URL } from "./target.ts";

/** Who may use them. */
export const AUTH = ["webhooks:write"] as const;
/** Where they stand in the API's document. */
export const TAGS = ["webhooks"];
/** A webhook's or a delivery's id. */
export const Id = v.pipe(v.string(), v.maxLength(64));
/** A webhook. */
export const IdParams = v.object({ id: Id });

/** Its 403. */
export const beyond = { description: "It tells of more than the caller may see" } as const;
/** Its 404. */
export const absent = { description: "There is none" } as const;

/** Where it is told. */
export const Url = v.pipe(
  v.string(),
  v.maxLength(MAX_URL),
  v.regex(/^https?:\/\//, "Expected http:// or https://"),
);
/** What people say it is for. */
export const Description = v.pipe(v.string(), v.maxLength(500));
/** The types that it hears of. */
export const Events = v.pipe(
  v.array(v.picklist(EVENT_TYPES, "not a type of event: GET /api/v1/webhook-events lists them")),
  v.minLength(1),
  v.maxLength(EVENT_TYPES.length),
);
/** The groups that it is confined to; null: all. */
export const Groups = v.nullable(
  v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(64))), v.minLength(1), v.maxLength(100)),
);

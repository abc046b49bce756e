/**
 * What the routes of webhooks and of their deliveries share.
 *
 * @module
 */
import * as v from "valibot";

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

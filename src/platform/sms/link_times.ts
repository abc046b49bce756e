/**
 * T, N and C of a link (reference §2): the service's, and what one provider or gateway has in their place.
 *
 * @module
 */
import * as v from "valibot";
import { whole } from "./fields.ts";

/** Times of a link, in milliseconds, and how often a request is sent at most. */
export interface LinkTimes {
  /** T. */
  readonly responseMs: number;
  /** C. */
  readonly activeTestMs: number;
  /** N. */
  readonly attempts: number;
}

/** What one provider or gateway has of its own; what it lacks is the service's. */
export type OwnTimes = Partial<LinkTimes>;

/** Own times as the API takes and shows them; null: the service's, all of them. */
export const TimesField = v.nullable(v.strictObject({
  responseSeconds: v.optional(whole(1, 600)),
  activeTestSeconds: v.optional(whole(1, 3_600)),
  attempts: v.optional(whole(1, 100)),
}));

/** The times that hold on a link. */
export function timesOn(own: OwnTimes | null | undefined, service: LinkTimes): LinkTimes {
  if (!own) return service;
  const { responseMs, activeTestMs, attempts } = service;
  return { responseMs, activeTestMs, attempts, ...own };
}

/** As the database keeps them, and back. */
export function timesText(own: OwnTimes | null | undefined): string | null {
  return own ? JSON.stringify(own) : null;
}

/** What {@linkcode timesText} made. */
export function parseTimes(text: string | null): OwnTimes | null {
  return text === null ? null : JSON.parse(text);
}

/** From what the API takes. */
export function ownTimes(field: v.InferOutput<typeof TimesField>): OwnTimes | null {
  if (!field || Object.values(field).every((value) => value === undefined)) return null;
  const { responseSeconds, activeTestSeconds, attempts } = field;
  return {
    ...(responseSeconds === undefined ? {} : { responseMs: responseSeconds * 1000 }),
    ...(activeTestSeconds === undefined ? {} : { activeTestMs: activeTestSeconds * 1000 }),
    ...(attempts === undefined ? {} : { attempts }),
  };
}

/** As the API shows them. */
export function timesView(own: OwnTimes | null): v.InferInput<typeof TimesField> {
  if (!own) return null;
  const { responseMs, activeTestMs, attempts } = own;
  return {
    ...(responseMs === undefined ? {} : { responseSeconds: responseMs / 1000 }),
    ...(activeTestMs === undefined ? {} : { activeTestSeconds: activeTestMs / 1000 }),
    ...(attempts === undefined ? {} : { attempts }),
  };
}

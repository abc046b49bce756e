/**
 * Fields that the routes about people share.
 *
 * @module
 */
import * as v from "valibot";
import { operatorName } from "./operators.ts";

/** Largest body, in bytes. */
export const MAX_BYTES = 16_384;

/** A name as somebody types it. */
export const Name = v.pipe(
  v.string(),
  v.maxLength(64),
  v.transform(operatorName),
  v.string(),
  v.regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{1,63}$/u,
    "Invalid name: Expected 2 to 64 letters, digits or . _ @ + -",
  ),
);
/** Far more than the longest password: longer ones are not even looked at. */
export const Password = v.pipe(
  v.string(),
  v.maxLength(512, "Invalid length: Expected at most 512 characters"),
);
/** Groups of gateways that somebody is confined to; null: to none. */
export const Groups = v.nullable(
  v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(64))), v.maxLength(100)),
);
/** An operator, or a key. */
export const IdParams = v.object({ id: v.pipe(v.string(), v.maxLength(64)) });

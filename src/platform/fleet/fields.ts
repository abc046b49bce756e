/**
 * Fields that the fleet's routes share.
 *
 * @module
 */
import * as v from "valibot";
import { macSchema } from "../../control/mod.ts";
import { MAX_FILTER } from "./filter.ts";

/** A gateway. */
export const MacParams = v.object({ mac: macSchema });
/** Words that filters and addresses take as they are. */
export const word = (max: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.maxLength(max),
    v.regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u, "Invalid name: Expected letters, digits, . _ -"),
  );
/** A filter (RSQL), not looked into. */
export const FilterText = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(MAX_FILTER));

/**
 * Bodies that are no JSON.
 *
 * @module
 */

/** A body of another media type than JSON: `new RawBody("text/csv", "mac,sn,loid\n…")`. */
export class RawBody {
  constructor(readonly type: string, readonly content: BodyInit) {}
}

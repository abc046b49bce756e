/**
 * What can go wrong with storage, as a closed set.
 *
 * @module
 */
import { GatehouseError } from "../base/mod.ts";

/**
 * - `url`: the database URL is of no known form
 * - `unavailable`: the database can't be opened or reached
 * - `newer`: the database was written by a newer version of this program
 * - `migration`: a migration failed; nothing of it was kept
 */
export type StorageErrorCode = "url" | "unavailable" | "newer" | "migration";

/** A failure of the storage floor. */
export class StorageError extends GatehouseError<StorageErrorCode> {
  override readonly name = "StorageError";
}

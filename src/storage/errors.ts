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
 *
 * and while the program runs, for a statement that was not done (a lost commit may have been: ask before you repeat it):
 * - `away`: the server can't be reached, or is shutting down
 * - `slow`: it did not answer in time
 * - `full`: its disk is full
 * - `broken`: its files can't be read or written
 * - `busy`: too much waits to be written: this was not begun with
 */
export type StorageErrorCode =
  | "url"
  | "unavailable"
  | "newer"
  | "migration"
  | "away"
  | "slow"
  | "full"
  | "broken"
  | "busy";

/** A failure of the storage floor. */
export class StorageError extends GatehouseError<StorageErrorCode> {
  override readonly name = "StorageError";
}

/**
 * Floor 2: the database behind one asynchronous interface.
 *
 * @module
 */
export { binaryType, onServer } from "./dialects.ts";
export { backUp, type BackupFacts, inspectBackup, restoreBackup } from "./backup.ts";
export { type Database, type DatabaseOptions, type Migrations, openDatabase } from "./database.ts";
export { StorageError, type StorageErrorCode } from "./errors.ts";
export { type Hold, hold, HoldError, type HoldOptions } from "./exclusive.ts";
export type { Fault } from "./faults.ts";
export type { SyncMode } from "./sqlite.ts";
export { stillIs } from "./still.ts";
export { Statement } from "./statement.ts";
export { type WriteAll, WriteBatch, writesWaiting } from "./write_batch.ts";

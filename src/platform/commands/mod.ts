/**
 * Remote commands, from their request to their end.
 *
 * @module
 */
export { Commander } from "./commander.ts";
export type { CommanderParts, CommandRequest } from "./request.ts";
export type { ConnectionState } from "./connector.ts";
export { CommandError, type CommandErrorCode, type FailureCode } from "./errors.ts";
export { keepCommands } from "./retention.ts";
export type { PackageFinder, PackageRefusal, PackageSource } from "./perform.ts";

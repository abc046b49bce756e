/**
 * Floor 3: a service provider's client of a short-message gateway (CMPP 3.0 and 2.0).
 *
 * @module
 */
export { type ReceivedText, type SentPart, SpClient, type SpHandlers, type TextMessage } from "./client.ts";
export { SpError, type SpErrorCode } from "./errors.ts";
export type { Request } from "./link.ts";
export type { SpDeps, SpOptions } from "./options.ts";
export { resultInWords, statusInWords } from "./meanings.ts";

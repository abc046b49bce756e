/**
 * The outlet to a real short-message centre: SMPP 3.4.
 *
 * @module
 */
export { SmppError, type SmppErrorCode } from "./errors.ts";
export type { LinkDeps as SmppDeps } from "./link.ts";
export { SmppOutlet } from "./outlet.ts";
export { parseSmppUrl, type SmppSettings } from "./settings.ts";

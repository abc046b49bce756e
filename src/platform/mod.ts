/**
 * The role `platform`: the carrier's side.
 *
 * @module
 */
export { type Platform, startPlatform } from "./platform.ts";
export { type PlatformSettings, type ServiceName, SERVICES } from "./settings.ts";

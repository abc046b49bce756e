/**
 * The role `platform`: the carrier's side.
 *
 * @module
 */
export { platformMigrations } from "./migrations.ts";
export { type Platform, startPlatform } from "./platform.ts";
export {
  DEFAULT_SERVICES,
  DEFAULT_SMS,
  type PlatformSettings,
  type ServiceName,
  SERVICES,
} from "./settings.ts";

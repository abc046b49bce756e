/**
 * Alarms: rules over the state of the platform and its fleet, raised and cleared with hysteresis, kept, told live.
 *
 * @module
 */
export { Alarms, type AlarmsDeps } from "./alarms.ts";
export { alarmRoutes } from "./routes.ts";
export { type AlarmKind, alarmMigrations, type AlarmTables } from "./schema.ts";
export { platformSources, type SourceParts } from "./sources.ts";

/**
 * Floor 5: the command line.
 *
 * @module
 */
export { main, VERSION } from "./main.ts";
export { pluginHostCommand, type SelfCommand } from "./plugin_host.ts";
export { type Role, ROLES, type Setting, type SettingsTable, shownDefault, variableOf } from "./setting.ts";
export { SETTINGS_OF } from "./settings_table.ts";
export { smsCommand, type SmsTerminal } from "./sms.ts";
export type { Kind } from "./parsers.ts";

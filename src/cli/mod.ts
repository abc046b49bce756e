/**
 * Floor 5: the command line.
 *
 * @module
 */
export { main, VERSION } from "./main.ts";
export { pluginHostCommand, type SelfCommand } from "./plugin_host.ts";

/**
 * The plug-in host's face, apart from the manager's: a program that is to be only a plug-in host imports this
 * alone, and stays some megabytes smaller.
 *
 * @module
 */
export { runPluginHost } from "../host.ts";

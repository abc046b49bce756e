/**
 * The plug-in centre of the operations platform.
 *
 * @module
 */
export { type PluginCenterSettings, startPluginCenter } from "./service.ts";

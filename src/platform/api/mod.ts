/**
 * The operators' control API.
 *
 * @module
 */
export { aboutRoutes } from "./about.ts";
export { commandRoutes } from "./commands.ts";
export { gatewayRoutes } from "./gateways.ts";
export { downloadPath, downloadRoutes } from "./downloads.ts";
export { pluginRoutes } from "./plugins.ts";
export { policyRoutes } from "./policy.ts";
export { problemOf } from "./problems.ts";
export { timelineRoutes } from "./timeline.ts";
export { CommandView, GatewayView, PluginView } from "./views.ts";

/**
 * What plug-ins may ask of the gateway, an area a file.
 *
 * @module
 */
export { type FullHostDeps, type HostDeps } from "./deps.ts";
export { deviceFunctions } from "./device.ts";
export { dnsFunctions } from "./dns.ts";
export { lanFunctions } from "./lan.ts";
export { networkFunctions } from "./network.ts";
export { powerFunctions } from "./power.ts";
export { serviceFunctions } from "./service.ts";
export { systemFunctions } from "./system.ts";
export { wanFunctions } from "./wan.ts";
export { wifiFunctions } from "./wifi.ts";

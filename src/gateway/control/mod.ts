/**
 * The control API: whoever administers the box asks it on loopback.
 *
 * @module
 */
export { controlApi } from "./api.ts";
export { localStatus } from "./status_routes.ts";

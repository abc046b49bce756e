/**
 * Other gateways: connections, FWD in both directions, and what waits for them.
 *
 * @module
 */
export { peerRoutes } from "./routes.ts";
export { Desk } from "./desk.ts";
export { PeerHub } from "./hub.ts";
export { Ledger } from "./ledger.ts";
export type { PeerLink } from "./link.ts";
export { PeerStore } from "./peers.ts";
export { isPeerSpId, Traffic } from "./traffic.ts";

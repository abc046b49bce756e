/**
 * Floor 2: messages from node to node, and within one.
 *
 * @module
 */
export { type Bus, BusError, type BusErrorCode, type EventMap, LocalBus, type RequestMap } from "./bus.ts";

/**
 * Floor 2: messages from node to node, and within one.
 *
 * @module
 */
export {
  type Bus,
  BusError,
  type BusErrorCode,
  type EventHandler,
  type EventMap,
  LocalBus,
  type NodeAddress,
  type RequestMap,
} from "./bus.ts";
export { NatsBus, type NatsBusOptions } from "./nats_bus.ts";

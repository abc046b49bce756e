/**
 * Floor 2: datagrams with request and response, and framed connections; both real and in memory.
 *
 * @module
 */
export { isIpAddress, plainAddress } from "./addresses.ts";
export { connectFramed } from "./connect_framed.ts";
export type { DatagramCounts, DatagramHandler, DatagramOptions, DatagramSocket } from "./datagram.ts";
export type { LookupOptions } from "./dns.ts";
export { NetError, type NetErrorCode } from "./errors.ts";
export { DatagramExchange, type ExchangeRequest } from "./exchange.ts";
export {
  type CloseCode,
  type CloseReason,
  type ConnectionLimits,
  FramedConnection,
  type FramedOptions,
  type FrameHandler,
} from "./framed_connection.ts";
export { FramedServer, type FramedServerCounts, type FramedServerOptions } from "./framed_server.ts";
export { fetchFrom, type Outgoing } from "./fetch_from.ts";
export { type HttpHead, HttpReader } from "./http_reader.ts";
export { type Conditions, MemoryNetwork, type MemoryNetworkOptions } from "./memory_network.ts";
export { memoryPair } from "./memory_stream.ts";
export { type ConnectOptions, type Network, systemNetwork } from "./network.ts";
export {
  addressBits,
  inNetwork,
  type IpNetwork,
  isLocal,
  isLoopback,
  isPublic,
  networkHas,
  parseNetwork,
} from "./networks.ts";
export type { ByteStream, FrameDecoder, Framing, StreamListener } from "./stream.ts";

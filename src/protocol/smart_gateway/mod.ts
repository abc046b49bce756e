/**
 * The smart gateway protocol: bytes in, messages out, and back. Pure: no I/O, no clock, no randomness.
 *
 * @module
 */
export {
  type AccessBoot,
  type AccessMessage,
  type AccessRegister,
  type AccessReply,
  type AccessRequest,
  decodeAccessRequest,
  encodeAccessReply,
  encodeAccessRequest,
  type Heartbeat,
  type RequestDistri,
  type RequestPlugin,
} from "./access.ts";
export {
  type CapabilityFields,
  type CapabilityReply,
  type CapabilityRequest,
  decodeCapabilityFields,
  decodeCapabilityReply,
  decodeCapabilityRequest,
  encodeCapabilityReply,
  encodeCapabilityRequest,
  REPLY_NAMES,
} from "./capability.ts";
export { bindingSn, checkSn, equalDigest, messageMd5, triggerKey, userId, wifiKey } from "./digest.ts";
export {
  type BootFirst,
  decodeDistributionReply,
  decodeDistributionRequest,
  type DistributionReply,
  type DistributionRequest,
  encodeDistributionReply,
  encodeDistributionRequest,
  type PlatformId,
  type RegisterFirst,
} from "./distribution.ts";
export { ProtocolError, type ProtocolErrorCode } from "./errors.ts";
export { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from "./framing.ts";
export { decodeHeartbeat, encodeHeartbeat, HEARTBEAT_ACK, isHeartbeatAck } from "./heartbeat.ts";
export {
  compareVersions,
  hex32,
  isHex32,
  isLoid,
  isMac,
  isSequenceId,
  isSn,
  isVersion,
  normalizeMac,
  ouiOf,
  sequenceId,
  type TransactionId,
} from "./identifiers.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export { MAX_DATAGRAM_BYTES } from "./limits.ts";
export {
  decodePost1,
  decodePost1Reply,
  encodePost1,
  encodePost1Reply,
  type Post1,
  type Post1Reply,
} from "./local.ts";
export {
  type ChannelBoot,
  type ChannelDownRequest,
  type ChannelHeartbeat,
  type ChannelMessage,
  type ChannelRegister,
  type ChannelReply,
  type ChannelRequest,
  type ChannelUpRequest,
  decodeChannelMessage,
  type Disconnect,
  encodeChannelReply,
  encodeChannelRequest,
  type Install,
  type ListPlugin,
  type PluginRequest,
  type Post,
  type SetPluginParameterValues,
} from "./plugin_center.ts";
export type { PluginEntry } from "./plugin_list.ts";
export {
  decodeMessagePush,
  decodeMessagePushReply,
  encodeMessagePush,
  encodeMessagePushReply,
  type MessagePush,
  type MessagePushReply,
  pushTime,
} from "./push.ts";
export {
  AccessResult,
  DistributionResult,
  FailReason,
  isPluginSuccess,
  PluginOs,
  PluginResult,
  PostResult,
} from "./results.ts";

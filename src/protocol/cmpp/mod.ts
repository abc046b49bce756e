/**
 * CMPP 3.0 and 2.0, the carriers' protocol for short messages: octets to messages and back, and what belongs to them.
 * Pure: no I/O, no clock.
 *
 * @module
 */
export {
  authenticatorIsmg,
  authenticatorSource,
  connectTimestamp,
  equalAuthenticators,
  provesSecret,
} from "./authenticator.ts";
export type { Head } from "./codec.ts";
export { COMMAND_IDS, commandIdOf, type CommandName, type RequestName, RESPONSE_BIT } from "./commands.ts";
export type { Deliver, DeliverResp } from "./deliver.ts";
export { CmppError, type CmppErrorCode } from "./errors.ts";
export { type Fwd, type FwdResp, FwdType } from "./forward.ts";
export { MAX_PDU_OCTETS, PduDecoder } from "./framing.ts";
export {
  type ActiveTest,
  type ActiveTestResp,
  type Connect,
  type ConnectResp,
  ConnectStatus,
  type Terminate,
  type TerminateResp,
} from "./link.ts";
export {
  MAX_PARTS,
  maxContent,
  type Part,
  type PartHeader,
  readPartHeader,
  splitMessage,
  type SplitOptions,
} from "./long_message.ts";
export { commandsOf, decodeMessage, encodeMessage, type Message, readHeader } from "./message.ts";
export type {
  GetMoRoute,
  GetMoRouteResp,
  GetRoute,
  GetRouteResp,
  MoRoute,
  MoRouteResp,
  MoRouteUpdate,
  MoRouteUpdateResp,
  PushMoRouteUpdate,
  PushMoRouteUpdateResp,
} from "./mo_routes.ts";
export {
  composeMsgId,
  MSG_IDS_PER_SECOND,
  msgIdHex,
  msgIdInGroup,
  type MsgIdParts,
  msgIdText,
  parseMsgId,
} from "./msg_id.ts";
export type {
  GetMtRoute,
  GetMtRouteResp,
  MtRoute,
  MtRouteResp,
  MtRouteUpdate,
  MtRouteUpdateResp,
  PushMtRouteUpdate,
  PushMtRouteUpdateResp,
} from "./mt_routes.ts";
export type { Cancel, CancelResp, Query, QueryResp } from "./query.ts";
export {
  type Incomplete,
  type PartOutcome,
  type Reassembled,
  Reassembler,
  type ReassemblyLimits,
} from "./reassembly.ts";
export {
  decodeReport,
  encodeReport,
  REPORT_OCTETS,
  Stat,
  type StatPrefix,
  type StatusReport,
  statWithCode,
} from "./report.ts";
export { MAX_DESTINATIONS, Result, type Submit, type SubmitResp } from "./submit.ts";
export { decodeText, encodeText, type Encoding, encodingOf, fmtFor, MsgFmt } from "./text.ts";
export { dayOf, formatSmppTime, parseSmppTime, reportTime, routeTime } from "./times.ts";
export { type Dialect, dialectOf, VERSION_2_0, VERSION_2_1, VERSION_3_0 } from "./versions.ts";

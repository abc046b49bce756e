/**
 * QUERY (a provider's counters) and CANCEL (of a message not sent yet), with their responses (reference §4).
 *
 * @module
 */
import { type Codec, type Fixed, fixed } from "./codec.ts";
import { layout, text, u32, u64, u8 } from "./layout.ts";
import type { Dialect } from "./versions.ts";

const QUERY = layout({
  Time: text(8),
  Query_Type: u8,
  Query_Code: text(10),
  Reserve: text(8),
});
const QUERY_RESP = layout({
  Time: text(8),
  Query_Type: u8,
  Query_Code: text(10),
  MT_TLMsg: u32,
  MT_Tlusr: u32,
  MT_Scs: u32,
  MT_WT: u32,
  MT_FL: u32,
  MO_Scs: u32,
  MO_WT: u32,
  MO_FL: u32,
});
const CANCEL = layout({ Msg_Id: u64 });
const CANCEL_RESP = { 2: layout({ Success_Id: u8 }), 3: layout({ Success_Id: u32 }) } as const;

/** Asks for the counters of the day `Time` (YYYYMMDD): 0 all, 1 of the service in Query_Code. */
export type Query = Fixed<"QUERY", typeof QUERY.fields>;
/**
 * The counters: messages and numbers from the provider (MT_TLMsg, MT_Tlusr), of these forwarded, waiting, failed
 * (MT_Scs, MT_WT, MT_FL); messages to the provider delivered, waiting, failed (MO_…).
 */
export type QueryResp = Fixed<"QUERY_RESP", typeof QUERY_RESP.fields>;
/** Takes a message back. */
export type Cancel = Fixed<"CANCEL", typeof CANCEL.fields>;
/** Success_Id 0: taken back; 1: not. */
export type CancelResp = Fixed<"CANCEL_RESP", (typeof CANCEL_RESP)[3]["fields"]>;

/** The codecs of this family. */
export const query: Codec<Query> = fixed("QUERY", QUERY);
export const queryResp: Codec<QueryResp> = fixed("QUERY_RESP", QUERY_RESP);
export const cancel: Codec<Cancel> = fixed("CANCEL", CANCEL);
export const cancelResp = (dialect: Dialect): Codec<CancelResp> => fixed("CANCEL_RESP", CANCEL_RESP[dialect]);

/**
 * What the tests of this folder share: arbitrary messages for property tests. For tests only.
 *
 * @module
 */
import fc from "fast-check";
import type { CommandName, Deliver, Dialect, Fwd, Message, Submit } from "./mod.ts";

const octet = fc.integer({ min: 0, max: 255 });
/** Text of at most `most` octets, any but NUL. */
export const textOf = (most: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: most }).map((codes) =>
    String.fromCharCode(...codes)
  );
const code6 = fc.integer({ min: 0, max: 999_999 }).map((n) => String(n).padStart(6, "0"));
const sequence = fc.integer({ min: 0, max: 0xffff_ffff });
const id = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const content = fc.uint8Array({ maxLength: 255 });

/** A SUBMIT that the dialect can carry whole. */
function anySubmit(dialect: Dialect): fc.Arbitrary<Submit> {
  const number = textOf(dialect === 3 ? 32 : 21), only3 = dialect === 3 ? octet : fc.constant(0);
  return fc.record({
    command: fc.constant("SUBMIT" as const),
    sequence,
    Msg_Id: id,
    Pk_total: octet,
    Pk_number: octet,
    Registered_Delivery: octet,
    Msg_level: octet,
    Service_Id: textOf(10),
    Fee_UserType: octet,
    Fee_terminal_Id: number,
    Fee_terminal_type: only3,
    TP_pId: octet,
    TP_udhi: octet,
    Msg_Fmt: octet,
    Msg_src: textOf(6),
    FeeType: textOf(2),
    FeeCode: textOf(6),
    ValId_Time: textOf(17),
    At_Time: textOf(17),
    Src_Id: textOf(21),
    Dest_terminal_Id: fc.array(number, { minLength: 1, maxLength: 99 }),
    Dest_terminal_type: only3,
    Msg_Content: content,
    LinkID: textOf(dialect === 3 ? 20 : 8),
  });
}

/** A DELIVER that the dialect can carry whole. */
function anyDeliver(dialect: Dialect): fc.Arbitrary<Deliver> {
  return fc.record({
    command: fc.constant("DELIVER" as const),
    sequence,
    Msg_Id: id,
    Dest_Id: textOf(21),
    Service_Id: textOf(10),
    TP_pid: octet,
    TP_udhi: octet,
    Msg_Fmt: octet,
    Src_terminal_Id: textOf(dialect === 3 ? 32 : 21),
    Src_terminal_type: dialect === 3 ? octet : fc.constant(0),
    Registered_Delivery: octet,
    Msg_Content: content,
    LinkID: textOf(dialect === 3 ? 20 : 8),
  });
}

/** A FWD that the dialect can carry whole. */
function anyFwd(dialect: Dialect): fc.Arbitrary<Fwd> {
  const only3 = dialect === 3 ? octet : fc.constant(0);
  const pseudo = dialect === 3 ? textOf(32) : fc.constant("");
  return fc.record({
    command: fc.constant("FWD" as const),
    sequence,
    Source_Id: code6,
    Destination_Id: code6,
    NodesCount: octet,
    Msg_Fwd_Type: octet,
    Msg_Id: id,
    Pk_total: octet,
    Pk_number: octet,
    Registered_Delivery: octet,
    Msg_level: octet,
    Service_Id: textOf(10),
    Fee_UserType: octet,
    Fee_terminal_Id: textOf(21),
    Fee_terminal_Pseudo: pseudo,
    Fee_terminal_UserType: only3,
    TP_pid: octet,
    TP_udhi: octet,
    Msg_Fmt: octet,
    Msg_src: textOf(6),
    FeeType: textOf(2),
    FeeCode: textOf(6),
    Valid_Time: textOf(17),
    At_Time: textOf(17),
    Src_Id: textOf(21),
    Src_Pseudo: pseudo,
    Src_UserType: only3,
    Src_type: only3,
    Dest_Id: fc.array(textOf(21), { minLength: 1, maxLength: dialect === 3 ? 1 : 99 }),
    Dest_Pseudo: pseudo,
    Dest_UserType: only3,
    Msg_Content: content,
    LinkID: textOf(dialect === 3 ? 20 : 8),
  });
}

/** A message of variable length. */
export function anyLong(dialect: Dialect): fc.Arbitrary<Message> {
  return fc.oneof(anySubmit(dialect), anyDeliver(dialect), anyFwd(dialect));
}

/**
 * Total_Length of every message of fixed length, as the reference states it; of the others with one number and no
 * content. Written down apart from the layouts, so that a slip in one shows in the other.
 */
export const TOTALS: Readonly<Record<Dialect, Readonly<Partial<Record<CommandName, number>>>>> = {
  3: {
    CONNECT: 39,
    CONNECT_RESP: 33,
    TERMINATE: 12,
    TERMINATE_RESP: 12,
    ACTIVE_TEST: 12,
    ACTIVE_TEST_RESP: 13,
    SUBMIT: 195,
    SUBMIT_RESP: 24,
    DELIVER: 109,
    DELIVER_RESP: 24,
    QUERY: 39,
    QUERY_RESP: 63,
    CANCEL: 20,
    CANCEL_RESP: 16,
    FWD: 285,
    FWD_RESP: 26,
    MT_ROUTE: 39,
    MT_ROUTE_RESP: 77,
    MO_ROUTE: 53,
    MO_ROUTE_RESP: 90,
    GET_MT_ROUTE: 26,
    GET_MT_ROUTE_RESP: 85,
    GET_MO_ROUTE: 26,
    GET_MO_ROUTE_RESP: 108,
    MT_ROUTE_UPDATE: 63,
    MT_ROUTE_UPDATE_RESP: 31,
    MO_ROUTE_UPDATE: 86,
    MO_ROUTE_UPDATE_RESP: 31,
    PUSH_MT_ROUTE_UPDATE: 77,
    PUSH_MT_ROUTE_UPDATE_RESP: 13,
    PUSH_MO_ROUTE_UPDATE: 100,
    PUSH_MO_ROUTE_UPDATE_RESP: 13,
  },
  2: {
    CONNECT: 39,
    CONNECT_RESP: 30,
    TERMINATE: 12,
    TERMINATE_RESP: 12,
    ACTIVE_TEST: 12,
    ACTIVE_TEST_RESP: 13,
    SUBMIT: 159,
    SUBMIT_RESP: 21,
    DELIVER: 85,
    DELIVER_RESP: 21,
    QUERY: 39,
    QUERY_RESP: 63,
    CANCEL: 20,
    CANCEL_RESP: 13,
    FWD: 173,
    FWD_RESP: 23,
    MT_ROUTE: 39,
    MT_ROUTE_RESP: 56,
    MO_ROUTE: 53,
    MO_ROUTE_RESP: 69,
    GET_ROUTE: 24,
    GET_ROUTE_RESP: 83,
    MT_ROUTE_UPDATE: 56,
    MT_ROUTE_UPDATE_RESP: 13,
    MO_ROUTE_UPDATE: 79,
    MO_ROUTE_UPDATE_RESP: 13,
    PUSH_MT_ROUTE_UPDATE: 56,
    PUSH_MT_ROUTE_UPDATE_RESP: 13,
    PUSH_MO_ROUTE_UPDATE: 79,
    PUSH_MO_ROUTE_UPDATE_RESP: 13,
  },
};

/** The messages whose length varies. */
export const VARIABLE: readonly CommandName[] = ["SUBMIT", "DELIVER", "FWD"];

/** A PDU of `total` octets with a header, the rest filled with `fill` (repeated). */
export function pduOf(commandId: number, total: number, fill: readonly number[] = [0]): Uint8Array {
  const pdu = Uint8Array.from({ length: total }, (_, i) => fill[i % fill.length]!);
  const view = new DataView(pdu.buffer);
  view.setUint32(0, total);
  view.setUint32(4, commandId);
  view.setUint32(8, 0x0102_0304);
  return pdu;
}

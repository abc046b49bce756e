/**
 * SUBMIT and SUBMIT_RESP: a short message from a service provider (reference §4). Hot, so written by hand.
 *
 * @module
 */
import { badLength, badValue, type Codec, type Head } from "./codec.ts";
import { CmppError } from "./errors.ts";
import type { Dialect } from "./versions.ts";
import type { Reader, Writer } from "./wire.ts";

/** A short message to one or more numbers. Fields that 2.0 does not have read as 0 or "". */
export interface Submit extends Head<"SUBMIT"> {
  /** 0: the gateway makes it. */
  readonly Msg_Id: bigint;
  readonly Pk_total: number;
  readonly Pk_number: number;
  /** 0: no report, 1: report; 2 (2.0 only): a call record of the centre. */
  readonly Registered_Delivery: number;
  readonly Msg_level: number;
  readonly Service_Id: string;
  /** Who pays: 0 destination, 1 source, 2 the provider, 3 Fee_terminal_Id. */
  readonly Fee_UserType: number;
  readonly Fee_terminal_Id: string;
  readonly Fee_terminal_type: number;
  readonly TP_pId: number;
  readonly TP_udhi: number;
  readonly Msg_Fmt: number;
  /** SP_Id. */
  readonly Msg_src: string;
  readonly FeeType: string;
  readonly FeeCode: string;
  readonly ValId_Time: string;
  readonly At_Time: string;
  /** What the phone shows as the sender: SP_Code and what the provider appends. */
  readonly Src_Id: string;
  /** 1 to 99 numbers. */
  readonly Dest_terminal_Id: readonly string[];
  readonly Dest_terminal_type: number;
  /** At most 255 octets. As read: a view into the PDU. */
  readonly Msg_Content: Uint8Array;
  /** 20 octets; in 2.0 the 8 octets of Reserve. */
  readonly LinkID: string;
}

/** How SUBMIT was taken. */
export interface SubmitResp extends Head<"SUBMIT_RESP"> {
  /** The (first) message's id. */
  readonly Msg_Id: bigint;
  /** See {@linkcode Result}. */
  readonly Result: number;
}

/** Result of SUBMIT_RESP, DELIVER_RESP and FWD_RESP (reference §4, §5); from 51 on: in use between operators (§8). */
export const Result = {
  ok: 0,
  structure: 1,
  command: 2,
  duplicateSequence: 3,
  length: 4,
  feeCode: 5,
  tooLong: 6,
  serviceCode: 7,
  flowControl: 8,
  /** SUBMIT: the gateway does not serve this billing number. FWD: forwarding misjudged, the SP is not here. */
  notServed: 9,
  srcId: 10,
  msgSrc: 11,
  feeTerminalId: 12,
  destTerminalId: 13,
  notLoggedIn: 52,
  validityExpired: 61,
  feeType: 63,
  tooManyNodes: 71,
  noRoute: 72,
  routingLoop: 82,
} as const;

/** Most destinations in one SUBMIT: DestUsr_tl is below 100. */
export const MAX_DESTINATIONS = 99;

const FIXED = { 2: 138, 3: 163 } as const;
const NUMBER = { 2: 21, 3: 32 } as const;
/** Where DestUsr_tl stands behind the header. */
const COUNT_AT = { 2: 116, 3: 128 } as const;

/** The codec of SUBMIT in a dialect. */
export function submit(dialect: Dialect): Codec<Submit> {
  const base = FIXED[dialect], number = NUMBER[dialect], countAt = COUNT_AT[dialect];
  return {
    total(message) {
      const { length } = message.Dest_terminal_Id;
      if (length < 1 || length > MAX_DESTINATIONS) {
        throw new CmppError("value", `DestUsr_tl "${length}" does not fit: 1 to ${MAX_DESTINATIONS}`);
      }
      return base + number * length + message.Msg_Content.length;
    },
    write(to, m) {
      to.u64(m.Msg_Id, "Msg_Id");
      to.u8(m.Pk_total, "Pk_total");
      to.u8(m.Pk_number, "Pk_number");
      to.u8(m.Registered_Delivery, "Registered_Delivery");
      to.u8(m.Msg_level, "Msg_level");
      to.text(m.Service_Id, 10, "Service_Id");
      to.u8(m.Fee_UserType, "Fee_UserType");
      to.text(m.Fee_terminal_Id, number, "Fee_terminal_Id");
      if (dialect === 3) to.u8(m.Fee_terminal_type, "Fee_terminal_type");
      to.u8(m.TP_pId, "TP_pId");
      to.u8(m.TP_udhi, "TP_udhi");
      to.u8(m.Msg_Fmt, "Msg_Fmt");
      to.text(m.Msg_src, 6, "Msg_src");
      to.text(m.FeeType, 2, "FeeType");
      to.text(m.FeeCode, 6, "FeeCode");
      to.text(m.ValId_Time, 17, "ValId_Time");
      to.text(m.At_Time, 17, "At_Time");
      to.text(m.Src_Id, 21, "Src_Id");
      to.u8(m.Dest_terminal_Id.length, "DestUsr_tl");
      for (const destination of m.Dest_terminal_Id) to.text(destination, number, "Dest_terminal_Id");
      if (dialect === 3) to.u8(m.Dest_terminal_type, "Dest_terminal_type");
      to.u8(m.Msg_Content.length, "Msg_Length");
      to.octets(m.Msg_Content, "Msg_Content");
      to.text(m.LinkID, dialect === 3 ? 20 : 8, "LinkID");
    },
    read(from, sequence) {
      const { pdu } = from;
      // The shortest has one number and no content.
      if (pdu.length < base + number) throw badLength(pdu, "SUBMIT", base + number);
      const count = from.peek(countAt);
      if (count < 1 || count > MAX_DESTINATIONS) throw badValue(pdu, "DestUsr_tl", count, "1 to 99");
      const beforeContent = countAt + 1 + count * number + (dialect === 3 ? 2 : 1);
      if (pdu.length < base + count * number) throw badLength(pdu, "SUBMIT", base + count * number);
      const total = base + count * number + from.peek(beforeContent - 1);
      if (pdu.length !== total) throw badLength(pdu, "SUBMIT", total);
      return readSubmit(from, sequence, dialect, number);
    },
  };
}

function readSubmit(from: Reader, sequence: number, dialect: Dialect, number: number): Submit {
  return {
    command: "SUBMIT",
    sequence,
    Msg_Id: from.u64(),
    Pk_total: from.u8(),
    Pk_number: from.u8(),
    Registered_Delivery: from.u8(),
    Msg_level: from.u8(),
    Service_Id: from.text(10),
    Fee_UserType: from.u8(),
    Fee_terminal_Id: from.text(number),
    Fee_terminal_type: dialect === 3 ? from.u8() : 0,
    TP_pId: from.u8(),
    TP_udhi: from.u8(),
    Msg_Fmt: from.u8(),
    Msg_src: from.text(6),
    FeeType: from.text(2),
    FeeCode: from.text(6),
    ValId_Time: from.text(17),
    At_Time: from.text(17),
    Src_Id: from.text(21),
    Dest_terminal_Id: numbers(from, from.u8(), number),
    Dest_terminal_type: dialect === 3 ? from.u8() : 0,
    Msg_Content: from.octets(from.u8()),
    LinkID: from.text(dialect === 3 ? 20 : 8),
  };
}

function numbers(from: Reader, count: number, octets: number): string[] {
  const list: string[] = [];
  for (let i = 0; i < count; i++) list.push(from.text(octets));
  return list;
}

/** The codec of a response that is a Msg_Id and a Result: SUBMIT_RESP and DELIVER_RESP. */
export function resultResp<Name extends "SUBMIT_RESP" | "DELIVER_RESP">(
  command: Name,
  dialect: Dialect,
): Codec<Head<Name> & { readonly Msg_Id: bigint; readonly Result: number }> {
  const total = dialect === 3 ? 24 : 21;
  return {
    total: () => total,
    write(to: Writer, message) {
      to.u64(message.Msg_Id, "Msg_Id");
      if (dialect === 3) to.u32(message.Result, "Result");
      else to.u8(message.Result, "Result");
    },
    read(from, sequence) {
      if (from.pdu.length !== total) throw badLength(from.pdu, command, total);
      return { command, sequence, Msg_Id: from.u64(), Result: dialect === 3 ? from.u32() : from.u8() };
    },
  };
}

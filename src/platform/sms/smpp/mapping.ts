/**
 * Between CMPP and SMPP 3.4: a SUBMIT as submit_sm, a deliver_sm as a receipt or a message from a phone.
 *
 * @module
 */
import {
  CmppError,
  decodeText,
  encodeText,
  fmtFor,
  formatSmppTime,
  MsgFmt,
  splitMessage,
  Stat,
} from "../../../protocol/cmpp/mod.ts";
import type { MobileOriginated, OutletMessage } from "../outlet.ts";
import type { SmppLibrary } from "./library.ts";
import { numberField, octetsField, type SmppPdu, textField } from "./pdu.ts";

/** What data_coding 0 holds at a centre: ASCII as it is, or the GSM alphabet (03.38), an octet a septet. */
export type Alphabet = "ascii" | "gsm";

/** The library's part for the GSM alphabet. */
export type GsmCoder = SmppLibrary["gsmCoder"];

/** esm_class: a user data header stands before the text; the types of deliver_sm (SMPP 3.4 §5.2.12). */
const UDHI = 0x40, TYPE_MASK = 0x3c, RECEIPT = 0x04, ACKNOWLEDGEMENTS = [0x08, 0x10], INTERMEDIATE = 0x20;
/** Class 2, 8 bits: for the SIM card. */
const SIM_DATA = 0xf6;

/** Msg_Fmt to data_coding: text as text, GBK as 15, which is what Chinese centres call it. */
function dataCoding(fmt: number): number {
  if (fmt === MsgFmt.simWrite) return SIM_DATA;
  return fmt === MsgFmt.ucs2NoSignature ? MsgFmt.ucs2 : fmt;
}

/** The fields of a submit_sm. A receipt is always asked for: how a message ended is counted even where nobody asks. */
export function submitSmOf(
  { submit, expiresAt }: OutletMessage,
  alphabet: Alphabet,
  gsm: GsmCoder,
): Record<string, unknown> {
  const number = submit.Dest_terminal_Id[0]!;
  return {
    source_addr: submit.Src_Id,
    source_addr_npi: 1,
    dest_addr_ton: number.startsWith("+") ? 1 : 0,
    dest_addr_npi: 1,
    destination_addr: number.replace(/^\+/, ""),
    esm_class: submit.TP_udhi === 1 ? UDHI : 0,
    protocol_id: submit.TP_pId,
    priority_flag: Math.min(submit.Msg_level, 3),
    validity_period: formatSmppTime(expiresAt, 0),
    registered_delivery: 1,
    data_coding: dataCoding(submit.Msg_Fmt),
    short_message: submit.Msg_Fmt === MsgFmt.ascii && alphabet === "gsm"
      ? toGsm(submit.Msg_Content, submit.TP_udhi === 1, gsm)
      : submit.Msg_Content,
  };
}

function toGsm(content: Uint8Array, headed: boolean, gsm: GsmCoder): Uint8Array {
  const header = headed ? content.subarray(0, 1 + (content[0] ?? 0)) : new Uint8Array(0);
  const text = gsm.encode(decodeText(content.subarray(header.length), MsgFmt.ascii)!, 0);
  const whole = new Uint8Array(header.length + text.length);
  whole.set(header);
  whole.set(text, header.length);
  return whole;
}

/** What a receipt says; `final` false for one of a message still under way. */
export interface SmppReceipt {
  /** The centre's name of the message, in whatever form it likes today. */
  readonly ref: string;
  readonly stat: string;
  readonly final: boolean;
  /** The phone. */
  readonly number: string;
}

/** message_state (SMPP 3.4 §5.2.28) as Stat. */
const STATES: Readonly<Record<number, string>> = {
  2: Stat.delivered,
  3: Stat.expired,
  4: Stat.deleted,
  5: Stat.undeliverable,
  7: Stat.unknown,
  8: Stat.rejected,
};

/** The receipt in a deliver_sm; undefined where it is none (SMPP 3.4 appendix B, and the TLVs of §5.3.2). */
export function receiptOf(pdu: SmppPdu): SmppReceipt | undefined {
  const type = numberField(pdu, "esm_class") & TYPE_MASK;
  if (type !== RECEIPT && type !== INTERMEDIATE) return undefined;
  const content = octetsField(pdu, "short_message"), payload = octetsField(pdu, "message_payload");
  const text = String.fromCharCode(...(content?.length ? content : payload ?? []).slice(0, 1024));
  const state = numberField(pdu, "message_state");
  const word = /\bstat:\s*([\x21-\x7e]{1,7})/i.exec(text)?.[1]?.toUpperCase();
  const underWay = state === 1 || state === 6 ||
    (state === 0 && (word === "ENROUTE" || word === Stat.accepted));
  return {
    ref: textField(pdu, "receipted_message_id") || (/\bid:\s*([\x21-\x7e]{1,65})/i.exec(text)?.[1] ?? ""),
    // The text may be the centre's own and more exact; the number of §5.2.28 is what all of them agree on.
    stat: STATES[state] ?? word ?? Stat.unknown,
    final: type === RECEIPT && !underWay,
    number: textField(pdu, "source_addr"),
  };
}

/** Whether a deliver_sm is an acknowledgement by a phone's user: nothing in CMPP says such a thing. */
export function isAcknowledgement(pdu: SmppPdu): boolean {
  return ACKNOWLEDGEMENTS.includes(numberField(pdu, "esm_class") & TYPE_MASK);
}

/**
 * The message from a phone in a deliver_sm: several where it is longer than CMPP can hold in one.
 *
 * @throws {CmppError} where it can't be said in CMPP
 */
export function mobileOriginatedOf(
  pdu: SmppPdu,
  alphabet: Alphabet,
  gsm: GsmCoder,
  reference: () => number,
): MobileOriginated[] {
  const short = octetsField(pdu, "short_message");
  const octets = short?.length ? short : octetsField(pdu, "message_payload") ?? new Uint8Array(0);
  const udhi = (numberField(pdu, "esm_class") & UDHI) !== 0;
  const { fmt, content } = contentOf(octets, numberField(pdu, "data_coding"), udhi, alphabet, gsm);
  const base = {
    from: textField(pdu, "source_addr"),
    to: textField(pdu, "destination_addr"),
    TP_pid: numberField(pdu, "protocol_id"),
    Msg_Fmt: fmt,
  };
  const segments = numberField(pdu, "sar_total_segments");
  if (!udhi && segments > 1) {
    const head = [
      5,
      0,
      3,
      numberField(pdu, "sar_msg_ref_num") & 0xff,
      segments,
      numberField(pdu, "sar_segment_seqnum"),
    ];
    return [{ ...base, TP_udhi: 1, content: fitting(Uint8Array.from([...head, ...content])) }];
  }
  if (udhi) return [{ ...base, TP_udhi: 1, content: fitting(content) }];
  return splitMessage(content, fmt, { reference: reference() })
    .map((part) => ({ ...base, TP_udhi: part.TP_udhi, content: part.Msg_Content }));
}

/** Msg_Length is an octet, and DELIVER's content may fill it. */
function fitting(content: Uint8Array): Uint8Array {
  if (content.length <= 255) return content;
  throw new CmppError("too_long", `${content.length} octets behind a user data header: 255 at most`);
}

/** Content as CMPP says it; only what CMPP has no Msg_Fmt for is written anew. */
function contentOf(
  octets: Uint8Array,
  coding: number,
  udhi: boolean,
  alphabet: Alphabet,
  gsm: GsmCoder,
): { fmt: number; content: Uint8Array } {
  const header = udhi ? 1 + (octets[0] ?? 0) : 0;
  if (header > octets.length) throw new CmppError("value", "the user data header is longer than the message");
  const again = (text: string) => {
    const fmt = fmtFor(text), body = encodeText(text, fmt), content = new Uint8Array(header + body.length);
    content.set(octets.subarray(0, header));
    content.set(body, header);
    return { fmt, content };
  };
  switch (coding) {
    case 0:
      return alphabet === "ascii"
        ? { fmt: MsgFmt.ascii, content: octets }
        : again(gsm.decode(octets.subarray(header), 0));
    case 1: // IA5
      return { fmt: MsgFmt.ascii, content: octets };
    case 3: // Latin 1: each octet is its character's number
      return again(String.fromCharCode(...octets.subarray(header)));
    case MsgFmt.ucs2:
    case MsgFmt.gbk:
    case MsgFmt.ucs2Flash:
    case MsgFmt.ucs2NoSignatureClass1:
      return { fmt: coding, content: octets };
    default:
      return { fmt: MsgFmt.binary, content: octets };
  }
}

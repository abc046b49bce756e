/**
 * DELIVER and DELIVER_RESP: messages from phones and status reports, to the service provider (reference §4).
 *
 * @module
 */
import { badLength, type Codec, type Head } from "./codec.ts";
import type { Dialect } from "./versions.ts";

/** A message from a phone, or a report. Fields that 2.0 does not have read as 0. */
export interface Deliver extends Head<"DELIVER"> {
  readonly Msg_Id: bigint;
  /** The number that the phone wrote to: SP_Code and what the user appended. */
  readonly Dest_Id: string;
  readonly Service_Id: string;
  readonly TP_pid: number;
  readonly TP_udhi: number;
  readonly Msg_Fmt: number;
  /** The phone; in a report the SUBMIT's destination. */
  readonly Src_terminal_Id: string;
  readonly Src_terminal_type: number;
  /** 0: a message, 1: Msg_Content is a status report. */
  readonly Registered_Delivery: number;
  /** At most 255 octets. As read: a view into the PDU. */
  readonly Msg_Content: Uint8Array;
  /** 20 octets; in 2.0 the 8 octets of Reserved. */
  readonly LinkID: string;
}

/** How DELIVER was taken. */
export interface DeliverResp extends Head<"DELIVER_RESP"> {
  readonly Msg_Id: bigint;
  /** 0 to 8 as in SUBMIT_RESP, from 9 on: other. */
  readonly Result: number;
}

const FIXED = { 2: 85, 3: 109 } as const;
/** Where Msg_Length stands behind the header. */
const LENGTH_AT = { 2: 64, 3: 76 } as const;

/** The codec of DELIVER in a dialect. */
export function deliver(dialect: Dialect): Codec<Deliver> {
  const base = FIXED[dialect], number = dialect === 3 ? 32 : 21;
  return {
    total: (message) => base + message.Msg_Content.length,
    write(to, m) {
      to.u64(m.Msg_Id, "Msg_Id");
      to.text(m.Dest_Id, 21, "Dest_Id");
      to.text(m.Service_Id, 10, "Service_Id");
      to.u8(m.TP_pid, "TP_pid");
      to.u8(m.TP_udhi, "TP_udhi");
      to.u8(m.Msg_Fmt, "Msg_Fmt");
      to.text(m.Src_terminal_Id, number, "Src_terminal_Id");
      if (dialect === 3) to.u8(m.Src_terminal_type, "Src_terminal_type");
      to.u8(m.Registered_Delivery, "Registered_Delivery");
      to.u8(m.Msg_Content.length, "Msg_Length");
      to.octets(m.Msg_Content, "Msg_Content");
      to.text(m.LinkID, dialect === 3 ? 20 : 8, "LinkID");
    },
    read(from, sequence) {
      const { pdu } = from;
      if (pdu.length < base) throw badLength(pdu, "DELIVER", base);
      const total = base + from.peek(LENGTH_AT[dialect]);
      if (pdu.length !== total) throw badLength(pdu, "DELIVER", total);
      return {
        command: "DELIVER",
        sequence,
        Msg_Id: from.u64(),
        Dest_Id: from.text(21),
        Service_Id: from.text(10),
        TP_pid: from.u8(),
        TP_udhi: from.u8(),
        Msg_Fmt: from.u8(),
        Src_terminal_Id: from.text(number),
        Src_terminal_type: dialect === 3 ? from.u8() : 0,
        Registered_Delivery: from.u8(),
        Msg_Content: from.octets(from.u8()),
        LinkID: from.text(dialect === 3 ? 20 : 8),
      };
    },
  };
}

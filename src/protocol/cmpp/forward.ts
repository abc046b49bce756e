/**
 * FWD and FWD_RESP: messages and reports between gateways (reference §5).
 *
 * @module
 */
import { badLength, badValue, type Codec, type Fixed, fixed, type Head } from "./codec.ts";
import { CmppError } from "./errors.ts";
import {
  absent,
  type Fields,
  type Layout,
  layout,
  readFields,
  text,
  u32,
  u64,
  u8,
  type ValuesOf,
  writeFields,
  zeroFilled,
} from "./layout.ts";
import type { Dialect } from "./versions.ts";
import { HEADER_OCTETS, type Reader } from "./wire.ts";

/** What a FWD carries. */
export const FwdType = { mt: 0, mo: 1, mtReport: 2, moReport: 3 } as const;

const BEFORE = {
  Source_Id: zeroFilled(6),
  Destination_Id: zeroFilled(6),
  NodesCount: u8,
  Msg_Fwd_Type: u8,
  Msg_Id: u64,
  Pk_total: u8,
  Pk_number: u8,
  Registered_Delivery: u8,
  Msg_level: u8,
  Service_Id: text(10),
  Fee_UserType: u8,
  Fee_terminal_Id: text(21),
  Fee_terminal_Pseudo: text(32),
  Fee_terminal_UserType: u8,
  TP_pid: u8,
  TP_udhi: u8,
  Msg_Fmt: u8,
  Msg_src: text(6),
  FeeType: text(2),
  FeeCode: text(6),
  Valid_Time: text(17),
  At_Time: text(17),
  Src_Id: text(21),
  Src_Pseudo: text(32),
  Src_UserType: u8,
  Src_type: u8,
};
const BETWEEN = { Dest_Pseudo: text(32), Dest_UserType: u8 };

/** The fields before and after the numbers in a dialect; 2.0 has no pseudo codes and no user types. */
const PARTS = {
  3: { before: layout(BEFORE), between: layout(BETWEEN), linkId: 20 },
  2: {
    before: layout({
      ...BEFORE,
      Fee_terminal_Pseudo: absent(""),
      Fee_terminal_UserType: absent(0),
      Src_Pseudo: absent(""),
      Src_UserType: absent(0),
      Src_type: absent(0),
    }),
    between: layout({ Dest_Pseudo: absent(""), Dest_UserType: absent(0) }),
    linkId: 8,
  },
} as const;

const NUMBER = 21;
const RESP_BASE = { Msg_Id: u64, Pk_total: u8, Pk_number: u8 };
const RESP = { 2: layout({ ...RESP_BASE, Result: u8 }), 3: layout({ ...RESP_BASE, Result: u32 }) } as const;

/**
 * A message or report on its way between gateways. Src_Id and Dest_Id mean, by Msg_Fwd_Type: MT provider and phone,
 * MO phone and provider, MT report receiving phone and provider, MO report provider and sending phone.
 */
export interface Fwd extends Head<"FWD">, Readonly<ValuesOf<typeof BEFORE & typeof BETWEEN>> {
  /** 3.0: exactly one; 2.0: 1 to 99. */
  readonly Dest_Id: readonly string[];
  /** As read: a view into the PDU. */
  readonly Msg_Content: Uint8Array;
  readonly LinkID: string;
}
/** How FWD was taken. */
export type FwdResp = Fixed<"FWD_RESP", (typeof RESP)[3]["fields"]>;

/** The codec of FWD in a dialect. */
export function fwd(dialect: Dialect): Codec<Fwd> {
  const { before, between, linkId } = PARTS[dialect];
  const most = dialect === 3 ? 1 : 99;
  /** Everything but numbers and content. */
  const base = HEADER_OCTETS + before.octets + 1 + between.octets + 1 + linkId;
  return {
    total(message) {
      const { length } = message.Dest_Id;
      if (length < 1 || length > most) {
        throw new CmppError("value", `DestUsr_tl "${length}" does not fit: 1 to ${most}`);
      }
      return base + NUMBER * length + message.Msg_Content.length;
    },
    write(to, message) {
      const values: Readonly<Record<string, unknown>> = { ...message };
      writeFields(before, to, values);
      to.u8(message.Dest_Id.length, "DestUsr_tl");
      for (const number of message.Dest_Id) to.text(number, NUMBER, "Dest_Id");
      writeFields(between, to, values);
      to.u8(message.Msg_Content.length, "Msg_Length");
      to.octets(message.Msg_Content, "Msg_Content");
      to.text(message.LinkID, linkId, "LinkID");
    },
    read(from, sequence) {
      const { pdu } = from;
      if (pdu.length < base + NUMBER) throw badLength(pdu, "FWD", base + NUMBER);
      const count = from.peek(before.octets);
      if (count < 1 || count > most) throw badValue(pdu, "DestUsr_tl", count, `1 to ${most}`);
      const numbers = base + count * NUMBER;
      if (pdu.length < numbers) throw badLength(pdu, "FWD", numbers);
      const total = numbers + from.peek(before.octets + 1 + count * NUMBER + between.octets);
      if (pdu.length !== total) throw badLength(pdu, "FWD", total);
      return readFwd(from, sequence, before, between, linkId);
    },
  };
}

function readFwd(
  from: Reader,
  sequence: number,
  before: Layout<Fields>,
  between: Layout<Fields>,
  linkId: number,
): Fwd {
  const message: Record<string, unknown> = { command: "FWD", sequence };
  readFields(before, from, message);
  const numbers: string[] = [];
  for (let left = from.u8(); left > 0; left--) numbers.push(from.text(NUMBER));
  message.Dest_Id = numbers;
  readFields(between, from, message);
  message.Msg_Content = from.octets(from.u8());
  message.LinkID = from.text(linkId);
  // Every field was filled in just now, from the layouts that the type is made of.
  return message as unknown as Fwd;
}

/** The codec of FWD_RESP in a dialect. */
export const fwdResp = (dialect: Dialect): Codec<FwdResp> => fixed("FWD_RESP", RESP[dialect]);

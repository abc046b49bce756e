/**
 * FWDs made of what this gateway has, and what this gateway takes made of FWDs (reference §5).
 *
 * @module
 */
import {
  type Deliver,
  encodeReport,
  formatSmppTime,
  type Fwd,
  FwdType,
  MsgFmt,
  type StatusReport,
  type Submit,
} from "../../../protocol/cmpp/mod.ts";

/** What every FWD of this gateway has in common. */
const BASE = {
  command: "FWD",
  sequence: 0,
  NodesCount: 1,
  Pk_total: 1,
  Pk_number: 1,
  Registered_Delivery: 0,
  Msg_level: 0,
  Service_Id: "",
  Fee_UserType: 0,
  Fee_terminal_Id: "",
  Fee_terminal_Pseudo: "",
  Fee_terminal_UserType: 0,
  TP_pid: 0,
  TP_udhi: 0,
  Msg_Fmt: MsgFmt.ascii,
  Msg_src: "",
  FeeType: "",
  FeeCode: "",
  Valid_Time: "",
  At_Time: "",
  Src_Pseudo: "",
  Src_UserType: 0,
  Src_type: 0,
  Dest_Pseudo: "",
  Dest_UserType: 0,
  LinkID: "",
} as const;

/** A message to a phone, from this gateway to the one that serves it. `expiresAt`: when its validity ends. */
export function fwdOfSubmit(
  submit: Submit,
  ways: { from: string; to: string; expiresAt: number; utcOffsetMinutes: number },
): Fwd {
  const pseudo = submit.Fee_terminal_type === 1;
  return {
    ...BASE,
    Source_Id: ways.from,
    Destination_Id: ways.to,
    Msg_Fwd_Type: FwdType.mt,
    Msg_Id: submit.Msg_Id,
    Pk_total: submit.Pk_total,
    Pk_number: submit.Pk_number,
    Registered_Delivery: submit.Registered_Delivery,
    Msg_level: submit.Msg_level,
    Service_Id: submit.Service_Id,
    Fee_UserType: submit.Fee_UserType,
    Fee_terminal_Id: pseudo ? "" : submit.Fee_terminal_Id,
    Fee_terminal_Pseudo: pseudo ? submit.Fee_terminal_Id : "",
    TP_pid: submit.TP_pId,
    TP_udhi: submit.TP_udhi,
    Msg_Fmt: submit.Msg_Fmt,
    Msg_src: submit.Msg_src,
    FeeType: submit.FeeType,
    FeeCode: submit.FeeCode,
    // Absolute: what was meant from the SUBMIT on must not begin anew on the way. It is due already.
    Valid_Time: formatSmppTime(ways.expiresAt, ways.utcOffsetMinutes),
    Src_Id: submit.Src_Id,
    Dest_Id: submit.Dest_terminal_Id,
    Msg_Content: submit.Msg_Content,
    LinkID: submit.LinkID,
  };
}

/** The SUBMIT that a message to a phone from another gateway amounts to, under the name it has here. */
export function submitOfFwd(fwd: Fwd, Msg_Id: bigint, number: string): Submit {
  const pseudo = fwd.Fee_terminal_Id === "" && fwd.Fee_terminal_Pseudo !== "";
  return {
    command: "SUBMIT",
    sequence: 0,
    Msg_Id,
    Pk_total: fwd.Pk_total,
    Pk_number: fwd.Pk_number,
    // 2 asks for a call record of the centre, which no report tells of.
    Registered_Delivery: fwd.Registered_Delivery === 1 ? 1 : 0,
    Msg_level: fwd.Msg_level,
    Service_Id: fwd.Service_Id,
    Fee_UserType: fwd.Fee_UserType,
    Fee_terminal_Id: pseudo ? fwd.Fee_terminal_Pseudo : fwd.Fee_terminal_Id,
    Fee_terminal_type: pseudo ? 1 : 0,
    TP_pId: fwd.TP_pid,
    TP_udhi: fwd.TP_udhi,
    Msg_Fmt: fwd.Msg_Fmt,
    Msg_src: fwd.Msg_src,
    FeeType: fwd.FeeType,
    FeeCode: fwd.FeeCode,
    ValId_Time: fwd.Valid_Time,
    At_Time: fwd.At_Time,
    Src_Id: fwd.Src_Id,
    Dest_terminal_Id: [number],
    Dest_terminal_type: 0,
    Msg_Content: fwd.Msg_Content,
    LinkID: fwd.LinkID,
  };
}

/** A message of a phone, from the gateway of its centre to the one that its provider is at. */
export function fwdOfDeliver(deliver: Deliver, ways: { from: string; to: string }): Fwd {
  return {
    ...BASE,
    Source_Id: ways.from,
    Destination_Id: ways.to,
    Msg_Fwd_Type: FwdType.mo,
    Msg_Id: deliver.Msg_Id,
    Registered_Delivery: 1,
    Service_Id: deliver.Service_Id,
    TP_pid: deliver.TP_pid,
    TP_udhi: deliver.TP_udhi,
    Msg_Fmt: deliver.Msg_Fmt,
    Src_Id: deliver.Src_terminal_Id,
    Dest_Id: [deliver.Dest_Id],
    Msg_Content: deliver.Msg_Content,
    LinkID: deliver.LinkID,
  };
}

/** The DELIVER that a message of a phone from another gateway amounts to. */
export function deliverOfFwd(fwd: Fwd): Deliver {
  const pseudo = fwd.Src_Id === "" && fwd.Src_Pseudo !== "";
  return {
    command: "DELIVER",
    sequence: 0,
    Msg_Id: fwd.Msg_Id,
    Dest_Id: fwd.Dest_Id[0]!,
    Service_Id: fwd.Service_Id,
    TP_pid: fwd.TP_pid,
    TP_udhi: fwd.TP_udhi,
    Msg_Fmt: fwd.Msg_Fmt,
    Src_terminal_Id: pseudo ? fwd.Src_Pseudo : fwd.Src_Id,
    Src_terminal_type: pseudo ? 1 : 0,
    Registered_Delivery: 0,
    Msg_Content: fwd.Msg_Content.slice(),
    LinkID: fwd.LinkID,
  };
}

/**
 * The report on a FWD, for the way back: source and destination change places. `report` is on the message as its
 * sender knows it.
 */
export function fwdOfReport(original: Fwd, report: StatusReport, from: string): Fwd {
  const mt = original.Msg_Fwd_Type === FwdType.mt;
  return {
    ...BASE,
    Source_Id: from,
    Destination_Id: original.Source_Id,
    Msg_Fwd_Type: mt ? FwdType.mtReport : FwdType.moReport,
    Msg_Id: report.Msg_Id,
    Pk_total: original.Pk_total,
    Pk_number: original.Pk_number,
    Service_Id: original.Service_Id,
    Msg_src: original.Msg_src,
    // Of a report to a provider the phone is the source, of one towards a phone the provider.
    Src_Id: original.Dest_Id[0]!,
    Dest_Id: [original.Src_Id],
    // As it is kept: 71 octets about a phone (60 on a connection of 2.0), always 60 about a provider.
    Msg_Content: encodeReport(report, mt ? 3 : 2),
    LinkID: original.LinkID,
  };
}

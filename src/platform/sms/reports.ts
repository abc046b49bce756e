/**
 * The DELIVERs that bring providers what became of their messages, and what phones wrote.
 *
 * @module
 */
import { type Deliver, encodeReport, type StatusReport } from "../../protocol/cmpp/mod.ts";
import type { LocalTimes } from "./local_times.ts";
import type { Mt } from "./message.ts";
import type { MobileOriginated } from "./outlet.ts";

/** How a message ended, in the words of a status report. */
export function reportOf(
  mt: Pick<Mt, "msgId" | "submit" | "submittedAt">,
  stat: string,
  SMSC_sequence: number,
  now: number,
  times: LocalTimes,
): StatusReport {
  return {
    Msg_Id: mt.msgId,
    Stat: stat.slice(0, 7),
    Submit_time: times.report(mt.submittedAt),
    Done_time: times.report(now),
    Dest_terminal_Id: mt.submit.Dest_terminal_Id[0]!,
    SMSC_sequence,
  };
}

/** The DELIVER that carries a report, in the widths of 3.0. */
export function reportDeliver(
  { submit, msgId }: Pick<Mt, "submit" | "msgId">,
  report: StatusReport,
): Deliver {
  return {
    command: "DELIVER",
    sequence: 0,
    Msg_Id: msgId,
    Dest_Id: submit.Src_Id,
    Service_Id: submit.Service_Id,
    TP_pid: 0,
    TP_udhi: 0,
    Msg_Fmt: 0,
    Src_terminal_Id: report.Dest_terminal_Id,
    Src_terminal_type: submit.Dest_terminal_type,
    Registered_Delivery: 1,
    Msg_Content: encodeReport(report, 3),
    LinkID: submit.LinkID,
  };
}

/** The DELIVER of what a phone wrote. */
export function moDeliver(mo: MobileOriginated, Msg_Id: bigint, Service_Id: string): Deliver {
  return {
    command: "DELIVER",
    sequence: 0,
    Msg_Id,
    Dest_Id: mo.to,
    Service_Id,
    TP_pid: mo.TP_pid,
    TP_udhi: mo.TP_udhi,
    Msg_Fmt: mo.Msg_Fmt,
    Src_terminal_Id: mo.from,
    Src_terminal_type: 0,
    Registered_Delivery: 0,
    Msg_Content: mo.content.slice(),
    LinkID: "",
  };
}

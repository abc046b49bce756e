/**
 * Status reports: what DELIVER and FWD carry as Msg_Content to tell how a message ended (reference §4, §5).
 *
 * @module
 */
import { CmppError } from "./errors.ts";
import { HEADER_OCTETS, Reader, Writer } from "./wire.ts";
import type { Dialect } from "./versions.ts";

/** A status report. */
export interface StatusReport {
  /** As SUBMIT_RESP gave it. */
  readonly Msg_Id: bigint;
  /** Seven octets at most; {@linkcode Stat} has those of the standard, operators use more. */
  readonly Stat: string;
  /** YYMMDDhhmm. */
  readonly Submit_time: string;
  /** YYMMDDhhmm. */
  readonly Done_time: string;
  readonly Dest_terminal_Id: string;
  readonly SMSC_sequence: number;
}

/** Values of Stat in the standard's table 1; {@linkcode statWithCode} makes the others. */
export const Stat = {
  delivered: "DELIVRD",
  expired: "EXPIRED",
  deleted: "DELETED",
  undeliverable: "UNDELIV",
  /** Not final: a gateway drops a report that says so. */
  accepted: "ACCEPTD",
  unknown: "UNKNOWN",
  rejected: "REJECTD",
} as const;

/**
 * Where a message failed, for Stat in the form `MB:0011`: the centre did not answer (MA), answered an error (MB) or
 * never reported (MC); CA, CB the control point; DA, DB the service platform; SA, SB the provider; IA, IB, IC the
 * next gateway.
 */
export type StatPrefix =
  | "MA"
  | "MB"
  | "MC"
  | "CA"
  | "CB"
  | "DA"
  | "DB"
  | "SA"
  | "SB"
  | "IA"
  | "IB"
  | "IC";

/** `MB:0011`: a place and an error code from 0 to 9999. */
export function statWithCode(prefix: StatPrefix, code: number): string {
  return `${prefix}:${String(Math.min(Math.max(Math.trunc(code), 0), 9999)).padStart(4, "0")}`;
}

/** Octets of a report: 60 with a number of 21 octets (2.0), 71 with one of 32 (3.0). */
export const REPORT_OCTETS = { 2: 60, 3: 71 } as const;

/** A report as Msg_Content. @throws {CmppError} `value` where a field does not fit */
export function encodeReport(report: StatusReport, dialect: Dialect): Uint8Array<ArrayBuffer> {
  const to = new Writer(HEADER_OCTETS + REPORT_OCTETS[dialect], 0, 0);
  to.u64(report.Msg_Id, "Msg_Id");
  to.text(report.Stat, 7, "Stat");
  to.text(report.Submit_time, 10, "Submit_time");
  to.text(report.Done_time, 10, "Done_time");
  to.text(report.Dest_terminal_Id, dialect === 3 ? 32 : 21, "Dest_terminal_Id");
  to.u32(report.SMSC_sequence, "SMSC_sequence");
  return to.pdu.slice(HEADER_OCTETS);
}

/** Reads a report by its length, whatever the version: real gateways send 60 octets in 3.0 too. @throws {CmppError} */
export function decodeReport(content: Uint8Array): StatusReport {
  if (content.length !== REPORT_OCTETS[2] && content.length !== REPORT_OCTETS[3]) {
    throw new CmppError("length", `a status report has 60 or 71 octets, not ${content.length}`);
  }
  const whole = new Uint8Array(HEADER_OCTETS + content.length);
  whole.set(content, HEADER_OCTETS);
  const from = new Reader(whole);
  return {
    Msg_Id: from.u64(),
    Stat: from.text(7),
    Submit_time: from.text(10),
    Done_time: from.text(10),
    Dest_terminal_Id: from.text(content.length === REPORT_OCTETS[3] ? 32 : 21),
    SMSC_sequence: from.u32(),
  };
}

/**
 * What is wrong with a FWD, as a Result (reference §5): each with a cause of its own.
 *
 * @module
 */
import { decodeReport, type Fwd, FwdType, maxContent, Result } from "../../../protocol/cmpp/mod.ts";

/** A number as it may stand in a FWD: digits with or without a country code. */
const NUMBER = /^\+?\d{3,20}$/;

/** The Result for a FWD that can't be taken by anybody; undefined where it can. */
export function refusalOfFwd(fwd: Fwd): number | undefined {
  if (!wellFormed(fwd)) return Result.structure;
  if (fwd.Msg_Fwd_Type === FwdType.mtReport || fwd.Msg_Fwd_Type === FwdType.moReport) {
    return readable(fwd.Msg_Content) ? undefined : Result.length;
  }
  if (fwd.Msg_Content.length > maxContent(fwd.Msg_Fmt)) return Result.tooLong;
  return fwd.Dest_Id.every((number) => NUMBER.test(number)) ? undefined : Result.destTerminalId;
}

function wellFormed(fwd: Fwd): boolean {
  return fwd.Msg_Fwd_Type <= FwdType.moReport && fwd.NodesCount >= 1 &&
    fwd.Pk_number <= Math.max(fwd.Pk_total, 1) && fwd.Registered_Delivery <= 2 && fwd.TP_udhi <= 1 &&
    /^\d{6}$/.test(fwd.Source_Id) && /^\d{6}$/.test(fwd.Destination_Id) &&
    (fwd.Msg_Fwd_Type === FwdType.mt || fwd.Dest_Id.length === 1) &&
    // A report is told by its type; its content is no text, and has no user data header.
    (fwd.TP_udhi === 0 || fwd.Msg_Fwd_Type > FwdType.mo ||
      (fwd.Msg_Content[0] ?? 255) < fwd.Msg_Content.length);
}

function readable(content: Uint8Array): boolean {
  try {
    decodeReport(content);
    return true;
  } catch {
    return false;
  }
}

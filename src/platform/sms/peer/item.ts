/**
 * What is sent to another gateway, and how it becomes a row and back.
 *
 * @module
 */
import { decodeMessage, encodeMessage, type Fwd, FwdType, msgIdHex } from "../../../protocol/cmpp/mod.ts";
import type { OutletMessage } from "../outlet.ts";
import type { ForwardRow } from "../routing/mod.ts";
import type { Seal } from "../../credentials/mod.ts";

/** A FWD on its way to a peer. */
export interface ForwardItem {
  /** Rises with time. */
  readonly id: number;
  readonly peer: string;
  readonly fwd: Fwd;
  readonly createdAt: number;
  /** When its validity ends, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** Where it is a message to a phone, as the dispatcher handed it out: its row, not one of this queue, keeps it. */
  readonly mt?: OutletMessage;
}

/** The row of a new item. What a phone wrote is sealed; a report holds no text. */
export function forwardRow(item: ForwardItem, seal: Seal): ForwardRow {
  const pdu = encodeMessage(item.fwd, 3);
  return {
    peer: item.peer,
    id: item.id,
    kind: item.fwd.Msg_Fwd_Type,
    msg_id: msgIdHex(item.fwd.Msg_Id),
    state: "queued",
    created_at: item.createdAt,
    pdu: item.fwd.Msg_Fwd_Type === FwdType.mo ? seal.seal(pdu) : pdu,
  };
}

/** An item from its row. @throws {SealError} */
export function forwardItemOf(row: ForwardRow, seal: Seal, keptMs: number): ForwardItem {
  return {
    id: row.id,
    peer: row.peer,
    fwd: fwdOf(row.kind === FwdType.mo ? seal.open(row.pdu) : row.pdu),
    createdAt: row.created_at,
    expiresAt: row.created_at + keptMs,
  };
}

/** The FWD in a PDU that was kept. */
export function fwdOf(pdu: Uint8Array): Fwd {
  const fwd = decodeMessage(pdu.slice(), 3);
  if (fwd.command !== "FWD") throw new TypeError(`a FWD is kept as ${fwd.command}`);
  return fwd;
}

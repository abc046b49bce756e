/**
 * A message to a phone and what waits for a provider, as the service holds them, and how they become rows and back.
 *
 * @module
 */
import {
  decodeMessage,
  decodeReport,
  type Deliver,
  encodeMessage,
  msgIdHex,
  type StatusReport,
  type Submit,
} from "../../protocol/cmpp/mod.ts";
import type { MessageRow, OutboxRow, ReceivedRow } from "./schema.ts";
import type { Seal } from "../credentials/mod.ts";

/** A message to one phone that has not ended. */
export interface Mt {
  readonly msgId: bigint;
  /** Its Msg_Id as 16 hex digits. */
  readonly key: string;
  readonly spId: string;
  /** To this one number only; its content is a copy of its own. */
  readonly submit: Submit;
  readonly submittedAt: number;
  readonly dueAt: number;
  readonly expiresAt: number;
  /** Handed to the centre, which has taken it. */
  sent: boolean;
  /** There is a row of it: not where the service is not durable, unless it is for later or was left to the disk. */
  kept: boolean;
}

/** A report or message for a provider. */
export interface OutboxItem {
  /** Rises with time. */
  readonly id: number;
  readonly spId: string;
  readonly serviceId: string;
  readonly kind: "report" | "mo";
  readonly createdAt: number;
  readonly deliver: Deliver;
  /** What a report says: its width on the wire depends on who takes it. */
  readonly report?: StatusReport | undefined;
  /** The DELIVER as a PDU of 3.0, once it was written. */
  pdu?: Uint8Array;
}

/** The row of a new message; the store seals what it says. */
export function messageRow(mt: Mt, now: number): MessageRow {
  return {
    msg_id: mt.key,
    sp_id: mt.spId,
    service_id: mt.submit.Service_Id,
    destination: mt.submit.Dest_terminal_Id[0]!,
    state: mt.dueAt > now ? "scheduled" : "waiting",
    stat: null,
    submitted_at: mt.submittedAt,
    due_at: mt.dueAt,
    expires_at: mt.expiresAt,
    done_at: null,
    outlet_ref: null,
    pdu: encodeMessage(mt.submit, 3),
  };
}

/** A message from its row. */
export function mtOf(row: MessageRow): Mt {
  const submit = decodeMessage(row.pdu, 3);
  if (submit.command !== "SUBMIT") throw new TypeError(`message ${row.msg_id} is kept as ${submit.command}`);
  return {
    msgId: submit.Msg_Id,
    key: row.msg_id,
    spId: row.sp_id,
    submit,
    submittedAt: row.submitted_at,
    dueAt: row.due_at,
    expiresAt: row.expires_at,
    sent: row.state === "sent",
    kept: true,
  };
}

/**
 * The row of what waits for a provider. What a phone wrote is sealed; a report holds nothing that the message's row
 * does not show, and sealing is what costs most on this path.
 */
export function outboxRow(item: OutboxItem, seal: Seal): OutboxRow {
  const pdu = item.pdu = encodeMessage(item.deliver, 3);
  return {
    id: item.id,
    sp_id: item.spId,
    service_id: item.serviceId,
    kind: item.kind,
    created_at: item.createdAt,
    pdu: item.kind === "mo" ? seal.seal(pdu) : pdu,
  };
}

/** The row of what a phone wrote, which is kept when its provider has it; `pdu` is sealed already. */
export function receivedRow(
  { id, deliver, spId, serviceId, createdAt }: OutboxItem,
  pdu: Uint8Array,
): ReceivedRow {
  return {
    id,
    msg_id: keyOf(deliver.Msg_Id),
    sp_id: spId,
    service_id: serviceId,
    source: deliver.Src_terminal_Id,
    destination: deliver.Dest_Id,
    state: "waiting",
    result: null,
    received_at: createdAt,
    done_at: null,
    pdu,
  };
}

/** What waits, from its row. @throws {SealError} */
export function outboxItemOf(row: OutboxRow, seal: Seal): OutboxItem {
  const deliver = decodeMessage(row.kind === "mo" ? seal.open(row.pdu) : row.pdu.slice(), 3);
  if (deliver.command !== "DELIVER") throw new TypeError(`outbox ${row.id} is kept as ${deliver.command}`);
  return {
    id: row.id,
    spId: row.sp_id,
    serviceId: row.service_id,
    kind: row.kind,
    createdAt: row.created_at,
    deliver,
    report: row.kind === "report" ? decodeReport(deliver.Msg_Content) : undefined,
  };
}

/** The Msg_Id as rows name it. */
export const keyOf = msgIdHex;

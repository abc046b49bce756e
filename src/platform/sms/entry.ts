/**
 * A journal's entry: what one transaction decided, as octets and back.
 *
 * Four octets of length, the records as JSON text, then the octets that text can't hold. JSON, because the runtime
 * writes it faster than we could write anything else; lists, because names would be most of it.
 *
 * @module
 */
import type { Count, Move } from "./change.ts";
import type { MessageRow, MessageState, MessageTableRow, OutboxRow } from "./schema.ts";

/** A message whose row is not in its table yet: what it says is in the row of contents, and in memory. */
export interface PendingMessage extends Omit<MessageTableRow, "pdu"> {
  pdu: Uint8Array;
}

/** What one transaction decided. */
export interface Entry {
  readonly messages: readonly PendingMessage[];
  readonly moves: readonly Move[];
  readonly outbox: readonly OutboxRow[];
  readonly taken: readonly { readonly spId: string; readonly id: number }[];
  readonly counts: readonly Required<Count>[];
}

type Message = [string, string, string, string, MessageState, number, number, number, number, number];
type Item = [number, string, string, OutboxRow["kind"], number, number];
type Records = [
  Message[],
  [string, MessageState, string | null, number | null, string | null][],
  Item[],
  [string, number][],
  Required<Count>[],
];

/** The messages' PDUs one after the other, and each message with its place among them. */
export function contentsOf(
  id: number,
  rows: readonly MessageRow[],
): { messages: PendingMessage[]; octets: Uint8Array } {
  const octets = new Uint8Array(rows.reduce((sum, row) => sum + row.pdu.length, 0));
  let at = 0;
  const messages = rows.map((row): PendingMessage => {
    octets.set(row.pdu, at);
    const message = { ...row, content_id: id, content_at: at, content_size: row.pdu.length };
    at += row.pdu.length;
    return message;
  });
  return { messages, octets };
}

/** An entry as octets. */
export function encodeEntry(entry: Entry): Uint8Array {
  const records: Records = [
    entry.messages.map((m) => [
      m.msg_id,
      m.sp_id,
      m.service_id,
      m.destination,
      m.state,
      m.submitted_at,
      m.due_at,
      m.expires_at,
      m.content_at!,
      m.content_size!,
    ]),
    entry.moves.map(({ msgId, state, stat, at, ref = null }) => [msgId, state, stat, at, ref]),
    entry.outbox.map((o) => [o.id, o.sp_id, o.service_id, o.kind, o.created_at, o.pdu.length]),
    entry.taken.map(({ spId, id }) => [spId, id]),
    [...entry.counts],
  ];
  const text = new TextEncoder().encode(JSON.stringify(records));
  const octets = new Uint8Array(entry.outbox.reduce((sum, { pdu }) => sum + pdu.length, 4 + text.length));
  new DataView(octets.buffer).setUint32(0, text.length);
  octets.set(text, 4);
  let at = 4 + text.length;
  for (const { pdu } of entry.outbox) {
    octets.set(pdu, at);
    at += pdu.length;
  }
  return octets;
}

/** An entry from its octets; `id` and `contents` (opened) are those of the same transaction. */
export function decodeEntry(octets: Uint8Array, id: number, contents: Uint8Array): Entry {
  const length = new DataView(octets.buffer, octets.byteOffset).getUint32(0);
  const records = JSON.parse(new TextDecoder().decode(octets.subarray(4, 4 + length))) as Records;
  const [messages, moves, outbox, taken, counts] = records;
  let at = 4 + length;
  return {
    messages: messages.map((m) => ({
      msg_id: m[0],
      sp_id: m[1],
      service_id: m[2],
      destination: m[3],
      state: m[4],
      stat: null,
      submitted_at: m[5],
      due_at: m[6],
      expires_at: m[7],
      done_at: null,
      outlet_ref: null,
      content_id: id,
      content_at: m[8],
      content_size: m[9],
      pdu: contents.slice(m[8], m[8] + m[9]),
    })),
    moves: moves.map(([msgId, state, stat, at, ref]) => ({
      msgId,
      state,
      stat,
      at,
      ...(ref === null ? {} : { ref }),
    })),
    outbox: outbox.map(([id, sp_id, service_id, kind, created_at, size]) => {
      const pdu = octets.slice(at, at += size);
      return { id, sp_id, service_id, kind, created_at, pdu };
    }),
    taken: taken.map(([spId, id]) => ({ spId, id })),
    counts,
  };
}

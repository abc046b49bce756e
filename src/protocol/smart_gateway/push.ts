/**
 * Messages that plug-ins push to the platform, one JSON object a frame, gateway the client (reference §5).
 *
 * @module
 */
import { digestText, type Field, id, looseText, mac, optional, result, text } from "./fields.ts";
import { ProtocolError } from "./errors.ts";
import { MAX_FRAME_BYTES } from "./framing.ts";
import type { TransactionId } from "./identifiers.ts";
import { parseObject } from "./json.ts";
import { encodeBody, readShape, RequestCodec, type Shape } from "./shape.ts";

/** One pushed message. */
export interface MessagePush {
  readonly method: "MessagePush";
  readonly pluginName: string;
  /** `YYYYMMDDhhmmss`. */
  readonly time: string;
  readonly mac: string;
  /** Base64. */
  readonly message: string;
  /** H(time, message, mac, SN): also what the platform knows a repeat by. */
  readonly md5: string;
}

/** The platform has it. */
export interface MessagePushReply {
  readonly result: number;
  readonly id?: TransactionId;
}

const requests = new RequestCodec<MessagePush>({
  MessagePush: {
    pluginName: looseText("Plugin_Name"),
    time: timestamp("time"),
    mac: mac("mac"),
    message: text("Message", MAX_FRAME_BYTES),
    md5: digestText("MD5"),
  },
});

const reply: Shape<MessagePushReply> = { result: result(), id: optional(id()) };

/** The frame body of a message. */
export function encodeMessagePush(message: MessagePush): Uint8Array<ArrayBuffer> {
  return requests.encode(message);
}

/** Reads a message. Throws {@linkcode ProtocolError}. */
export function decodeMessagePush(bytes: Uint8Array, maxBytes: number = MAX_FRAME_BYTES): MessagePush {
  return requests.decode(parseObject(bytes, maxBytes));
}

/** The frame body of an answer. */
export function encodeMessagePushReply(message: MessagePushReply): Uint8Array<ArrayBuffer> {
  return encodeBody(reply, message);
}

/** Reads an answer. Throws {@linkcode ProtocolError}. */
export function decodeMessagePushReply(
  bytes: Uint8Array,
  maxBytes: number = MAX_FRAME_BYTES,
): MessagePushReply {
  return readShape(reply, parseObject(bytes, maxBytes));
}

/** Writes a moment, in milliseconds since 1970, as the `time` of a message (UTC). */
export function pushTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\D/g, "").slice(0, 14);
}

function timestamp(wire: string): Field<string> {
  const inner = text(wire, 14);
  const check = (value: string) => {
    if (/^\d{14}$/.test(value)) return value;
    throw new ProtocolError("bad_value", `field "${wire}" is not YYYYMMDDhhmmss`, { field: wire });
  };
  return { wire, read: (value) => check(inner.read(value)!), write: check };
}

/**
 * The one message of the local port 17998, one JSON object a frame, the phone app the client (reference §6).
 *
 * @module
 */
import { id, looseText, optional, result, text } from "./fields.ts";
import { MAX_FRAME_BYTES } from "./framing.ts";
import type { TransactionId } from "./identifiers.ts";
import { parseObject } from "./json.ts";
import { encodeBody, readShape, RequestCodec, type Shape } from "./shape.ts";

/** A request for a plug-in from the LAN. */
export interface Post1 {
  readonly method: "Post1";
  readonly id: TransactionId;
  /** May be empty: then the CmdType chooses the plug-in. */
  readonly pluginName: string;
  readonly version: string;
  /** Base64 of the inner JSON request. */
  readonly parameter: string;
}

/** Its answer, after which the gateway closes. */
export interface Post1Reply {
  readonly result: number;
  readonly id?: TransactionId;
  readonly returnParameter?: string;
}

const requests = new RequestCodec<Post1>({
  Post1: {
    pluginName: looseText("Plugin_Name"),
    version: looseText("Version"),
    id: id(),
    parameter: looseText("Parameter", "", MAX_FRAME_BYTES),
  },
});

const reply: Shape<Post1Reply> = {
  result: result(),
  id: optional(id()),
  returnParameter: optional(text("return_Parameter", MAX_FRAME_BYTES)),
};

/** The frame body of a Post1. */
export function encodePost1(message: Post1): Uint8Array<ArrayBuffer> {
  return requests.encode(message);
}

/** Reads a Post1. Throws {@linkcode ProtocolError}. */
export function decodePost1(bytes: Uint8Array, maxBytes: number = MAX_FRAME_BYTES): Post1 {
  return requests.decode(parseObject(bytes, maxBytes));
}

/** The frame body of an answer. */
export function encodePost1Reply(message: Post1Reply): Uint8Array<ArrayBuffer> {
  return encodeBody(reply, message);
}

/** Reads an answer. Throws {@linkcode ProtocolError}. */
export function decodePost1Reply(bytes: Uint8Array, maxBytes: number = MAX_FRAME_BYTES): Post1Reply {
  return readShape(reply, parseObject(bytes, maxBytes));
}

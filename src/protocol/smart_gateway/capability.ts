/**
 * The inner request and reply: JSON in base64 inside `Parameter` and `return_Parameter` (reference §1, §7).
 *
 * @module
 */
import { ProtocolError } from "./errors.ts";
import { looseText, text } from "./fields.ts";
import { MAX_FRAME_BYTES } from "./framing.ts";
import { checkDepth, type JsonObject, type JsonValue, objectBytes, own, parseObject } from "./json.ts";

/** Named values beside CmdType and SequenceId. We send strings; some commands of real apps carry lists. */
export type CapabilityFields = Readonly<Record<string, JsonValue>>;

/** What is asked of a plug-in. */
export interface CapabilityRequest {
  readonly cmdType: string;
  /** 8 hex digits as sent; whatever text it is, it is echoed. */
  readonly sequenceId: string;
  readonly fields: CapabilityFields;
}

/** What a plug-in answered: `fields` where it worked, `failReason` where it did not. */
export type CapabilityReply =
  | {
    readonly cmdType: string;
    readonly sequenceId: string;
    readonly status: "0";
    readonly fields: CapabilityFields;
  }
  | {
    readonly cmdType: string;
    readonly sequenceId: string;
    readonly status: "1";
    readonly failReason: string;
    readonly fields: CapabilityFields;
  };

/** The longest CmdType, in characters. */
const MAX_COMMAND = 64;
const MAX_FAIL_REASON = 1024;

const cmdType = text("CmdType", MAX_COMMAND);
const sequenceId = looseText("SequenceId", "", MAX_COMMAND);
const status = looseText("Status", "0", 16);
const failReason = looseText("FailReason", "", MAX_FAIL_REASON);

/** The base64 text of a request. */
export function encodeCapabilityRequest(request: CapabilityRequest): string {
  return toBase64({
    CmdType: cmdType.write(request.cmdType),
    SequenceId: sequenceId.write(request.sequenceId),
    ...without(request.fields, REQUEST_NAMES),
  });
}

/** Reads a request. Throws {@linkcode ProtocolError}. */
export function decodeCapabilityRequest(base64: string): CapabilityRequest {
  const source = fromBase64(base64);
  return {
    cmdType: cmdType.read(own(source, "CmdType"))!,
    sequenceId: sequenceId.read(own(source, "SequenceId"))!,
    fields: without(source, REQUEST_NAMES),
  };
}

/** Reads named values alone, as SetPlug-inParameterValues carries them. Throws {@linkcode ProtocolError}. */
export function decodeCapabilityFields(base64: string): CapabilityFields {
  return without(fromBase64(base64), NO_NAMES);
}

/** The base64 text of a reply. A reason is cut to what a reply may hold. */
export function encodeCapabilityReply(reply: CapabilityReply): string {
  const head = { CmdType: cmdType.write(reply.cmdType), SequenceId: sequenceId.write(reply.sequenceId) };
  return reply.status === "0"
    ? toBase64({ ...head, Status: "0", ...without(reply.fields, REPLY_NAMES) })
    : toBase64({
      ...head,
      Status: "1",
      FailReason: printable(reply.failReason),
      ...without(reply.fields, REPLY_NAMES),
    });
}

/** Reads a reply; any Status but "0" is a failure. Throws {@linkcode ProtocolError}. */
export function decodeCapabilityReply(base64: string): CapabilityReply {
  const source = fromBase64(base64);
  const head = {
    cmdType: looseText("CmdType", "", MAX_COMMAND).read(own(source, "CmdType"))!,
    sequenceId: sequenceId.read(own(source, "SequenceId"))!,
    fields: without(source, REPLY_NAMES),
  };
  return status.read(own(source, "Status")) === "0"
    ? { ...head, status: "0" }
    : { ...head, status: "1", failReason: failReason.read(own(source, "FailReason"))! };
}

const NO_NAMES: ReadonlySet<string> = new Set();
const REQUEST_NAMES: ReadonlySet<string> = new Set(["CmdType", "SequenceId"]);
/** What every reply has beside its fields. */
export const REPLY_NAMES: ReadonlySet<string> = new Set(["CmdType", "SequenceId", "Status", "FailReason"]);

/** A copy without the named ones and without a prototype, so that `__proto__` is a name like any other. */
function without(fields: Readonly<Record<string, JsonValue>>, names: ReadonlySet<string>): JsonObject {
  const copy: JsonObject = Object.create(null);
  for (const [name, value] of Object.entries(fields)) if (!names.has(name)) copy[name] = value;
  return copy;
}

function printable(reason: string): string {
  // deno-lint-ignore no-control-regex
  return reason.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, MAX_FAIL_REASON).toWellFormed();
}

function toBase64(object: JsonObject): string {
  let bytes: Uint8Array;
  try {
    bytes = objectBytes(object);
  } catch (cause) {
    throw new ProtocolError("depth", "inner message can't be written as JSON", { cause });
  }
  checkDepth(bytes);
  if (bytes.length > MAX_INNER_BYTES) {
    throw new ProtocolError("oversize", `inner message too long: ${bytes.length} bytes`);
  }
  return bytes.toBase64();
}

/** What fits into a frame as base64, with room for the outer fields. */
const MAX_INNER_BYTES = Math.floor((MAX_FRAME_BYTES - 2048) / 4) * 3;

function fromBase64(base64: string): JsonObject {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw new ProtocolError("bad_value", "inner message is not base64", { cause });
  }
  return parseObject(bytes, MAX_FRAME_BYTES);
}

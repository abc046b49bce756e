/**
 * Msg_Id: 64 bits of local time to the second, gateway code and sequence (reference §4).
 *
 * @module
 */
import { CmppError } from "./errors.ts";

/** The parts of a Msg_Id. It has no year. */
export interface MsgIdParts {
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** The gateway code as a number, 0 to 4,194,303 (22 bits). */
  readonly gateway: number;
  /** 0 to 65,535. */
  readonly sequence: number;
}

/** How many ids one gateway code has in a second. */
export const MSG_IDS_PER_SECOND = 0x1_0000;

const LIMITS: Readonly<Record<keyof MsgIdParts, number>> = {
  month: 12,
  day: 31,
  hour: 23,
  minute: 59,
  second: 59,
  gateway: 0x3f_ffff,
  sequence: 0xffff,
};

/** Puts a Msg_Id together. @throws {CmppError} `value` where a part does not fit */
export function composeMsgId(parts: MsgIdParts): bigint {
  for (const name in LIMITS) {
    const value = parts[name as keyof MsgIdParts], most = LIMITS[name as keyof MsgIdParts];
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw new CmppError("value", `${name} of Msg_Id "${value}" does not fit: 0 to ${most}`);
    }
  }
  const high = (parts.month << 28 | parts.day << 23 | parts.hour << 18 | parts.minute << 12 |
    parts.second << 6 | parts.gateway >>> 16) >>> 0;
  const low = ((parts.gateway & 0xffff) << 16 | parts.sequence) >>> 0;
  return BigInt(high) << 32n | BigInt(low);
}

/** Takes a Msg_Id apart. Other gateways' ids may hold anything: the parts are not checked. */
export function parseMsgId(id: bigint): MsgIdParts {
  const high = Number(id >> 32n), low = Number(id & 0xffff_ffffn);
  return {
    month: high >>> 28,
    day: high >>> 23 & 0x1f,
    hour: high >>> 18 & 0x1f,
    minute: high >>> 12 & 0x3f,
    second: high >>> 6 & 0x3f,
    gateway: (high & 0x3f) << 16 | low >>> 16,
    sequence: low & 0xffff,
  };
}

/** The id `step` places behind `id` in a group: only the 16-bit sequence counts on, and wraps within itself. */
export function msgIdInGroup(id: bigint, step: number): bigint {
  return (id & ~0xffffn) | (id + BigInt(step)) & 0xffffn;
}

/** The text that libraries show: month, day, hour, minute, second, seven digits of gateway, five of sequence. */
export function msgIdText(id: bigint): string {
  const { month, day, hour, minute, second, gateway, sequence } = parseMsgId(id);
  const two = [month, day, hour, minute, second].map((n) => String(n).padStart(2, "0")).join("");
  return two + String(gateway).padStart(7, "0") + String(sequence).padStart(5, "0");
}

/** 16 hex digits: how an id is kept and shown; the order of the text is the order of the ids. */
export function msgIdHex(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}

/**
 * What is wrong with a SUBMIT, as a Result (reference §4, §8): each with a cause of its own.
 *
 * @module
 */
import { type Dialect, maxContent, parseSmppTime, Result, type Submit } from "../../protocol/cmpp/mod.ts";
import type { Account } from "./accounts.ts";
import { nationalNumber } from "./routing/mod.ts";
import type { SmsSettings } from "./settings.ts";

/** When a message goes out, and until when it may. */
export interface Times {
  readonly dueAt: number;
  readonly expiresAt: number;
}

/** How far times may be. */
export type TimeLimits = Pick<SmsSettings, "validityMs" | "scheduleMs">;

/** A number as it may stand in a message: digits with or without a country code. */
const NUMBER = /^\+?\d{3,20}$/;
/** A pseudo code: what the platform behind the gateway made of a number. */
const PSEUDO = /^[\x21-\x7e]{1,32}$/;

/** The Result for a SUBMIT that can't be taken; undefined where it can. */
export function refusalOf(
  submit: Submit,
  account: Account,
  dialect: Dialect,
  { billing }: Pick<SmsSettings, "billing">,
): number | undefined {
  if (!wellFormed(submit, dialect)) return Result.structure;
  if (submit.Msg_src !== account.spId) return Result.msgSrc;
  if (submit.Msg_Content.length > maxContent(submit.Msg_Fmt)) return Result.tooLong;
  if (account.serviceIds.length > 0 && !account.serviceIds.includes(submit.Service_Id)) {
    return Result.serviceCode;
  }
  if (!/^0[1-5]$/.test(submit.FeeType)) return Result.feeType;
  if (!/^\d{0,6}$/.test(submit.FeeCode)) return Result.feeCode;
  if (!submit.Src_Id.startsWith(account.spCode) || !/^\d+$/.test(submit.Src_Id)) return Result.srcId;
  if (submit.Fee_UserType === 3 && !isNumber(submit.Fee_terminal_Id, submit.Fee_terminal_type)) {
    return Result.feeTerminalId;
  }
  if (!billed(submit, billing)) return Result.notServed;
  // One wrong number and nothing of the group is sent (annex 1).
  if (!submit.Dest_terminal_Id.every((number) => isNumber(number, submit.Dest_terminal_type))) {
    return Result.destTerminalId;
  }
  // Annex 1 of 2.0: groups are for messages without reports.
  if (dialect === 2 && submit.Dest_terminal_Id.length > 1 && submit.Registered_Delivery === 1) {
    return Result.structure;
  }
  return undefined;
}

function wellFormed(submit: Submit, dialect: Dialect): boolean {
  return submit.Pk_number <= Math.max(submit.Pk_total, 1) &&
    submit.Registered_Delivery <= (dialect === 2 ? 2 : 1) &&
    submit.Fee_UserType <= 3 && submit.Fee_terminal_type <= 1 && submit.Dest_terminal_type <= 1 &&
    submit.TP_udhi <= 1 &&
    (submit.TP_udhi === 0 || (submit.Msg_Content[0] ?? 255) < submit.Msg_Content.length);
}

/** Whether who pays is billed here. What stands for a pseudo code only the platform that made it knows. */
function billed(
  { Fee_UserType, Fee_terminal_type, Fee_terminal_Id }: Submit,
  served: readonly string[],
): boolean {
  if (served.length === 0 || Fee_UserType !== 3 || Fee_terminal_type === 1) return true;
  const number = nationalNumber(Fee_terminal_Id);
  return served.some((prefix) => number.startsWith(prefix));
}

function isNumber(number: string, type: number): boolean {
  return (type === 1 ? PSEUDO : NUMBER).test(number);
}

/**
 * The times of a SUBMIT; the Result where they make no sense. A time to send that has passed means at once, one that
 * is too far is none; validity is `validityMs` at most.
 *
 * @throws {CmppError} `value` for a time that can't be read
 */
export function timesOf(submit: Submit, now: number, limits: TimeLimits): Times | number {
  const dueAt = Math.max(now, parseSmppTime(submit.At_Time, now) ?? now);
  if (dueAt > now + limits.scheduleMs) return Result.structure;
  const until = parseSmppTime(submit.ValId_Time, now);
  if (until !== undefined && (until <= now || until <= dueAt)) return Result.validityExpired;
  return { dueAt, expiresAt: Math.min(until ?? Infinity, dueAt + limits.validityMs) };
}

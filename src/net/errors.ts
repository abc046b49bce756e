/**
 * What can go wrong on the network, as a closed set of codes.
 *
 * @module
 */
import { GatehouseError, messageOf } from "../base/mod.ts";

/**
 * - `timeout`: nobody answered in time
 * - `closed`: the socket or connection was closed meanwhile
 * - `aborted`: the caller's signal aborted; its reason is the `cause`
 * - `refused`: nobody listens there
 * - `unreachable`: no way there, or the connection broke off while it was made
 * - `not_found`: the host name has no address
 * - `invalid_address`: neither a host name nor an IP address, or one that can't be used here
 * - `address_in_use`, `address_unavailable`, `forbidden`: the own address can't be listened on
 * - `overflow`: too many requests wait already
 */
export type NetErrorCode =
  | "timeout"
  | "closed"
  | "aborted"
  | "refused"
  | "unreachable"
  | "not_found"
  | "invalid_address"
  | "address_in_use"
  | "address_unavailable"
  | "forbidden"
  | "overflow";

/** A failure of the network, or of its use. */
export class NetError extends GatehouseError<NetErrorCode> {
  override readonly name = "NetError";
}

/** What the runtime threw, as a {@linkcode NetError}; `doing` says what was tried: `connect to "a:1"`. */
export function toNetError(thrown: unknown, doing: string): NetError {
  if (thrown instanceof NetError) return thrown;
  return new NetError(codeOf(thrown), `${doing}: ${messageOf(thrown)}`, { cause: thrown });
}

function codeOf(thrown: unknown): NetErrorCode {
  if (thrown instanceof Deno.errors.AddrInUse) return "address_in_use";
  if (thrown instanceof Deno.errors.AddrNotAvailable) return "address_unavailable";
  if (thrown instanceof Deno.errors.PermissionDenied || thrown instanceof Deno.errors.NotCapable) {
    return "forbidden";
  }
  if (thrown instanceof Deno.errors.ConnectionRefused) return "refused";
  if (thrown instanceof Deno.errors.BadResource || thrown instanceof Deno.errors.Interrupted) return "closed";
  if (thrown instanceof Deno.errors.TimedOut) return "timeout";
  if (thrown instanceof Error && /lookup address|ENOTFOUND|EAI_/.test(thrown.message)) return "not_found";
  if (thrown instanceof TypeError) return "invalid_address";
  return "unreachable";
}

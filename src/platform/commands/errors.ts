/**
 * Why a command could not be taken, and why one did not succeed: closed sets.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";
import { PluginResult } from "../../protocol/smart_gateway/mod.ts";

/**
 * - `queue_full`: too many commands wait for that gateway
 * - `too_many_commands`: too many commands are open on this node, for whichever gateways
 * - `stopping`: the platform is going down
 * - `no_lease`: this node's lease is over, so that it may not take commands
 */
export type CommandErrorCode = "queue_full" | "too_many_commands" | "stopping" | "no_lease";

/** A command that was not taken: there is no row of it. */
export class CommandError extends GatehouseError<CommandErrorCode> {
  override readonly name = "CommandError";
}

/** Why a command ended otherwise than well: `error_code` of its row. */
export type FailureCode =
  /** The capability answered Status "1"; `error` is its FailReason. */
  | "capability_failed"
  | "gateway_busy"
  | "plugin_absent"
  | "plugin_not_running"
  | "plugin_timeout"
  | "storage_full"
  | "bad_version"
  | "bad_type"
  | "bad_name"
  | "install_failed"
  /** The platform does not hand the plug-in out: it is not signed as it must be, or its key was revoked. */
  | "untrusted"
  /** Any other negative result. */
  | "gateway_error"
  /** The reply was no reply of the protocol. */
  | "bad_reply"
  /** The message could not be put on the wire. */
  | "bad_request"
  /** It was sent, and the answer was lost: the gateway may have done it or not. */
  | "outcome_unknown"
  /** The deadline passed before it could be sent. */
  | "not_delivered"
  /** It was sent, and no answer came by the deadline: the gateway may have done it or not. */
  | "no_answer"
  /** Cancelled: its gateway was removed, or got another LOID, before it was sent. */
  | "gateway_removed"
  | "gateway_reassigned"
  /** It has a channel, but is not registered at the moment. */
  | "gateway_offline"
  /** It did not take a call over UDP. */
  | "gateway_refused";

/** What a negative outer Result of the gateway means (reference §4). */
export function failureOf(result: number): FailureCode {
  switch (result) {
    case PluginResult.STORAGE_FULL:
      return "storage_full";
    case PluginResult.BUSY:
      return "gateway_busy";
    case PluginResult.VERSION:
      return "bad_version";
    case PluginResult.TYPE:
      return "bad_type";
    case PluginResult.NAME:
      return "bad_name";
    case PluginResult.ABSENT:
      return "plugin_absent";
    case PluginResult.NOT_RUNNING:
      return "plugin_not_running";
    case PluginResult.INSTALL_FAILED:
      return "install_failed";
    case -100:
      return "plugin_timeout";
    default:
      return "gateway_error";
  }
}

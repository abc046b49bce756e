/**
 * Why the repository did not do what was asked: a closed set.
 *
 * @module
 */
import { GatehouseError } from "../../base/mod.ts";

/**
 * - `invalid`: not a plug-in; the message says where and why
 * - `untrusted`: it is not signed as it must be, its signature is false, or it asks for more than its signer may
 * - `exists`: that version is there with other content; versions never change
 * - `absent`: no such version, or none in that channel
 * - `in_use`: gateways have it, or are about to
 * - `channel`: there is no channel above or below the one that it is in
 */
export type RepositoryErrorCode = "invalid" | "untrusted" | "exists" | "absent" | "in_use" | "channel";

/** Why the repository did not do what was asked. */
export class RepositoryError extends GatehouseError<RepositoryErrorCode> {
  override readonly name = "RepositoryError";

  /** `faults`: every fault of the manifest with its path, where it is the manifest's; or the gateways that use it. */
  constructor(
    code: RepositoryErrorCode,
    message: string,
    options?: ErrorOptions,
    readonly faults: readonly string[] = [],
  ) {
    super(code, message, options);
  }
}

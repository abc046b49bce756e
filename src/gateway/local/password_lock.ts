/**
 * A brake on guessing the local password from one address, beside the one that holds for all (reference §6, §7):
 * one guesser on the LAN does not lock out the others at once.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";
import {
  type CapabilityRequest,
  decodeCapabilityReply,
  decodeCapabilityRequest,
  encodeCapabilityReply,
  PostResult,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import type { CapabilityAnswer } from "../capability/mod.ts";
import { Lockout } from "../state/mod.ts";

/** The command that tries a password. */
const COMMAND = "CHECK_PASSWD_PARAM";

/** Watches attempts by address. */
export class PasswordLock {
  readonly #lockout: Lockout;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#lockout = new Lockout(clock, { free: 5, firstMs: 30_000, longestMs: 3_600_000, maxKeys: 256 });
  }

  /** Runs `dispatch`, unless the request tries a password and `peer` tried too many wrong ones. */
  async guard(
    peer: string,
    parameter: string,
    dispatch: () => Promise<CapabilityAnswer>,
  ): Promise<CapabilityAnswer> {
    const request = attemptOf(parameter);
    if (!request) return await dispatch();
    const key = network(peer);
    const locked = this.#lockout.lockedFor(key);
    if (locked > 0) {
      return {
        result: PostResult.OK,
        returnParameter: encodeCapabilityReply({
          cmdType: request.cmdType,
          sequenceId: request.sequenceId,
          status: "1",
          failReason: `too many wrong passwords: try again in ${Math.ceil(locked / 1000)} s`,
          fields: {},
        }),
      };
    }
    // Counted before the answer is there: many attempts at the same time are many attempts.
    this.#lockout.failed(key);
    const answer = await dispatch();
    if (answer.result === 0 && decodeCapabilityReply(answer.returnParameter).status === "0") {
      this.#lockout.succeeded(key);
    }
    return answer;
  }
}

function attemptOf(parameter: string): CapabilityRequest | undefined {
  try {
    const request = decodeCapabilityRequest(parameter);
    return request.cmdType === COMMAND ? request : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** One home's IPv6 host has as many addresses as it likes: they count as one, by their network. */
function network(peer: string): string {
  return peer.includes(":") ? peer.split(":").slice(0, 4).join(":") : peer;
}

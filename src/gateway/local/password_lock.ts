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
  FailReason,
  PostResult,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import type { CapabilityAnswer } from "../capability/mod.ts";
import { lockedReason, Lockout, WRONG_PASSWORD } from "../state/mod.ts";

/** The command that tries a password. */
const COMMAND = "CHECK_PASSWD_PARAM";

/** How patient the brake for one address is. */
export const LOCAL_LOCKOUT = {
  free: 5,
  firstMs: 30_000,
  longestMs: 3_600_000,
  maxKeys: 256,
  forgetMs: 86_400_000,
} as const;

/** An answer, and whether it is the brake's. */
export interface GuardedAnswer extends CapabilityAnswer {
  readonly locked?: true;
}

/** Watches attempts by address. */
export class PasswordLock {
  readonly #lockout: Lockout;

  /** `lockout`: one that survives a restart; default: one that does not. */
  constructor(clock: Pick<Clock, "monotonic">, lockout?: Lockout) {
    this.#lockout = lockout ?? new Lockout(clock, LOCAL_LOCKOUT);
  }

  /** Runs `dispatch`, unless the request tries a password and `peer` tried too many wrong ones. */
  async guard(
    peer: string,
    parameter: string,
    dispatch: () => Promise<CapabilityAnswer>,
  ): Promise<GuardedAnswer> {
    const request = attemptOf(parameter);
    if (!request) return await dispatch();
    const key = network(peer);
    const locked = this.#lockout.lockedFor(key);
    if (locked > 0) {
      return {
        result: PostResult.OK,
        locked: true,
        returnParameter: encodeCapabilityReply({
          cmdType: request.cmdType,
          sequenceId: request.sequenceId,
          status: "1",
          failReason: lockedReason(locked),
          fields: {},
        }),
      };
    }
    // Counted before the answer is there: many attempts at the same time are many attempts.
    const attempt = this.#lockout.attempt(key);
    let reply;
    try {
      const answer = await dispatch();
      reply = decodeCapabilityReply(answer.returnParameter);
      if (reply.status === "1" && WRONG.has(reply.failReason)) attempt.wrong();
      // Only the command that does nothing but check clears the past: others may succeed without a look at a password.
      else if (answer.result === PostResult.OK && reply.status === "0" && request.cmdType === COMMAND) {
        attempt.right();
      } else attempt.takeBack();
      return answer;
    } catch (error) {
      if (!reply) attempt.takeBack();
      throw error;
    }
  }
}

const WRONG: ReadonlySet<string> = new Set([WRONG_PASSWORD, FailReason.LOCAL_AUTH_FAIL]);

/** The request, where it is one that a password is tried with: the command for it, or one with USER and PASSWORD. */
function attemptOf(parameter: string): CapabilityRequest | undefined {
  try {
    const request = decodeCapabilityRequest(parameter);
    const names = new Set(Object.keys(request.fields).map((name) => name.toUpperCase()));
    return request.cmdType === COMMAND || (names.has("USER") && names.has("PASSWORD")) ? request : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** One home's IPv6 host has as many addresses as it likes: they count as one, by their network. */
function network(peer: string): string {
  return peer.includes(":") ? peer.split(":").slice(0, 4).join(":") : peer;
}

/**
 * One round at the distribution platform: BootFirst, RegisterFirst (reference §2).
 *
 * @module
 */
import type { HostPort } from "../../base/mod.ts";
import {
  checkSn,
  decodeDistributionReply,
  DistributionResult,
  encodeDistributionRequest,
} from "../../protocol/smart_gateway/mod.ts";
import type { RegistrationContext } from "./context.ts";
import { converse, type Failure } from "./conversation.ts";

/** How a round ended; `unresolved`: the platform's name was not found. */
export type DistributionOutcome =
  | { readonly kind: "found"; readonly operations: HostPort }
  | { readonly kind: "unresolved" }
  | Failure;

/**
 * Asks the distribution platform at `at` for the operations platform. Looks its name up `dnsTries` times; undefined:
 * for as long as that takes.
 */
export async function distributionRound(
  context: RegistrationContext,
  at: HostPort,
  dnsTries: number | undefined,
  signal: AbortSignal,
): Promise<DistributionOutcome> {
  const { identity, timing, ipAddr } = context.deps;
  const host = await context.resolve(at.host, signal, dnsTries);
  if (host === undefined) return { kind: "unresolved" };
  context.enter("distribution");
  context.counts.distributionRounds++;
  const outcome = await converse(context, {
    to: { host, port: at.port },
    boot: {
      method: "BootFirst",
      tries: timing.bootTries,
      message: () =>
        encodeDistributionRequest({
          method: "BootFirst",
          vendor: identity.vendor,
          model: identity.model,
          firmwareVer: identity.firmwareVer,
          hardwareVer: identity.hardwareVer,
          mac: identity.mac,
          ipAddr: ipAddr(host),
          platformId: "OTHER",
        }),
      read: (bytes) => {
        const reply = decodeDistributionReply(bytes);
        // The second answer to a RegisterFirst that was sent twice is none to this.
        return reply.result > 0 && reply.challengeCode === undefined ? undefined : reply;
      },
    },
    register: (challenge) => ({
      method: "RegisterFirst",
      tries: timing.registerTries,
      message: () =>
        encodeDistributionRequest({
          method: "RegisterFirst",
          checkSn: checkSn(challenge, identity.sn),
          mac: identity.mac,
        }),
      read: (bytes) => {
        const reply = decodeDistributionReply(bytes);
        if (reply.result === DistributionResult.OK && reply.serverAddr === undefined) {
          return reply.challengeCode === undefined || reply.challengeCode === challenge ? undefined : reply;
        }
        return reply;
      },
    }),
    end: ({ serverAddr, serverPort }): HostPort | undefined =>
      serverAddr !== undefined && serverPort !== undefined
        ? { host: serverAddr, port: serverPort }
        : undefined,
  }, signal);
  return outcome.kind === "ended" ? { kind: "found", operations: outcome.end } : outcome;
}

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
import { type Verdict, verdictOn } from "./verdict.ts";

/** How a round ended. */
export type DistributionOutcome =
  | { readonly kind: "found"; readonly operations: HostPort }
  | { readonly kind: "unanswered" }
  | Exclude<Verdict, { kind: "ok" }>;

/** Asks the distribution platform at `at` for the operations platform. */
export async function distributionRound(
  context: RegistrationContext,
  at: HostPort,
  signal: AbortSignal,
): Promise<DistributionOutcome> {
  const { deps: { identity, timing, ipAddr }, link } = context;
  const to = { host: await context.resolve(at.host, signal), port: at.port };
  context.enter("distribution");
  context.converse(to);
  const asking = { to, waitMs: timing.answerWaitMs, spacingMs: context.intervalMs, signal };

  const boot = await link.ask({
    ...asking,
    tries: timing.bootTries,
    message: encodeDistributionRequest({
      method: "BootFirst",
      vendor: identity.vendor,
      model: identity.model,
      firmwareVer: identity.firmwareVer,
      hardwareVer: identity.hardwareVer,
      mac: identity.mac,
      ipAddr: ipAddr(to.host),
      platformId: "OTHER",
    }),
    read: (bytes) => {
      const reply = decodeDistributionReply(bytes);
      // The second answer to a RegisterFirst that was sent twice is none to this.
      return reply.result > 0 && reply.challengeCode === undefined ? undefined : reply;
    },
  });
  if (!boot) return { kind: "unanswered" };
  context.answered(boot);
  const verdict = verdictOn(boot);
  if (verdict.kind !== "ok") return verdict;
  let challenge = context.latestOf(boot.challengeCode);

  // A BootFirst that was sent twice may be answered by two challenges: the later one counts.
  for (let challenges = 0; challenge !== undefined && challenges <= timing.bootTries; challenges++) {
    const current: string = challenge;
    const reply = await link.ask({
      ...asking,
      tries: timing.registerTries,
      message: encodeDistributionRequest({
        method: "RegisterFirst",
        checkSn: checkSn(current, identity.sn),
        mac: identity.mac,
      }),
      read: (bytes) => {
        const reply = decodeDistributionReply(bytes);
        if (reply.result === DistributionResult.OK && reply.serverAddr === undefined) {
          return reply.challengeCode === undefined || reply.challengeCode === current ? undefined : reply;
        }
        return reply;
      },
    });
    if (!reply) return { kind: "unanswered" };
    context.answered(reply);
    const verdict = verdictOn(reply);
    if (verdict.kind !== "ok") return verdict;
    const { serverAddr, serverPort } = reply;
    if (serverAddr !== undefined && serverPort !== undefined) {
      return { kind: "found", operations: { host: serverAddr, port: serverPort } };
    }
    challenge = reply.challengeCode;
  }
  return { kind: "failed" };
}

/**
 * One round at the operations platform: Boot, Register (reference §3).
 *
 * @module
 */
import type { HostPort } from "../../base/mod.ts";
import {
  type AccessReply,
  AccessResult,
  checkSn,
  decodeAccessRequest,
  encodeAccessRequest,
  userId,
} from "../../protocol/smart_gateway/mod.ts";
import type { RegistrationContext } from "./context.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** A platform that took the gateway in. Addresses are IP addresses. */
export interface Registered {
  readonly kind: "registered";
  readonly access: HostPort;
  /** Where heartbeats go. */
  readonly heartbeats: HostPort;
  /** The own address that Boot named. */
  readonly ipAddr: string;
}

/** How a round ended. */
export type OperationsOutcome =
  | Registered
  | { readonly kind: "unanswered" }
  | Exclude<Verdict, { kind: "ok" }>;

/** Registers at the operations platform at `at`. `listen` is told its address before the first word goes there. */
export async function operationsRound(
  context: RegistrationContext,
  at: HostPort,
  listen: (platform: HostPort) => void,
  signal: AbortSignal,
): Promise<OperationsOutcome> {
  const { deps: { identity, state, timing }, link } = context;
  const to = { host: await context.resolve(at.host, signal), port: at.port };
  listen(to);
  context.enter("registering");
  context.converse(to);
  const ipAddr = context.deps.ipAddr(to.host);
  const asking = { to, waitMs: timing.answerWaitMs, spacingMs: context.intervalMs, signal };

  const boot = await link.ask({
    ...asking,
    tries: timing.bootTries,
    message: encodeAccessRequest({
      method: "Boot",
      vendor: identity.vendor,
      model: identity.model,
      firmwareVer: identity.firmwareVer,
      hardwareVer: identity.hardwareVer,
      mac: identity.mac,
      devRnd: state.get().devRnd,
      platformId: "OTHER",
      loid: identity.loid,
      card: identity.card,
      ipAddr,
      osVer: identity.osVer,
      appVer: identity.appVer,
    }),
    read: (bytes) => answer(bytes, (reply) => reply.challengeCode !== undefined),
  });
  if (!boot) return { kind: "unanswered" };
  context.answered(boot);
  const verdict = verdictOn(boot);
  if (verdict.kind !== "ok") return verdict;
  let challenge = context.latestOf(boot.challengeCode);

  // A Boot that was sent twice may be answered by two challenges: the later one counts.
  for (let challenges = 0; challenge !== undefined && challenges <= timing.bootTries; challenges++) {
    const current: string = challenge;
    const reply = await link.ask({
      ...asking,
      tries: timing.registerTries,
      message: encodeAccessRequest({
        method: "Register",
        mac: identity.mac,
        checkSn: checkSn(current, identity.sn),
        userId: userId(identity.sn, identity.loid),
        pppoeName: "",
        flag: "0",
      }),
      // Result 0 alone is a late answer to a heartbeat of before.
      read: (bytes) =>
        answer(
          bytes,
          ({ result, challengeCode }) =>
            challengeCode === undefined ? result === AccessResult.VERIFIED : challengeCode !== current,
        ),
    });
    if (!reply) return { kind: "unanswered" };
    context.answered(reply);
    const verdict = verdictOn(reply);
    if (verdict.kind !== "ok") return verdict;
    if (reply.challengeCode === undefined) return await welcomed(context, to, ipAddr, reply, signal);
    challenge = reply.challengeCode;
  }
  return { kind: "failed" };
}

async function welcomed(
  context: RegistrationContext,
  access: HostPort,
  ipAddr: string,
  { heartbeatAddr, messageServer }: AccessReply,
  signal: AbortSignal,
): Promise<Registered> {
  context.messageServer = messageServer;
  const heartbeats = heartbeatAddr
    ? { host: await context.resolve(heartbeatAddr.host, signal), port: heartbeatAddr.port }
    : access;
  return { kind: "registered", access, heartbeats, ipAddr };
}

/** A reply that answers: one that `fits`, or one that is a refusal or an order of any kind. */
function answer(bytes: Uint8Array, fits: (reply: AccessReply) => boolean): AccessReply | undefined {
  const message = decodeAccessRequest(bytes);
  if (message.method !== "Reply") return undefined;
  return message.result < 0 || message.result === AccessResult.NEW_DEVICE || fits(message)
    ? message
    : undefined;
}

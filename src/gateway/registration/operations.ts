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
import { converse, type Failure } from "./conversation.ts";

/** A platform that took the gateway in. Addresses are IP addresses. */
export interface Registered {
  readonly kind: "registered";
  readonly access: HostPort;
  /** Where heartbeats go. */
  readonly heartbeats: HostPort;
  /** The own address that Boot named. */
  readonly ipAddr: string;
}

/** How a round ended; `unresolved`: a name that the platform goes by was not found. */
export type OperationsOutcome = Registered | { readonly kind: "unresolved" } | Failure;

/** Registers at the operations platform at `at`. `listen` is told its address before the first word goes there. */
export async function operationsRound(
  context: RegistrationContext,
  at: HostPort,
  listen: (platform: HostPort) => void,
  signal: AbortSignal,
): Promise<OperationsOutcome> {
  const { identity, state, timing } = context.deps;
  context.counts.operationsRounds++;
  const host = await context.resolve(at.host, signal, timing.dnsTries);
  if (host === undefined) return { kind: "unresolved" };
  const to = { host, port: at.port };
  listen(to);
  context.enter("registering");
  let ipAddr = context.deps.ipAddr(to.host);
  const outcome = await converse(context, {
    to,
    boot: {
      method: "Boot",
      tries: timing.bootTries,
      message: () => {
        ipAddr = context.deps.ipAddr(to.host);
        return encodeAccessRequest({
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
        });
      },
      read: (bytes) => answer(bytes, (reply) => reply.challengeCode !== undefined),
    },
    register: (challenge) => ({
      method: "Register",
      tries: timing.registerTries,
      message: () =>
        encodeAccessRequest({
          method: "Register",
          mac: identity.mac,
          checkSn: checkSn(challenge, identity.sn),
          userId: userId(identity.sn, identity.loid),
          pppoeName: "",
          flag: "0",
        }),
      // Result 0 alone is a late answer to a heartbeat of before.
      read: (bytes) =>
        answer(
          bytes,
          ({ result, challengeCode }) =>
            challengeCode === undefined ? result === AccessResult.VERIFIED : challengeCode !== challenge,
        ),
    }),
    end: (reply) => reply.challengeCode === undefined ? reply : undefined,
  }, signal);
  return outcome.kind === "ended" ? await welcomed(context, to, ipAddr, outcome.end, signal) : outcome;
}

async function welcomed(
  context: RegistrationContext,
  access: HostPort,
  ipAddr: string,
  { heartbeatAddr, messageServer }: AccessReply,
  signal: AbortSignal,
): Promise<Registered | { readonly kind: "unresolved" }> {
  context.messageServer = messageServer;
  if (!heartbeatAddr) return { kind: "registered", access, heartbeats: access, ipAddr };
  const host = await context.resolve(heartbeatAddr.host, signal, context.deps.timing.dnsTries);
  if (host === undefined) return { kind: "unresolved" };
  return { kind: "registered", access, heartbeats: { host, port: heartbeatAddr.port }, ipAddr };
}

/** A reply that answers: one that `fits`, or one that is a refusal or an order of any kind. */
function answer(bytes: Uint8Array, fits: (reply: AccessReply) => boolean): AccessReply | undefined {
  const message = decodeAccessRequest(bytes);
  if (message.method !== "Reply") return undefined;
  return message.result < 0 || message.result === AccessResult.NEW_DEVICE || fits(message)
    ? message
    : undefined;
}

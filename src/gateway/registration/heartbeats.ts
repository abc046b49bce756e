/**
 * The life of a registered gateway: heartbeats until something ends it (reference §3).
 *
 * @module
 */
import {
  type AccessReply,
  AccessResult,
  decodeAccessRequest,
  encodeAccessRequest,
  encodeHeartbeat,
} from "../../protocol/smart_gateway/mod.ts";
import type { RegistrationContext } from "./context.ts";
import type { Registered } from "./operations.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** Counts for metrics. */
export interface HeartbeatCounts {
  sent(): void;
  unanswered(): void;
}

/** Why heartbeats ended. */
export type HeartbeatsEnd = { readonly kind: "lost" } | Exclude<Verdict, { kind: "ok" }>;

/**
 * Sends heartbeats. Ends with `lost` after too many without an answer, with `boot` where the own address changed. After
 * a gap in the wall clock one goes out at once: a platform that gave a suspended gateway up says so in its answer.
 */
export async function heartbeats(
  context: RegistrationContext,
  { heartbeats: to, access, ipAddr }: Registered,
  counts: HeartbeatCounts,
  signal: AbortSignal,
): Promise<HeartbeatsEnd> {
  const { deps: { clock, identity: { mac }, timing }, link } = context;
  const later = encodeHeartbeat(mac);
  // Until one is answered they say the address: the platform may not have got the first.
  let message = encodeAccessRequest({ method: "Hb", mac, flag: "1", ipAddr });
  let lost = 0;
  for (;;) {
    const sentAt = clock.monotonic();
    counts.sent();
    context.asks("Hb");
    context.expect("heartbeat", context.intervalMs);
    const reply = await link.ask({
      to,
      message,
      read,
      tries: 1,
      waitMs: Math.min(timing.answerWaitMs, context.intervalMs),
      signal,
    });
    if (reply) {
      lost = 0;
      message = later;
      context.answered("Hb", to, reply);
      const verdict = verdictOn(reply);
      if (verdict.kind !== "ok") return verdict;
    } else {
      counts.unanswered();
      if (++lost >= timing.lostHeartbeats) return { kind: "lost" };
    }
    const next = () => {
      const due = sentAt + context.intervalMs;
      context.expect("heartbeat", due - clock.monotonic());
      return due;
    };
    if (await context.watch(next, access.host, ipAddr, signal) === "moved") return { kind: "boot" };
  }
}

/** Late answers to Boot (with a challenge), Register (2) and a trigger (1) are none to a heartbeat. */
function read(bytes: Uint8Array): AccessReply | undefined {
  const message = decodeAccessRequest(bytes);
  if (message.method !== "Reply" || message.challengeCode !== undefined) return undefined;
  return message.result === AccessResult.VERIFIED || message.result === AccessResult.DEVRND_TAKEN
    ? undefined
    : message;
}

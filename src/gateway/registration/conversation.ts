/**
 * How a gateway talks to a platform, distribution or operations alike: a Boot that is answered by a challenge, and a
 * Register that answers the challenge, each sent again an interval apart until it is answered (reference §2, §3).
 *
 * @module
 */
import type { HostPort } from "../../base/mod.ts";
import type { RegistrationContext } from "./context.ts";
import type { QuestionMethod } from "./status.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** What the answers of both platforms have in common. */
export interface PlatformReply {
  readonly result: number;
  readonly interval?: number;
  readonly serverIp?: string;
  readonly challengeCode?: string;
}

/** A question of a conversation. */
export interface Question<Reply> {
  readonly method: QuestionMethod;
  /** Made anew for each try: an address of its own may have come meanwhile. */
  readonly message: () => Uint8Array;
  readonly tries: number;
  /** Reads an answer; undefined for something else. */
  readonly read: (bytes: Uint8Array) => Reply | undefined;
}

/** A conversation. */
export interface Conversation<Reply, End> {
  readonly to: HostPort;
  readonly boot: Question<Reply>;
  readonly register: (challenge: string) => Question<Reply>;
  /** What the gateway came for; undefined where the answer is another challenge. */
  readonly end: (reply: Reply) => End | undefined;
}

/** How a conversation failed. */
export type Failure = { readonly kind: "unanswered" } | Exclude<Verdict, { kind: "ok" }>;

/** Holds a conversation; resolves with what the gateway came for, or why it did not get it. */
export async function converse<Reply extends PlatformReply, End>(
  context: RegistrationContext,
  { to, boot, register, end }: Conversation<Reply, End>,
  signal: AbortSignal,
): Promise<{ readonly kind: "ended"; readonly end: End } | Failure> {
  context.converse(to);
  const ask = (question: Question<Reply>) => askWithResends(context, to, question, signal);
  const first = await ask(boot);
  if (!first) return { kind: "unanswered" };
  const verdict = verdictOn(first);
  if (verdict.kind !== "ok") return verdict;
  // A Boot that was sent twice may be answered by two challenges: the later one counts.
  let challenge = context.latestOf(first.challengeCode);
  for (let challenges = 0; challenge !== undefined && challenges <= boot.tries; challenges++) {
    const reply = await ask(register(challenge));
    if (!reply) return { kind: "unanswered" };
    const verdict = verdictOn(reply);
    if (verdict.kind !== "ok") return verdict;
    const found = end(reply);
    if (found !== undefined) return { kind: "ended", end: found };
    challenge = reply.challengeCode;
  }
  return { kind: "failed" };
}

/** Asks until an answer comes, or the tries are used up. */
async function askWithResends<Reply extends PlatformReply>(
  context: RegistrationContext,
  to: HostPort,
  { method, message, tries, read }: Question<Reply>,
  signal: AbortSignal,
): Promise<Reply | undefined> {
  const { timing } = context.deps, spacingMs = context.intervalMs;
  context.asks(method);
  const reply = await context.link.ask({
    to,
    tries,
    waitMs: timing.answerWaitMs,
    spacingMs,
    signal,
    read,
    message(attempt) {
      context.expect(
        "resend",
        attempt < tries ? Math.max(spacingMs, timing.answerWaitMs) : timing.answerWaitMs,
      );
      return message();
    },
  });
  if (reply) context.answered(method, to, reply);
  return reply;
}

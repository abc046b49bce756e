/**
 * Answering a post with an `Idempotency-Key` once.
 *
 * @module
 */
import { answerOf, type Claim, type IdempotencyStore, nothingDone, replayOf } from "./idempotency.ts";
import type { ProblemError } from "./problem.ts";

/** What answering once needs. */
export interface OnceOptions {
  readonly store: IdempotencyStore;
  /** Does what was asked. */
  readonly work: () => Promise<Response>;
  /** What is shown of an error that `work` threw: the problem, and its response. */
  readonly shown: (error: unknown) => { readonly problem: ProblemError; readonly response: Response };
  /** Told where an answer could not be kept. */
  readonly lost: (error: unknown) => void;
}

/**
 * What was answered before to the same claim, or else what `work` answers, which is kept.
 *
 * @throws {ProblemError} the claim can't be worked on: see {@linkcode replayOf}
 */
export async function answerOnce(
  claim: Claim,
  { store, work, shown, lost }: OnceOptions,
): Promise<{ readonly response: Response; readonly replayed: boolean }> {
  const replay = replayOf(await store.claim(claim));
  if (replay) return { response: replay, replayed: true };
  let response: Response, settle: () => Promise<void>;
  const keep = async () => await store.finish(claim, await answerOf(response));
  try {
    response = await work();
    settle = keep;
  } catch (error) {
    const { problem, response: failure } = shown(error);
    response = failure;
    if (problem.extra.uncertain || problem.code === "client_gone") settle = () => store.abandon(claim);
    else if (nothingDone(problem)) settle = () => store.release(claim);
    else settle = keep;
  }
  try {
    await settle();
  } catch (error) {
    // What was done is done; a caller who asks again is told that nobody knows.
    lost(error);
  }
  return { response, replayed: false };
}

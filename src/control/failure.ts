/**
 * What the caller is shown of an error.
 *
 * @module
 */
import { type Log, messageOf } from "../base/mod.ts";
import type { Passage } from "./passage.ts";
import { diskProblem, problem, ProblemError } from "./problem.ts";

/**
 * The one place where what was thrown becomes what is shown. `mapError`: turns the errors of the floors above into
 * problems. What nobody foresaw goes to the log.
 */
export function shownOf(
  error: unknown,
  { id: request, route, method, client }: Passage,
  log: Log,
  mapError?: (error: unknown) => ProblemError | undefined,
): ProblemError {
  if (error instanceof ProblemError) return error;
  const disk = diskProblem(error);
  if (disk) {
    log.error("the disk can't be written", { request, route, error: messageOf(error) });
    return disk;
  }
  const mapped = mapError?.(error);
  if (mapped) return mapped;
  if (client.stopping?.aborted) {
    // `stopping` says that nothing was taken, and has balancers ask another node: true of what only reads.
    const [code, detail] = method === "GET" || method === "HEAD"
      ? ["stopping", "the server is stopping"] as const
      : ["interrupted", "the server stopped while it was at this: look whether it was done"] as const;
    return problem(503, code, detail, { retryAfterSeconds: 1, uncertain: true });
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    // Nobody is there to read this; the log and the metrics tell it from a failure.
    return problem(499, "client_gone", "the caller went away");
  }
  log.error("request failed unexpectedly", {
    request,
    route,
    method,
    error: error instanceof Error ? error.stack ?? error.message : String(error),
  });
  return problem(500, "internal", "an unexpected error: the log has it under the request id");
}

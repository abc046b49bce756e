/**
 * The one place where the platform's errors become problems.
 *
 * @module
 */
import { problem, type ProblemError } from "../../control/mod.ts";
import { BusError } from "../../cluster/mod.ts";
import { PolicyConflict } from "../distribution/mod.ts";
import { FilterError } from "../fleet/mod.ts";
import { CommandError } from "../commands/mod.ts";
import { RolloutError, type RolloutErrorCode } from "../rollouts/mod.ts";
import { RepositoryError, type RepositoryErrorCode } from "../plugins/mod.ts";
import { StorageError } from "../../storage/mod.ts";

/** The problem for an error of the platform; undefined for any other. */
export function problemOf(error: unknown): ProblemError | undefined {
  if (error instanceof CommandError) {
    return error.code === "queue_full"
      ? problem(429, error.code, error.message, { retryAfterSeconds: 10 })
      : problem(503, error.code, error.message, { retryAfterSeconds: 5 });
  }
  if (error instanceof RepositoryError) {
    const [status, code] = REPOSITORY[error.code];
    const members = error.code === "in_use" ? { gateways: error.faults } : { faults: error.faults };
    return problem(status, code, error.message, error.faults.length > 0 ? { members } : {});
  }
  if (error instanceof RolloutError) {
    return problem(ROLLOUT[error.code] ?? 409, error.code, error.message);
  }
  if (error instanceof PolicyConflict) return problem(412, "precondition_failed", error.message);
  if (error instanceof FilterError) return problem(422, error.code, error.message);
  if (error instanceof StorageError) {
    // What the driver says (addresses, files) is for the log, which has it.
    const detail = error.code === "full"
      ? "the database's disk is full: nothing is taken until there is room"
      : "the database is not available at the moment: ask again";
    return problem(503, "database_unavailable", detail, {
      retryAfterSeconds: 5,
      uncertain: true, // a commit whose answer was lost
      members: { reason: error.code },
      cause: error,
    });
  }
  if (error instanceof BusError) {
    return error.code === "no_responder"
      ? problem(503, "service_not_here", error.message, { retryAfterSeconds: 5 })
      : problem(504, "no_answer", error.message);
  }
  return undefined;
}

const ROLLOUT: Readonly<Partial<Record<RolloutErrorCode, number>>> = {
  rollout_not_found: 404,
  rollout_empty: 422,
  rollout_plugin: 422,
  rollout_stages: 422,
};

const REPOSITORY: Readonly<Record<RepositoryErrorCode, readonly [status: number, code: string]>> = {
  invalid: [422, "invalid_plugin"],
  untrusted: [403, "plugin_untrusted"],
  exists: [409, "plugin_version_exists"],
  absent: [404, "plugin_not_found"],
  in_use: [409, "plugin_in_use"],
  channel: [409, "no_such_channel"],
};

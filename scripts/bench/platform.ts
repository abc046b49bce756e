/**
 * A platform in a process of its own, as benchmarks use it.
 *
 * @module
 */
import { ADMIN_TOKEN } from "../../tests/support/platform.ts";
import { type Program, startProgram } from "../lib/program.ts";

/** Starts it on ports of the system's choosing, with an embedded database that goes with it; `args`: more of its flags. */
export function startPlatformProcess(...args: string[]): Promise<Program> {
  const listen = ["http", "distribution", "access", "plugin-center", "push"];
  return startProgram("platform", [
    ...listen.flatMap((name) => [`--${name}`, "127.0.0.1:0"]),
    ...["--advertise", "127.0.0.1", "--log-level", "warn", ...args],
  ], { env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } });
}

/**
 * Gives up, once a role is about to start, the permissions of the runtime that it does not need.
 *
 * The task and the executable start with what both roles together need, since flags are not known before; what is
 * given up can't be had back. Files can't be narrowed to the data folder this way (the runtime gives up reading
 * or writing only as a whole), see docs/security.md.
 *
 * @module
 */
import type { GatewaySettings } from "../gateway/settings.ts";

/** A permission that can be given up. */
export type Permission = Deno.PermissionDescriptor;

/** The platform starts no process, and asks the system nothing more. */
export const PLATFORM_GIVES_UP: readonly Permission[] = [
  { name: "env" },
  { name: "run" },
  { name: "sys" },
  { name: "ffi" },
  { name: "import" },
];

/** A gateway keeps what its driver and its isolation need: plug-in hosts, the machine's programs, asking the system. */
export function gatewayGivesUp(
  settings: Pick<GatewaySettings, "driver" | "isolation">,
): readonly Permission[] {
  const simulated = settings.driver === "simulated";
  return [
    { name: "env" },
    { name: "ffi" },
    { name: "import" },
    { name: "run", command: "tsc" }, // the author's tools may start it; the other compiler is the runtime itself
    ...(simulated ? [{ name: "sys" } as const] : []),
    ...(simulated && settings.isolation === "inline" ? [{ name: "run" } as const] : []),
  ];
}

/** Gives them up. Call it after the role's modules are loaded: some look at the environment as they load. */
export async function giveUp(permissions: readonly Permission[]): Promise<void> {
  for (const permission of permissions) await Deno.permissions.revoke(permission);
}

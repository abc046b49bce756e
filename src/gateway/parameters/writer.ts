/**
 * In whose name a plug-in writes parameters: whoever called it, and nobody but itself where nobody did.
 *
 * @module
 */
import type { HostCall } from "../../sandbox/mod.ts";
import type { Writer } from "./tree.ts";

/** Who has plug-ins do something: the phone on the LAN, the apps' platform, the administrator by the control API. */
export type Caller = "local" | "platform" | "control";

/** The writer of what a host function writes for its caller. */
export function writerOf({ plugin, caller }: Pick<HostCall, "plugin" | "caller">): Writer {
  switch (caller) {
    case "local":
      return { source: "local", by: plugin };
    case "platform":
      return { source: "app", by: plugin };
    case "control":
      // As what the control API writes itself, if nothing else is said.
      return { source: "local", by: `${plugin}, control API` };
    default:
      return { source: "plugin", by: plugin };
  }
}

/**
 * The host functions that plug-ins may be granted.
 *
 * @module
 */
import type { Capabilities } from "./types.ts";

/** Throws TypeError where a host function has a name that no plug-in could call, or that is taken. */
export function checkCapabilities(capabilities: Capabilities): void {
  const seen = new Set<string>();
  for (const [capability, functions] of Object.entries(capabilities)) {
    for (const name of Object.keys(functions)) {
      if (!/^[a-z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*$/.test(name) || name.startsWith("log.")) {
        throw new TypeError(
          `capability "${capability}": "${name}" is no name for a host function, as "system.cpuPercent"`,
        );
      }
      if (seen.has(name)) throw new TypeError(`host function "${name}" is in two capabilities`);
      seen.add(name);
    }
  }
}

/**
 * Rights that are changed while the gateway runs (`SET_RIGHT`, reference §7): kept by the sandbox beside what is asked
 * for of each plug-in, and enforced wherever a command is called.
 *
 * @module
 */
import type { Capabilities, PluginManager, Right } from "../../sandbox/mod.ts";

/** On the wire. */
const CODES: Readonly<Record<string, Right>> = { 0: "local", 1: "remote", 2: "both", 3: "none" };
/** What must stay within the platform's reach: without it no right could ever be given back. */
const REACHABLE = "SET_RIGHT";

/** The part of the plug-in manager that it needs. */
export type RightsKeeper = Pick<PluginManager, "list" | "setRight">;

/**
 * Changes the right of a command in every plug-in that has it, since an empty Plugin_Name may choose any of them.
 * Throws Error where there is none, the code is none, or SET_RIGHT would be out of the platform's reach.
 */
export async function changeRight(plugins: RightsKeeper, command: string, code: string): Promise<void> {
  const right = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  if (right === undefined) throw new Error("RIGHT is 0 (local), 1 (remote), 2 (both) or 3 (none)");
  const having = plugins.list().filter(({ commands }) => commands.some(({ name }) => name === command));
  if (having.length === 0) throw new Error(`no plug-in has a command "${command.slice(0, 64)}"`);
  if (command === REACHABLE && right !== "remote" && right !== "both") {
    throw new Error(`${REACHABLE} stays remote (1) or both (2): else nobody could give a right back`);
  }
  for (const { name } of having) await plugins.setRight(name, command, right);
}

/** `rights`: for the plug-in that carries `SET_RIGHT` out. */
export function rightsFunctions(plugins: () => RightsKeeper | undefined): Capabilities {
  return {
    "rights": {
      /** `[command, code]`: who may call the command from now on, also after a restart. */
      "rights.set": async ([command, code]) => {
        const manager = plugins();
        if (!manager) throw new Error("the plug-ins are being loaded: try again");
        if (typeof command !== "string" || typeof code !== "string") throw new Error("command, code: texts");
        await changeRight(manager, command, code);
        return undefined;
      },
    },
  };
}

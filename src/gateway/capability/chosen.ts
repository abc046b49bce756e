/**
 * Which plug-in is meant where none is named: an empty Plugin_Name lets the CmdType choose (reference §4, §6).
 *
 * @module
 */
import type { PluginManager, PluginStatus } from "../../sandbox/mod.ts";
import { TIERS } from "../../sandbox/package/mod.ts";

/** The part of the plug-in manager that it needs. */
export type PluginLister = Pick<PluginManager, "list">;

/**
 * The plug-in that answers `command`; undefined where none has it. The most trusted one does: CHECK_PASSWD_PARAM carries
 * the password of the house, and whoever may drop a file into the folder must not get it by declaring that command. So
 * one that is down is not stood in for by one that is trusted less; one that was stopped by hand is. Among equals it is
 * one that runs, then the first by name.
 */
export function chosen(plugins: PluginLister, command: string): string | undefined {
  const having = plugins.list().filter(({ commands }) => commands.some(({ name }) => name === command));
  return having.sort(byPrecedence)[0]?.name;
}

function byPrecedence(a: PluginStatus, b: PluginStatus): number {
  return Number(b.desired === "running") - Number(a.desired === "running") ||
    rankOf(a) - rankOf(b) ||
    Number(b.state === "running") - Number(a.state === "running") ||
    (a.name < b.name ? -1 : 1);
}

/** 0 for the most trusted tier. */
function rankOf({ tier }: PluginStatus): number {
  const rank = TIERS.findIndex((each) => each === tier);
  return rank < 0 ? TIERS.length : rank;
}

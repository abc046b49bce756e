/**
 * The permissions of the runtime that the program works with: no more, and the same ones everywhere.
 *
 * @module
 */

/** What the program asks the environment. Libraries that look for more are told there is nothing. */
const ENVIRONMENT = ["GATEHOUSE_*"];

/**
 * Flags for `deno run`. Network: it listens and connects where its settings say. Files: the data and plug-ins folders
 * are settings too. Programs: itself (the plug-in host) and `ping`. System: load, memory, interfaces, host name.
 */
export function runPermissions(): string[] {
  return [
    "--allow-net",
    "--allow-read",
    "--allow-write",
    `--allow-env=${ENVIRONMENT.join(",")}`,
    `--allow-run=${Deno.execPath()},ping`,
    "--allow-sys",
  ];
}

/**
 * The permissions of the runtime that the program works with: no more, and the same ones everywhere.
 *
 * @module
 */
import { COMPILERS } from "../../src/cli/plugin/types.ts";
import { PROGRAMS } from "../../src/gateway/driver/linux/programs.ts";

/**
 * What the program asks the environment: its settings, and where Deno keeps its cache (for the plug-in host). Libraries
 * that look for more (the database client does) find nothing.
 */
const ENVIRONMENT = ["GATEHOUSE_*", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];

/**
 * Flags for `deno run`. Network: it listens and connects where its settings say. Files: the data and plug-ins folders
 * are settings too. Programs: itself (the plug-in host), those that the gateway asks about its machine, and the compilers
 * that `plugin check` asks. System: load, memory, interfaces, host name.
 */
export function runPermissions(): string[] {
  return [
    "--allow-net",
    "--allow-read",
    "--allow-write",
    `--allow-env=${ENVIRONMENT.join(",")}`,
    "--ignore-env",
    `--allow-run=${[Deno.execPath(), ...PROGRAMS, ...COMPILERS].join(",")}`,
    "--allow-sys",
  ];
}

/**
 * Flags for `deno compile`. The executable does not know beforehand where it will lie, and a program that may be
 * started is named by its path: so it may start any, and each role gives up what it does not need (docs/security.md).
 */
export const COMPILED_PERMISSIONS: readonly string[] = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env=GATEHOUSE_*",
  "--ignore-env",
  "--allow-run",
  "--allow-sys",
];

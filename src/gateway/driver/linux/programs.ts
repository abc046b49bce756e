/**
 * The programs of the machine that the gateway may run. The permissions that it is started with name these and no
 * others; what they are run for is in docs/security.md.
 *
 * @module
 */

/** Their names, to be found on PATH. */
export const PROGRAMS = [
  "bridge",
  "cat",
  "date",
  "ethtool",
  "ip",
  "iw",
  "ls",
  "nft",
  "ping",
  "reboot",
  "systemctl",
  "tc",
  "tee",
  "ubus",
  "uci",
  // Whatever an operator puts there: the one name that a command setting can count on when run from the sources.
  "gatehouse-hook",
] as const;

/** One of {@linkcode PROGRAMS}. */
export type Program = typeof PROGRAMS[number];

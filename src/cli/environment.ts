/**
 * Environment variables that look like settings and are none: a slip there would otherwise never show.
 *
 * @module
 */
import type { LogFields } from "../base/mod.ts";
import { ROLES, variableOf } from "./setting.ts";
import { SETTINGS_OF } from "./settings_table.ts";
import { closest } from "./suggest.ts";

const PREFIX = "GATEHOUSE_";
/** What `gatehouse sms`, the container's entry point, and the project's own tests and tools read. */
const OTHERS = /^(SMS_SECRET|PROGRAM|CRASHES|SCREENSHOTS|LIFE_TALLY|(TEST|BENCH)_.*)$/;
/** What Kubernetes sets for a service whose name begins so: `GATEHOUSE_PORT_8080_TCP_ADDR`. */
const SERVICE_LINK = /(^|_)(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const LINK_VALUE = /^(tcp|udp|sctp):\/\//;

/**
 * Those of `env` that nothing reads, with the nearest name that there is. Settings of the other role are no slip: the
 * two may share a file of variables. Values are not told: one of them may be a secret.
 */
export function unknownVariables(env: Readonly<Record<string, string>>): LogFields[] {
  const known = new Set(ROLES.flatMap((role) => Object.keys(SETTINGS_OF[role])).map(variableOf)),
    words = [...known].map((variable) => variable.slice(PREFIX.length));
  return Object.entries(env).flatMap(([variable, value]) => {
    if (!variable.startsWith(PREFIX) || value === "" || known.has(variable)) return [];
    const word = variable.slice(PREFIX.length);
    if (OTHERS.test(word) || SERVICE_LINK.test(word) || LINK_VALUE.test(value) && /(^|_)PORT$/.test(word)) {
      return [];
    }
    const near = closest(word.toUpperCase(), words);
    return [{ variable, ...(near === undefined ? {} : { didYouMean: PREFIX + near }) }];
  });
}

/** The whole environment, as far as this program may read it. */
export function readEnvironment(): Record<string, string> {
  try {
    return Deno.env.toObject();
  } catch (error) {
    // Started with fewer permissions than it asks for, without --ignore-env: it only can't warn.
    if (error instanceof Deno.errors.NotCapable) return {};
    throw error;
  }
}

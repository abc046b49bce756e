/**
 * From texts to checked values: flag before environment before file before default.
 *
 * @module
 */
import { UsageError } from "./errors.ts";
import { unknown } from "./flags.ts";
import { type Role, ROLES, type SettingsTable, type ValuesOf, variableOf } from "./setting.ts";
import { COMMON_SETTINGS, SETTINGS_OF } from "./settings_table.ts";
import { readConfigFile } from "./config_file.ts";

/** Where settings come from. */
export interface Sources {
  readonly flags: ReadonlyMap<string, string>;
  readonly env: (name: string) => string | undefined;
}

/** A value as text, and what to call it in an error. */
interface Given {
  readonly text: string;
  readonly name: string;
}

/** Finds settings by name, whichever source they are in. */
export class Settings {
  readonly #flags: ReadonlyMap<string, string>;
  readonly #env: Sources["env"];
  readonly #file: ReadonlyMap<string, string>;
  readonly #path: string;

  /** Reads the configuration file, if one is named. @throws {UsageError} */
  constructor({ flags, env }: Sources) {
    this.#flags = flags;
    this.#env = (name) => env(name) || undefined; // an empty variable is as good as none
    this.#file = new Map();
    const config = this.#find("config", COMMON_SETTINGS);
    this.#path = config?.text ?? "";
    if (config) this.#file = readConfigFile(config.text, config.name);
  }

  /** The role; undefined where nobody names one. @throws {UsageError} */
  role(): Role | undefined {
    const given = this.#find("role", COMMON_SETTINGS);
    return given && check(given, COMMON_SETTINGS.role.kind) as Role;
  }

  /** Every setting of a role's table, checked. @throws {UsageError} */
  all<Table extends SettingsTable>(role: Role, table: Table): ValuesOf<Table> {
    this.#refuseOthers(role, table);
    const values: Record<string, unknown> = {};
    for (const [name, setting] of Object.entries(table)) {
      const given = name === "role" ? { text: role, name: "--role" } : this.#find(name, table);
      if (!given && setting.required) {
        throw new UsageError(`--${name} is needed: ${setting.kind.allowed} (or ${variableOf(name)})`);
      }
      values[name] = given ? check(given, setting.kind, setting.environmentOnly) : setting.fallback;
    }
    return values as ValuesOf<Table>;
  }

  #find(name: string, table: SettingsTable): Given | undefined {
    const secret = table[name]!.environmentOnly;
    const flag = secret ? undefined : this.#flags.get(name);
    if (flag !== undefined) return { text: flag, name: `--${name}` };
    const variable = this.#env(variableOf(name));
    if (variable !== undefined) return { text: variable, name: variableOf(name) };
    const entry = secret ? undefined : this.#file.get(name);
    return entry === undefined ? undefined : { text: entry, name: `"${name}" in "${this.#path}"` };
  }

  #refuseOthers(role: Role, table: SettingsTable): void {
    const known = Object.keys(table).filter((name) => !table[name]!.environmentOnly);
    const keys = known.filter((name) => name !== "config");
    for (const name of this.#flags.keys()) {
      if (!known.includes(name)) {
        throw new UsageError(`--${name} is not allowed here: it is for ${others(role)}`);
      }
    }
    for (const key of this.#file.keys()) {
      if (keys.includes(key)) continue;
      const what = `key "${key}" in "${this.#path}"`;
      const elsewhere = ROLES.some((other) => Object.hasOwn(SETTINGS_OF[other], key) && !known.includes(key));
      if (elsewhere && key !== "admin-token") {
        throw new UsageError(`${what} is not allowed here: it is for ${others(role)}`);
      }
      if (key === "admin-token") {
        throw new UsageError(`${what} is not allowed: the token is taken from ${variableOf(key)} only`);
      }
      throw new UsageError(unknown(what, key, keys));
    }
  }
}

function others(role: Role): string {
  return ROLES.filter((other) => other !== role).map((other) => `--role ${other}`).join(", ");
}

function check(
  given: Given,
  kind: { allowed: string; parse: (text: string) => unknown },
  secret = false,
): unknown {
  const value = kind.parse(given.text);
  if (value === undefined) {
    // A secret that was put where it does not belong must not be repeated: only short, plain values are shown.
    const shown = given.text.length <= 80 && !secret && !given.name.includes("TOKEN")
      ? ` "${oneLine(given.text)}"`
      : "";
    throw new UsageError(`${given.name}${shown} is not allowed: allowed is ${kind.allowed}`);
  }
  return value;
}

function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ");
}

/**
 * What a setting is: one entry of the table that flags, environment, configuration file, help and documents share.
 *
 * @module
 */
import type { Kind } from "./parsers.ts";

/** The roles of the executable. */
export const ROLES = ["gateway", "platform"] as const;
/** One of {@linkcode ROLES}. */
export type Role = typeof ROLES[number];

/** One setting; `Value` is what a program gets. Its name is the key in the table. */
export interface Setting<Value> {
  readonly kind: Kind<unknown>;
  /** One sentence, without a full stop. */
  readonly help: string;
  /** What it is where nobody says; undefined: see {@linkcode required}, else it is left undefined. */
  readonly fallback?: Value;
  /** How help shows the fallback where it is made at start. */
  readonly fallbackText?: string;
  /** There must be a value. */
  readonly required?: boolean;
  /** Only in the environment: a secret must not show in the list of processes. */
  readonly environmentOnly?: boolean;
}

/** Settings by name. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** The values of a table. */
export type ValuesOf<Table extends SettingsTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer Value> ? Value : never;
};

/** A setting with a default. */
export function withDefault<Value>(kind: Kind<Value>, fallback: Value, help: string): Setting<Value> {
  return { kind, fallback, help };
}

/** A setting that must be given. */
export function required<Value>(kind: Kind<Value>, help: string): Setting<Value> {
  return { kind, help, required: true };
}

/** A setting that may be left out; `fallbackText` tells what happens then. */
export function optional<Value>(
  kind: Kind<Value>,
  help: string,
  more: { fallbackText?: string; environmentOnly?: true } = {},
): Setting<Value | undefined> {
  return { kind, help, ...more };
}

/** The environment variable of a setting: `GATEHOUSE_MGT_URL` for `mgt-url`. */
export function variableOf(name: string): string {
  return `GATEHOUSE_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** The default as text; undefined where there is none. */
export function shownDefault(setting: Setting<unknown>): string | undefined {
  if (setting.fallbackText !== undefined) return setting.fallbackText;
  return setting.fallback === undefined ? undefined : (setting.kind.show ?? String)(setting.fallback);
}

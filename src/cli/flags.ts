/**
 * The command line, as text by name.
 *
 * @module
 */
import { UsageError } from "./errors.ts";
import { ROLES, type SettingsTable } from "./setting.ts";
import { SETTINGS_OF } from "./settings_table.ts";
import { closest } from "./suggest.ts";

/** What the command line says. */
export interface CommandLine {
  readonly help: boolean;
  readonly version: boolean;
  /** Flags with their values, unchecked: `mgt-url` -> `189cube`. */
  readonly values: ReadonlyMap<string, string>;
}

/** Every flag there is, of whatever role. */
export function flagNames(): string[] {
  const tables: SettingsTable[] = ROLES.map((role) => SETTINGS_OF[role]);
  const names = tables.flatMap((table) => Object.keys(table).filter((name) => !table[name]!.environmentOnly));
  return [...new Set(names), "help", "version"];
}

/** Reads `--name VALUE`, `--name=VALUE`, `--help`, `-h`, `--version` and `-V`. @throws {UsageError} */
export function readCommandLine(args: readonly string[]): CommandLine {
  const known = flagNames();
  const values = new Map<string, string>();
  let help = false, version = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--help" || arg === "-h") help = true;
    else if (arg === "--version" || arg === "-V") version = true;
    else {
      const [, name, inline] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
      if (name === undefined) {
        throw new UsageError(
          `unexpected argument "${arg}": only flags such as --role are allowed, see --help`,
        );
      }
      if (!known.includes(name)) throw new UsageError(unknown(`flag --${name}`, name, known, "--"));
      if (name === "help" || name === "version") throw new UsageError(`--${name} takes no value`);
      if (values.has(name)) throw new UsageError(`--${name} is given twice, once is allowed`);
      // A value may start with a hyphen only in the form --name=VALUE: `--data --http` is a forgotten value.
      const next = args[i + 1];
      if (inline === undefined && (next === undefined || /^--./.test(next))) {
        throw new UsageError(`--${name} needs a value: ${allowedFor(name)}`);
      }
      values.set(name, inline ?? next!);
      if (inline === undefined) i++;
    }
  }
  return { help, version, values };
}

/** The sentence about a name that there is not. */
export function unknown(what: string, name: string, known: readonly string[], prefix = ""): string {
  const near = closest(name, known);
  return near === undefined
    ? `unknown ${what}: see --help for those there are`
    : `unknown ${what}: did you mean ${prefix}${near}?`;
}

function allowedFor(name: string): string {
  const tables: SettingsTable[] = ROLES.map((role) => SETTINGS_OF[role]);
  return tables.find((table) => Object.hasOwn(table, name))![name]!.kind.allowed;
}

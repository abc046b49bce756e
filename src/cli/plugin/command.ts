/**
 * What a sub-command of `gatehouse plugin` is: its words on the command line, its help, its work.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { unknown } from "../flags.ts";
import type { Kind } from "../parsers.ts";
import type { Permission } from "../permissions.ts";
import type { Terminal } from "./terminal.ts";

/** A flag. Without `kind` it takes no value. */
export interface Option {
  readonly kind?: Kind<unknown>;
  /** One sentence, without a full stop. */
  readonly help: string;
}

/** A word without a flag. */
export interface Positional {
  readonly label: string;
  readonly kind: Kind<string>;
  readonly help: string;
  readonly optional?: boolean;
}

/** What the command line said. */
export interface Input {
  readonly words: readonly string[];
  /** The checked value of a flag; undefined where it was not given. */
  value<T>(name: string): T | undefined;
  /** Whether a flag without a value was given. */
  has(name: string): boolean;
}

/** A sub-command. */
export interface Command {
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What one should know before using it. */
  readonly about: string;
  readonly positionals: readonly Positional[];
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  /** What exit code 1 stands for. */
  readonly failure: string;
  /** Permissions of the runtime that it does without. */
  readonly givesUp: readonly Permission[];
  /** Does it; gives the exit code. */
  run(input: Input, terminal: Terminal): Promise<number>;
}

/** For commands that ask nobody on the network and start no program. */
export const STAYS_HOME: readonly Permission[] = ["net", "run", "sys", "env", "ffi"].map((name) =>
  ({ name }) as Permission
);
/** For commands that ask nobody on the network, and start a compiler before they look at anything else. */
export const COMPILES: readonly Permission[] = STAYS_HOME.filter(({ name }) => name !== "run");
/** For commands that speak with a control API. */
export const ASKS_OTHERS: readonly Permission[] = ["run", "sys", "env", "ffi"].map((name) =>
  ({ name }) as Permission
);

/** Reads a command's words and flags; undefined: help is asked for. @throws {UsageError} */
export function readInput(command: Command, args: readonly string[]): Input | undefined {
  const { options, positionals } = command, title = `gatehouse plugin ${command.name}`;
  const words: string[] = [], values = new Map<string, unknown>();
  const known = [...Object.keys(options), "help"];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--help" || arg === "-h") return undefined;
    const [, name, inline] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) {
      const positional = positionals[words.length];
      if (!positional) throw new UsageError(`unexpected argument "${arg}": see ${title} --help`);
      words.push(checked(positional.label, arg, positional.kind));
      continue;
    }
    const option = Object.hasOwn(options, name) ? options[name]! : undefined;
    if (!option) throw new UsageError(unknown(`flag --${name} of ${title}`, name, known, "--"));
    if (values.has(name)) throw new UsageError(`--${name} is given twice, once is allowed`);
    if (!option.kind) {
      if (inline !== undefined) throw new UsageError(`--${name} takes no value`);
      values.set(name, true);
      continue;
    }
    const next = args[i + 1];
    if (inline === undefined && (next === undefined || /^--./.test(next))) {
      throw new UsageError(`--${name} needs a value: ${option.kind.allowed}`);
    }
    values.set(name, checked(`--${name}`, inline ?? next!, option.kind));
    if (inline === undefined) i++;
  }
  const missing = positionals[words.length];
  if (missing && !missing.optional) {
    throw new UsageError(`${missing.label} is missing: ${missing.help}, see ${title} --help`);
  }
  return {
    words,
    value: <T>(name: string) => values.get(name) as T | undefined,
    has: (name) => values.has(name),
  };
}

function checked<T>(name: string, text: string, kind: Kind<T>): T {
  const value = kind.parse(text);
  if (value !== undefined) return value;
  const shown = text.length <= 80 ? ` "${text.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ")}"` : "";
  throw new UsageError(`${name}${shown} is not allowed: allowed is ${kind.allowed}`);
}

/** What `--help` prints. */
export function helpOf(command: Command): string {
  const { name, positionals, options } = command;
  const words = positionals.map(({ label, optional }) => optional ? ` [${label}]` : ` ${label}`).join("");
  const entries: [string, string][] = [
    ...positionals.map(({ label, help }): [string, string] => [label, help]),
    ...Object.entries(options).map(([flag, { kind, help }]): [string, string] => [
      `--${flag}${kind ? ` ${kind.label}` : ""}`,
      kind && !kind.obvious ? `${help}; ${kind.allowed}` : help,
    ]),
  ];
  return `gatehouse plugin ${name}: ${command.summary}

Usage
  gatehouse plugin ${name}${words}${Object.keys(options).length > 0 ? " [flags]" : ""}

${command.about}

${entries.map(([head, help]) => `  ${head}\n        ${help}`).join("\n")}

Examples
${command.examples.map((example) => `  ${example}`).join("\n")}

Exit codes
  0  done
  1  ${command.failure}
  2  the command line is wrong`;
}

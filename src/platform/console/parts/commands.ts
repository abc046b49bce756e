/**
 * What a manifest says of its commands, for pages that offer them.
 *
 * @module
 */
import type { Language } from "../texts/mod.ts";

/** A field of a command, as its plug-in's author declares it. */
export interface FieldSpec {
  readonly name: string;
  readonly label?: { readonly en?: string; readonly zh?: string } | undefined;
  readonly required?: boolean | undefined;
  readonly pattern?: string | undefined;
  readonly values?: readonly string[] | undefined;
}

/** A command of a plug-in. */
export interface CommandSpec {
  readonly name: string;
  readonly right: string;
  /** Undefined where the author declares none: it may take any. */
  readonly fields: readonly FieldSpec[] | undefined;
}

/** The commands of a manifest that the platform took in, and so has checked. */
export function commandsOf(manifest: Readonly<Record<string, unknown>>): CommandSpec[] {
  const commands = manifest["commands"] as Record<string, Omit<CommandSpec, "name">> | undefined;
  return Object.entries(commands ?? {}).map(([name, { right, fields }]) => ({ name, right, fields }));
}

/** What a field is called. */
export function labelOf({ name, label }: FieldSpec, language: Language): string {
  return label?.[language] ?? label?.en ?? label?.zh ?? name;
}

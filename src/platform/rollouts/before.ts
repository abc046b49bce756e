/**
 * What a gateway had before a rollout did something to it: how that is asked, and how it is given back.
 *
 * @module
 */
import type { CommandKind, CommandRow } from "../registry/mod.ts";
import type { ItemRow, RolloutKind, RolloutRow } from "./schema.ts";
import type { ItemChange } from "./store.ts";
import type { NewItem } from "./wanted.ts";

/** What is done on one gateway. */
export interface Deed {
  readonly kind: RolloutKind;
  readonly plugin: string;
  readonly version: string;
  /** JSON. */
  readonly parameter: string;
}

/** A command that tells what there is. */
export interface Question {
  readonly kind: CommandKind;
  readonly plugin: string;
  readonly version: string;
  readonly parameter: Readonly<Record<string, unknown>>;
}

/** Writes parameters of the tree, and reads them (the plug-in `management`). */
const WRITE = "SETPARAMETERVALUES", READ = "GETPARAMETERVALUES";

/** What a rollout does on one of its gateways. */
export function deedOf(rollout: RolloutRow, item: ItemRow): Deed {
  const kind = item.kind ?? rollout.kind;
  return {
    kind,
    plugin: rollout.plugin,
    version: item.version ?? (kind === "uninstall" ? "" : rollout.version),
    parameter: item.parameter ?? rollout.parameter,
  };
}

/** Why what a rollout does can't be taken back; undefined where it can. */
export function irreversible(
  { kind, parameter }: Pick<RolloutRow, "kind" | "parameter">,
): string | undefined {
  switch (kind) {
    case "install":
    case "uninstall":
      return undefined;
    case "configure":
      return "what parameters a plug-in had can't be read from a gateway: make a rollout that gives it the earlier ones";
    case "redistribute":
      return "a gateway that moved is no longer here to be called back: move it from where it is now";
    case "post":
      return namesOf(parameter)
        ? undefined
        : `of the commands only ${WRITE} can be taken back: what others did is not known`;
  }
}

/** What has to be asked before the deed, so that it can be taken back; undefined where nothing has. */
export function questionOf(deed: Deed, item: ItemRow): Question | undefined {
  if (deed.kind === "install" || deed.kind === "uninstall") {
    return item.previous_version === null
      ? { kind: "list", plugin: "", version: "", parameter: {} }
      : undefined;
  }
  const names = deed.kind === "post" && item.previous_parameter === null
    ? namesOf(deed.parameter)
    : undefined;
  return names && {
    kind: "post",
    plugin: deed.plugin,
    version: deed.version,
    parameter: { CmdType: READ, List: names },
  };
}

/** What the answer to {@linkcode questionOf} tells. */
export function learned(deed: Deed, answer: CommandRow): ItemChange {
  const reply = objectOf(answer.reply);
  if (deed.kind !== "post") {
    const plugins = reply["plugins"];
    if (!Array.isArray(plugins)) return {};
    const there = plugins.find((plugin) => plugin?.name === deed.plugin);
    return { previous_version: there === undefined ? "" : String(there.version) };
  }
  return { previous_parameter: JSON.stringify(valuesOf(reply["List"]) ?? {}) };
}

/**
 * What takes a deed that was done back; with a reason not to do it where it is not known what was there before;
 * undefined where there is nothing to take back.
 */
export function inverseOf(deed: Deed, item: ItemRow): NewItem | undefined {
  const { mac, previous_version: version } = item;
  switch (deed.kind) {
    case "install":
    case "uninstall":
      if (version === null) return { mac, skip: "which version it had before is not known" };
      if (version === "") return deed.kind === "install" ? { mac, kind: "uninstall" } : undefined;
      return version === deed.version ? undefined : { mac, kind: "install", version };
    default: {
      const before = item.previous_parameter === null ? {} : objectOf(item.previous_parameter);
      const names = namesOf(deed.parameter) ?? [];
      // A password reads as empty (TR-098): to write that back would take it away.
      const unknown = names.find((name) => typeof before[name] !== "string" || before[name] === "");
      if (unknown !== undefined) return { mac, skip: `what "${unknown}" was before is not known` };
      const List = names.map((Name) => ({ Name, Value: before[Name] }));
      return { mac, kind: "post", parameter: JSON.stringify({ CmdType: WRITE, List }) };
    }
  }
}

/** The names that a post writes; undefined where it writes none. */
function namesOf(parameter: string): string[] | undefined {
  const fields = objectOf(parameter);
  const values = fields["CmdType"] === WRITE ? valuesOf(fields["List"]) : undefined;
  return values && Object.keys(values);
}

/** `List` as the wire may have it: `[{ Name, Value }]`, or one object, and either as JSON text. */
function valuesOf(list: unknown): Record<string, string> | undefined {
  let given: unknown = list;
  try {
    if (typeof list === "string") given = JSON.parse(list);
  } catch {
    return undefined;
  }
  if (typeof given !== "object" || given === null) return undefined;
  const pairs = Array.isArray(given)
    ? given.map((entry) => [entry?.Name, entry?.Value] as const)
    : Object.entries(given);
  if (pairs.some(([name]) => typeof name !== "string" || name === "")) return undefined;
  return Object.fromEntries(pairs.map(([name, value]) => [name as string, textOf(value)]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

function objectOf(json: string | null): Readonly<Record<string, unknown>> {
  const value: unknown = json === null ? undefined : JSON.parse(json);
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

/**
 * The `Plugin` list in the answer to ListPlugin (reference §4). Internal to this folder, but for its entry type.
 *
 * @module
 */
import { ProtocolError } from "./errors.ts";
import { type Field, int, looseText, text } from "./fields.ts";
import { readShape, type Shape, writeShape } from "./shape.ts";

/** One installed plug-in. */
export interface PluginEntry {
  readonly pluginName: string;
  readonly version: string;
  /** 1: running; 0: not. */
  readonly run: number;
}

/** More plug-ins than any gateway has. */
const MAX_ENTRIES = 1024;

const runNumber = int("Run", 0, 1);
const entry: Shape<PluginEntry> = {
  pluginName: text("Plugin_Name"),
  version: looseText("Version"),
  run: {
    ...runNumber,
    read: (value) => runNumber.read(typeof value === "boolean" ? Number(value) : value ?? 0),
  },
};

/** A list of {@linkcode PluginEntry}. */
export function pluginList(wire: string): Field<readonly PluginEntry[]> {
  const refuse = (what: string): never => {
    throw new ProtocolError("wrong_type", `field "${wire}" ${what}`, { field: wire });
  };
  return {
    wire,
    read(value) {
      if (!Array.isArray(value)) return refuse("is not a list");
      if (value.length > MAX_ENTRIES) return refuse(`has more than ${MAX_ENTRIES} entries`);
      return value.map((item) =>
        typeof item === "object" && item !== null && !Array.isArray(item)
          ? readShape(entry, item)
          : refuse("holds something that is not an object")
      );
    },
    write: (value) =>
      value.length > MAX_ENTRIES
        ? refuse(`has more than ${MAX_ENTRIES} entries`)
        : value.map((item) => writeShape(entry, item)),
  };
}

/**
 * A gateway's own tree.
 *
 * @module
 */
import { join } from "@std/path";
import { type Clock, GatehouseError, type Log, messageOf } from "../../base/mod.ts";
import { readJsonFile } from "../state/mod.ts";
import { AREAS } from "./areas/mod.ts";
import type { ParameterValue } from "./definition.ts";
import { Model, parseName } from "./model.ts";
import { ParameterTree } from "./tree.ts";
import { valueOf } from "./value.ts";

/** The operator's own factory presets, by parameter name, in the data folder; it need not be there. */
const PRESETS_FILE = "factory_presets.json";

/**
 * Opens the tree of all areas in `<dataDir>/parameters.json`, with the factory presets of
 * `<dataDir>/factory_presets.json` and, over these, `presets`; without a folder it is in memory only. Throws
 * GatehouseError `bad_presets_file` with every fault of that file.
 */
export async function openParameters(
  deps: { readonly clock: Clock; readonly log: Log },
  dataDir: string | undefined,
  presets: Readonly<Record<string, ParameterValue>> = {},
): Promise<ParameterTree> {
  if (dataDir === undefined) {
    return await ParameterTree.open(deps, { path: undefined, areas: AREAS, presets });
  }
  await Deno.mkdir(dataDir, { recursive: true });
  const given = await presetsIn(join(dataDir, PRESETS_FILE));
  return await ParameterTree.open(deps, {
    path: join(dataDir, "parameters.json"),
    areas: AREAS,
    presets: { ...given, ...presets },
  });
}

async function presetsIn(path: string): Promise<Record<string, ParameterValue>> {
  const bad = (what: string, cause?: unknown) =>
    new GatehouseError("bad_presets_file", `factory presets file "${path}": ${what}`, { cause });
  let content: unknown;
  try {
    content = await readJsonFile(path);
  } catch (cause) {
    throw bad(cause instanceof SyntaxError ? "not JSON" : "can't be read", cause);
  }
  if (content === undefined) return {};
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw bad("not a JSON object");
  }
  const model = new Model(AREAS), presets: Record<string, ParameterValue> = {}, faults: string[] = [];
  for (const [name, value] of Object.entries(content)) {
    const found = model.parameter(parseName(name)?.template ?? "");
    try {
      if (!found) faults.push(`no parameter "${name.slice(0, 256)}"`);
      else presets[name] = valueOf(found.definition, value);
    } catch (error) {
      faults.push(`"${name}": ${messageOf(error)}`);
    }
  }
  if (faults.length > 0) throw bad(faults.slice(0, 20).join("; "));
  return presets;
}

/**
 * A gateway's own tree.
 *
 * @module
 */
import { join } from "@std/path";
import type { Clock, Log } from "../../base/mod.ts";
import { AREAS } from "./areas/mod.ts";
import type { ParameterValue } from "./definition.ts";
import { ParameterTree } from "./tree.ts";

/** Opens the tree of all areas in `<dataDir>/parameters.json`; without a folder it is in memory only. */
export function openParameters(
  deps: { readonly clock: Clock; readonly log: Log },
  dataDir: string | undefined,
  presets: Readonly<Record<string, ParameterValue>> = {},
): Promise<ParameterTree> {
  const path = dataDir === undefined ? undefined : join(dataDir, "parameters.json");
  return ParameterTree.open(deps, { path, areas: AREAS, presets });
}

/**
 * The parameter tree: TR-098 names with types, ranges and owners, kept on the disk.
 *
 * @module
 */
export { AREAS } from "./areas/mod.ts";
export { type Binding, type ParameterChange } from "./binding.ts";
export {
  type Area,
  type ObjectDefinition,
  type Owner,
  type ParameterDefinition,
  type ParameterType,
  type ParameterValue,
  type Source,
  SOURCES,
} from "./definition.ts";
export { CWMP_FAULTS, ParameterError, type ParameterErrorCode, type ParameterFault } from "./errors.ts";
export { type Changes, ParameterFeed } from "./feed.ts";
export { parameterFunctions } from "./host_functions.ts";
export {
  bindDevice,
  bindNetwork,
  type DeviceFacts,
  Mgt,
  type MgtParts,
  mgtPresets,
  type MgtSettings,
  type NetworkFacts,
} from "./live/mod.ts";
export { openParameters } from "./open.ts";
export type { Stamp } from "./store.ts";
export {
  type ImportReport,
  type ListOptions,
  type ParameterOptions,
  ParameterTree,
  type ParameterView,
  type Writer,
} from "./tree.ts";
export { rangeOf, textOfValue, valueOf } from "./value.ts";
export { type Caller, writerOf } from "./writer.ts";

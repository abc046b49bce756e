/**
 * What the platform's services share: gateways, presence, commands and settings documents.
 *
 * @module
 */
export { Admission, admissionOf, type AdmissionSettings } from "./admission.ts";
export { Challenges } from "./challenges.ts";
export {
  type CommandChange,
  type CommandFilter,
  type CommandOwner,
  CommandStore,
  isFinal,
  isRepeatable,
  OPEN_STATUSES,
  ORPHANED,
} from "./commands.ts";
export { DocumentStore } from "./documents.ts";
export { type GatewayPreset, type GatewayQuery, GatewayStore, type LastSeen, noteReset } from "./gateways.ts";
export { type Presence, type PresenceOwner, type PresenceSettings, PresenceTable } from "./presence.ts";
export {
  type CommandEventRow,
  type CommandKind,
  type CommandRow,
  type CommandStatus,
  type DocumentRow,
  type GatewayResetRow,
  type GatewayRow,
  type PluginRow,
  registryMigrations,
  type RegistryTables,
} from "./schema.ts";

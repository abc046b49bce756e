/**
 * Who works with the platform: operators with roles, machines with API keys, and the audit of what they do.
 *
 * @module
 */
export type { AuditEntry, AuditLog } from "./audit.ts";
export {
  ALL_PERMISSIONS,
  type Permission,
  PERMISSIONS,
  type Role,
  ROLE_NAMES,
  ROLES,
} from "./permissions.ts";
export { beyondRights } from "./rights.ts";
export { peopleMigrations, type PeopleTables } from "./schema.ts";
export { type People, type PeopleSettings, ROOT, startPeople } from "./service.ts";

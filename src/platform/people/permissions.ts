/**
 * What the operators' API can be allowed to whom: permissions, and the roles that bundle them.
 *
 * @module
 */

/** Every permission, with what it lets do. */
export const PERMISSIONS = {
  "gateways:read": "see gateways, groups and their state",
  "gateways:write": "preset, change, move and remove gateways; edit groups and tags",
  "commands:read": "see commands and their replies",
  "commands:run": "run capability commands on gateways and cancel them",
  "plugins:read": "see the plug-in repository and what gateways have installed",
  "plugins:write": "upload, promote and remove plug-ins of the repository",
  "plugins:install": "install, run, stop and remove plug-ins on gateways",
  "policies:read": "see distribution policies and try them",
  "policies:write": "put distribution policies into force",
  "rollouts:read": "see rollouts",
  "rollouts:write": "make, start, pause and abort rollouts",
  "rollouts:approve": "approve rollouts",
  "messages:read": "see what gateways have pushed",
  "sms:read": "see short-message accounts, traffic, queues and routes",
  "sms:write": "change short-message accounts and routes, inject messages",
  "sms:content": "read the text of short messages",
  "alarms:read": "see alarms",
  "alarms:write": "acknowledge alarms and change their rules",
  "webhooks:write": "see and change webhooks",
  "trust:write": "see and change the keys that plug-ins are signed with",
  "people:write": "see and change operators and API keys",
  "audit:read": "read, check and export the audit log",
  "app_users:read": "see the phone app's users, their gateways and devices",
  "app_users:write": "lock the phone app's users, and sign them out",
  "system:write": "back up, and change settings of the platform",
} as const;

/** One thing that the operators' API can be allowed. */
export type Permission = keyof typeof PERMISSIONS;

/** All of them. */
export const ALL_PERMISSIONS = Object.keys(PERMISSIONS) as readonly Permission[];

const READ: readonly Permission[] = [
  "gateways:read",
  "commands:read",
  "plugins:read",
  "policies:read",
  "rollouts:read",
  "messages:read",
  "sms:read",
  "alarms:read",
];

/** What each role may. `app_service` is for a carrier's own app backend. */
export const ROLES = {
  admin: ALL_PERMISSIONS,
  operator: [
    ...READ,
    "gateways:write",
    "commands:run",
    "plugins:write",
    "plugins:install",
    "policies:write",
    "rollouts:write",
    "sms:write",
    "alarms:write",
    "app_users:read",
    "app_users:write",
  ],
  support: [...READ, "commands:run", "alarms:write", "app_users:read", "app_users:write"],
  viewer: READ,
  app_service: ["gateways:read", "commands:read", "commands:run", "messages:read"],
} as const satisfies Record<string, readonly Permission[]>;

/** The name of a role. */
export type Role = keyof typeof ROLES;

/** All role names, the mightiest first. */
export const ROLE_NAMES = Object.keys(ROLES) as readonly Role[];

/** Whether `text` is a {@linkcode Permission}. */
export function isPermission(text: string): text is Permission {
  return Object.hasOwn(PERMISSIONS, text);
}

/**
 * The pages of the console, and the menu to them.
 *
 * @module
 */
import type { MenuEntry } from "../layout.tsx";
import { pageAt, type PageRoute } from "../view.ts";
import { ALARM_PAGES } from "./alarms/mod.ts";
import { FLEET_PAGES } from "./fleet/mod.ts";
import { overviewPage } from "./overview.tsx";
import { PEOPLE_PAGES } from "./people/mod.ts";
import { PLUGIN_PAGES } from "./plugins/mod.ts";
import { POLICY_PAGES } from "./policies/mod.ts";
import { ROLLOUT_PAGES } from "./rollouts/mod.ts";
import { SMS_PAGES } from "./sms/mod.ts";
import { WEBHOOK_PAGES } from "./webhooks/mod.ts";
import { USER_PAGES } from "./users/mod.ts";

export { SignInPage } from "./sign_in.tsx";

/** Every page by method and path. */
export const PAGES: readonly PageRoute[] = [
  ...pageAt("/", overviewPage),
  ...ALARM_PAGES,
  ...FLEET_PAGES,
  ...PEOPLE_PAGES,
  ...PLUGIN_PAGES,
  ...POLICY_PAGES,
  ...ROLLOUT_PAGES,
  ...SMS_PAGES,
  ...WEBHOOK_PAGES,
  ...USER_PAGES,
];

/** The main menu. */
export const MENU: readonly MenuEntry[] = [
  { path: "/", permissions: ["gateways:read"], label: (texts) => texts.nav.overview },
  { path: "/gateways", permissions: ["gateways:read"], label: (texts) => texts.nav.gateways },
  { path: "/alarms", permissions: ["alarms:read"], label: (texts) => texts.nav.alarms },
  { path: "/plugins", permissions: ["plugins:read"], label: (texts) => texts.nav.plugins },
  { path: "/rollouts", permissions: ["rollouts:read"], label: (texts) => texts.nav.rollouts },
  {
    path: "/policies",
    permissions: ["policies:read"],
    services: ["distribution"],
    label: (texts) => texts.nav.policies,
  },
  { path: "/sms", permissions: ["sms:read"], services: ["sms"], label: (texts) => texts.nav.sms },
  {
    path: "/name-server",
    permissions: ["sms:read"],
    services: ["gns"],
    label: (texts) => texts.nav.nameServer,
  },
  { path: "/webhooks", permissions: ["webhooks:write"], label: (texts) => texts.nav.webhooks },
  {
    path: "/users",
    permissions: ["app_users:read"],
    services: ["app"],
    label: (texts) => texts.nav.users,
  },
  { path: "/people", permissions: ["people:write"], label: (texts) => texts.nav.people },
  { path: "/audit", permissions: ["audit:read"], label: (texts) => texts.nav.audit },
  { path: "/about", permissions: [], label: (texts) => texts.nav.about },
];

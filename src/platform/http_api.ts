/**
 * All that the platform answers over HTTP on one port: the operators' API, the app's, health and figures, the console.
 *
 * @module
 */
import type { Service } from "../base/mod.ts";
import { Api, nothingAt, serviceRoutes, tokenAuthenticator } from "../control/mod.ts";
import type { TrustStore } from "../sandbox/package/mod.ts";
import { trustProblem, trustRoutes } from "../trust/mod.ts";
import { alarmRoutes, type Alarms } from "./alarms/mod.ts";
import {
  aboutRoutes,
  commandRoutes,
  downloadRoutes,
  gatewayRoutes,
  pluginRoutes,
  policyRoutes,
  problemOf,
  timelineRoutes,
} from "./api/mod.ts";
import type { App } from "./app/mod.ts";
import type { Commander } from "./commands/mod.ts";
import { Console } from "./console/mod.ts";
import type { PlatformDeps } from "./deps.ts";
import type { PolicyScripts, PolicyStore } from "./distribution/mod.ts";
import { fleetRoutes } from "./fleet/mod.ts";
import type { IdempotencyKeys } from "./idempotency/mod.ts";
import { type Overview, overviewRoutes, type Recorder } from "./overview/mod.ts";
import { type People, ROOT } from "./people/mod.ts";
import type { PluginRepository } from "./plugins/mod.ts";
import type { PushedMessages, PushService } from "./push/mod.ts";
import { rolloutRoutes, type Rollouts, type RolloutStore } from "./rollouts/mod.ts";
import type { PlatformSettings } from "./settings.ts";
import type { Gns, Sms } from "./sms/mod.ts";
import { type Backups, systemRoutes } from "./system/mod.ts";
import { type Webhooks, webhookSpecs } from "./webhooks/mod.ts";

/** The version in the OpenAPI document. */
export const API_VERSION = "1";

/** What the routes lean on. A service that this node does not run is undefined, and so are its routes. */
export interface ApiParts {
  readonly settings: PlatformSettings;
  readonly adminToken: string;
  readonly shared: PlatformDeps;
  readonly services: readonly Service[];
  readonly people: People;
  readonly idempotency: IdempotencyKeys;
  readonly overview: Overview;
  readonly recorder: Recorder;
  readonly backups: Backups;
  readonly alarms: Alarms;
  readonly rollouts: Rollouts;
  readonly rolloutStore: RolloutStore;
  readonly messages: PushedMessages;
  readonly commander: Commander;
  readonly repository: PluginRepository;
  readonly webhooks: Webhooks;
  readonly trust: TrustStore;
  readonly policy: PolicyStore;
  readonly scripts: PolicyScripts;
  readonly push: PushService | undefined;
  readonly app: App | undefined;
  readonly sms: Sms | undefined;
  readonly gns: Gns | undefined;
}

/** The API with all its routes, and the console where they leave off. */
export function platformApi(parts: ApiParts): Api {
  const { settings, shared, people, repository, commander, app, push, sms, gns } = parts;
  const { fleet, bus, gateways, commands, clock, metrics } = shared;
  const api = new Api(shared, {
    title: "Gatehouse platform",
    version: API_VERSION,
    authenticators: [
      tokenAuthenticator(parts.adminToken, ROOT),
      ...people.authenticators,
      ...(app ? [app.authenticator] : []),
    ],
    audit: (call) => people.record(call),
    idempotency: parts.idempotency,
    rate: settings.rateLimit === undefined ? undefined : { perMinute: settings.rateLimit },
    corsOrigins: settings.corsOrigins,
    webhooks: webhookSpecs,
    mapError: (error) => problemOf(error) ?? trustProblem(error),
  });
  api.mount("", serviceRoutes(metrics, () => parts.services));
  api.mount("", aboutRoutes(settings));
  api.mount("", people.routes);
  api.mount("", overviewRoutes(parts.overview, parts.recorder, fleet));
  api.mount("", systemRoutes({ backups: parts.backups }));
  api.mount("", alarmRoutes({ clock, metrics, bus, alarms: parts.alarms }));
  api.mount("", fleetRoutes(fleet, () => clock.now()));
  api.mount(
    "",
    rolloutRoutes({ deps: shared, rollouts: parts.rollouts, store: parts.rolloutStore, fleet, bus }),
  );
  api.mount("", gatewayRoutes(shared));
  api.mount("", timelineRoutes({ fleet, commands, messages: parts.messages }));
  api.mount("", commandRoutes(shared, commander, repository));
  api.mount("", parts.webhooks.routes);
  api.mount("", pluginRoutes(repository, bus));
  api.mount("", downloadRoutes(repository));
  api.mount("", trustRoutes(parts.trust, ["trust:write"]));
  if (settings.services.includes("distribution")) {
    api.mount("", policyRoutes({ policy: parts.policy, scripts: parts.scripts, gateways, fleet }));
  }
  if (push) api.mount("", push.routes);
  if (app) api.mount("", app.routes);
  if (sms) api.mount("", sms.routes);
  if (gns) api.mount("", gns.routes);
  const console = new Console({ ...shared, api, people, services: settings.services });
  api.raw("/*", (request, info) => {
    const { pathname } = new URL(request.url);
    // Programs get problems, people pages.
    if (/^\/(api|app)(\/|$)/.test(pathname)) throw nothingAt(pathname);
    return console.fetch(request, info);
  });
  return api;
}

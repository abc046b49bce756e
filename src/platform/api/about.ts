/**
 * The platform about itself: its version, and the settings in force, without secrets.
 *
 * @module
 */
import * as v from "valibot";
import config from "../../../deno.json" with { type: "json" };
import { formatHostPort } from "../../base/mod.ts";
import { Routes } from "../../control/mod.ts";
import type { PlatformSettings } from "../settings.ts";

const AboutView = v.object({
  version: v.string(),
  /** What runs it: the runtime's version and the machine it is built for. */
  runtime: v.string(),
  settings: v.record(v.string(), v.string()),
});

/** The route. */
export function aboutRoutes(settings: PlatformSettings): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/about",
    summary: "The platform's version, and its settings in force, without secrets",
    tags: ["service"],
    auth: ["system:write"],
    responses: { 200: { description: "As it runs", schema: AboutView } },
  }).handle(() => ({
    status: 200,
    body: {
      version: config.version,
      runtime: `deno ${Deno.version.deno}, ${Deno.build.target}`,
      settings: settingsShown(settings),
    },
  }));
  return routes;
}

/** Settings as text. What is shown is named one by one, so that a new secret is not shown by oversight. */
export function settingsShown(settings: PlatformSettings): Record<string, string> {
  const { sms, pushLimits } = settings;
  const shown: Record<string, string | undefined> = {
    services: settings.services.join(","),
    data: settings.dataDir,
    http: formatHostPort(settings.http),
    distribution: formatHostPort(settings.distribution),
    access: formatHostPort(settings.access),
    "plugin-center": formatHostPort(settings.pluginCenter),
    push: formatHostPort(settings.push),
    "push-rate": pushLimits && String(pushLimits.perMinute),
    "push-keep-days": pushLimits && String(pushLimits.keepDays),
    advertise: settings.advertise,
    database: settings.database && withoutPassword(settings.database),
    heartbeat: String(settings.heartbeatSeconds),
    "require-signed": settings.requireSigned ?? "none",
    "webhook-allow": settings.webhooks?.allow?.join(","),
    sms: sms && formatHostPort(sms.listen),
    "sms-short": sms && formatHostPort(sms.short),
    "sms-peer": sms?.peer && formatHostPort(sms.peer),
    "ismg-code": sms?.gatewayCode,
    gns: sms?.gns && formatHostPort(sms.gns),
    "gns-server": sms?.gnsServer && formatHostPort(sms.gnsServer),
    "sms-outlet": sms?.outlet && withoutPassword(sms.outlet.url),
  };
  return Object.fromEntries(Object.entries(shown).filter((pair): pair is [string, string] => !!pair[1]));
}

/** An address without who signs in there; of what can't be read as one, its scheme alone. */
function withoutPassword(address: string): string {
  if (!address.includes("://")) return address.includes("@") ? `${address.split(":", 1)[0]}:…` : address;
  if (!URL.canParse(address)) return `${address.split(":", 1)[0]}://…`;
  const url = new URL(address);
  const { protocol, host, pathname } = url;
  return `${protocol}//${host}${pathname}`;
}

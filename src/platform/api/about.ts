/**
 * The platform about itself: its version, and the settings in force, without secrets.
 *
 * @module
 */
import * as v from "valibot";
import config from "../../../deno.json" with { type: "json" };
import { Routes } from "../../control/mod.ts";
import type { PlatformSettings } from "../settings.ts";

const AboutView = v.object({
  version: v.string(),
  /** What runs it: the runtime's version and the machine it is built for. */
  runtime: v.string(),
  /** Every setting by its name, as text. */
  settings: v.record(v.string(), v.string()),
});

/** The route. */
export function aboutRoutes({ inForce = {} }: Pick<PlatformSettings, "inForce">): Routes {
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
      settings: { ...inForce },
    },
  }));
  return routes;
}

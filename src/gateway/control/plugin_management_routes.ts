/**
 * What the platform asks over the plug-in channel, asked by an administrator: installing from an address in the
 * background, giving that up, bringing back what shipped, and giving a plug-in its parameters.
 *
 * @module
 */
import * as v from "valibot";
import { problem, Routes } from "../../control/mod.ts";
import { PluginOs, PluginResult } from "../../protocol/smart_gateway/mod.ts";
import { isJsonObject, type PluginManager } from "../../sandbox/mod.ts";
import { giveParameters, type InstallProgress, type Installs } from "../channel/mod.ts";
import type { FactoryPlugins } from "../factory_plugins.ts";

/** What the routes work with. */
export interface PluginManagementDeps {
  readonly plugins: PluginManager;
  readonly installs: Installs;
  readonly factory: FactoryPlugins;
}

const AUTH = ["admin"] as const;
const nameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const versionSchema = v.optional(v.pipe(v.string(), v.maxLength(40)), "");
const params = v.object({ name: nameSchema });
const pluginSchema = v.looseObject({ name: v.string(), state: v.string() });
const progressSchema = v.object({
  plugin: v.string(),
  version: v.string(),
  by: v.picklist(["channel", "control"]),
  state: v.picklist(["downloading", "loading", "installed", "failed", "cancelled"]),
  percent: v.number(),
  error: v.optional(v.string()),
});
const orderSchema = v.strictObject({
  name: nameSchema,
  version: versionSchema,
  url: v.pipe(v.string(), v.maxLength(2048), v.regex(/^https?:\/\//, "an http or https URL")),
  size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{64}$/, "64 hex digits"))),
});
const noInstall = { description: "No installation of that name is remembered" };

/** The routes. */
export function pluginManagementRoutes({ plugins, installs, factory }: PluginManagementDeps): Routes {
  const routes = new Routes();
  const progressOf = (name: string): InstallProgress => {
    const progress = installs.progress(name);
    if (!progress) throw problem(404, "no_installation", `no installation of "${name}" is remembered`);
    return progress;
  };

  routes.route({
    method: "POST",
    path: "/api/v1/plugin-installs",
    summary: "Installs a plug-in from an address, in the background",
    description:
      "A package, or the source of a single module, of up to 4 MiB. The `size` in bytes and the hex `sha256` are " +
      "checked where they are given. How far it is: here by its name, and as `install` events. The same order " +
      "again while it is under way changes nothing.",
    tags: ["plug-ins"],
    auth: AUTH,
    body: { json: orderSchema },
    responses: {
      202: { description: "Begun", schema: progressSchema },
      409: { description: "Another installation of this plug-in is under way" },
      503: { description: "As many installations as may be are under way" },
    },
  }).handle(({ body: { name, version, url, size, sha256 } }) => {
    const result = installs.begin({
      pluginName: name,
      version,
      downloadUrl: url,
      pluginSize: size ?? 0,
      digest: sha256 === undefined ? undefined : `sha256:${sha256}`,
      os: PluginOs.SCRIPT,
      by: "control",
    });
    if (result !== PluginResult.OK) throw refused(result, installs.progress(name));
    return { status: 202, body: progressOf(name) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/plugin-installs",
    summary: "Installations under way, and how the last ones ended",
    tags: ["plug-ins"],
    auth: AUTH,
    responses: {
      200: { description: "The oldest first", schema: v.object({ items: v.array(progressSchema) }) },
    },
  }).handle(() => ({ status: 200, body: { items: installs.list() } }));

  routes.route({
    method: "GET",
    path: "/api/v1/plugin-installs/{name}",
    summary: "How far an installation is, or how it ended",
    tags: ["plug-ins"],
    auth: AUTH,
    params,
    responses: { 200: { description: "The installation", schema: progressSchema }, 404: noInstall },
  }).handle(({ params: { name } }) => ({ status: 200, body: progressOf(name) }));

  routes.route({
    method: "DELETE",
    path: "/api/v1/plugin-installs/{name}",
    summary: "Gives an installation up",
    description: "Whoever asked for it: the platform, too. Only while it is being fetched.",
    tags: ["plug-ins"],
    auth: AUTH,
    params,
    responses: {
      202: { description: "It is being given up", schema: progressSchema },
      404: noInstall,
      409: { description: "It is being loaded already, or is over" },
    },
  }).handle(({ params: { name } }) => {
    const progress = progressOf(name), result = installs.cancel(name, "");
    if (result === PluginResult.OK) return { status: 202, body: progressOf(name) };
    throw problem(
      409,
      "too_late",
      `the installation of "${name}" can't be given up: it is ${progress.state}`,
    );
  });

  routes.route({
    method: "POST",
    path: "/api/v1/plugins/{name}/factory",
    summary: "Brings a plug-in back as it shipped with the gateway, and runs it",
    tags: ["plug-ins"],
    auth: AUTH,
    params,
    responses: {
      200: { description: "It runs", schema: pluginSchema },
      404: { description: "None of that name ships" },
    },
  }).handle(async ({ params: { name } }) => {
    const there = await factory.restore(plugins, name), status = plugins.get(name);
    if (!there || !status) throw problem(404, "plugin_absent", `no plug-in "${name}" ships with the gateway`);
    return { status: 200, body: { ...status } };
  });

  routes.route({
    method: "PUT",
    path: "/api/v1/plugins/{name}/parameters",
    summary: "Gives a plug-in its parameters",
    description:
      "The fields go to its command `SetPlug-inParameterValues`; what they mean is the plug-in's own.",
    tags: ["plug-ins"],
    auth: AUTH,
    params,
    query: v.object({ version: versionSchema }),
    body: { json: v.record(v.string(), v.unknown()) },
    responses: {
      204: { description: "It took them" },
      404: { description: "No such plug-in, or it takes no parameters" },
    },
  }).handle(async ({ params: { name }, query: { version }, body }) => {
    if (!isJsonObject(body)) throw problem(400, "invalid_request", "the parameters are no object");
    await giveParameters(plugins, name, version, body, "control");
    return { status: 204 };
  });
  return routes;
}

function refused(result: number, progress: InstallProgress | undefined) {
  switch (result) {
    case PluginResult.NAME:
      return problem(400, "invalid_request", "that is no name for a plug-in");
    case PluginResult.STORAGE_FULL:
      return problem(422, "plugin_limit", "the package is larger than a package may be");
  }
  return progress?.state === "downloading" || progress?.state === "loading"
    ? problem(409, "busy", `another installation of "${progress.plugin}" is under way`)
    : problem(503, "busy", "as many installations as may be are under way");
}

/**
 * Plug-ins on a gateway over HTTP: installing, running, stopping and removing are commands, and so is the list.
 *
 * @module
 */
import * as v from "valibot";
import { actorOf, problem, Routes } from "../../control/mod.ts";
import type { Commander, CommandRequest } from "../commands/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { type Channel, CHANNELS, MAX_PLUGIN_BYTES, type PluginRepository } from "../plugins/mod.ts";
import { MacParams } from "./gateways.ts";
import {
  answers,
  type Asking,
  DEFAULT_TIMEOUT_MS,
  issue,
  known,
  PluginName,
  TimeoutMs,
  Version,
  Wait,
} from "./issue.ts";

/** An installation fetches a file: it gets longer. */
const INSTALL_TIMEOUT_MS = 300_000;

const PluginParams = v.object({ ...MacParams.entries, name: v.pipe(PluginName, v.minLength(1)) });

/** A package somewhere else. What it is, its digest says: whoever answers at the address can't change that. */
const Address = v.strictObject({
  url: v.pipe(v.string(), v.maxLength(1024), v.url(), v.regex(/^https?:\/\//, "http:// or https://")),
  size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PLUGIN_BYTES)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits")),
});

/** The routes. */
export function gatewayPluginRoutes(
  deps: Pick<PlatformDeps, "fleet">,
  commander: Commander,
  repository: Pick<PluginRepository, "latest" | "mustBeSigned">,
): Routes {
  const routes = new Routes();
  const ask = (request: Omit<CommandRequest, "actor">, waitFor: number, asking: Asking) =>
    issue(deps, commander, request, waitFor, asking);

  routes.route({
    method: "POST",
    path: "/api/v1/gateways/{mac}/plugins",
    summary: "Install a plug-in of the repository on a gateway, and run it",
    description:
      "The version that is named, or the latest of a channel: `stable` where neither is named. Where the channel " +
      "has no such plug-in the answer is 404. With `from` (`url`, `size` in bytes, hex `sha256`) the gateway fetches " +
      "the version from there instead of the repository; not where the platform asks for signatures.",
    tags: ["plugins on gateways"],
    auth: ["plugins:install"],
    params: MacParams,
    query: Wait,
    body: {
      json: v.strictObject({
        name: v.pipe(PluginName, v.minLength(1)),
        version: v.optional(v.pipe(Version, v.minLength(1))),
        channel: v.optional(v.picklist(CHANNELS, `one of ${CHANNELS.join(", ")}`)),
        from: v.optional(Address),
        timeoutMs: v.optional(TimeoutMs),
      }),
    },
    responses: answers,
  }).handle(async ({ params: { mac }, query, body, ...asking }) => {
    await deps.fleet.gateway(asking.principal, mac);
    const { from } = body;
    if (from && repository.mustBeSigned) {
      throw problem(403, "plugin_untrusted", "nobody can check signatures at an address: upload it instead");
    }
    if (from && body.version === undefined) {
      throw problem(400, "invalid_request", 'an address needs a "version" beside it');
    }
    const version = await chosen(repository, body.name, body.version, body.channel);
    const request = {
      mac,
      kind: "install",
      plugin: body.name,
      version,
      ...(from && { parameter: from }),
      timeoutMs: body.timeoutMs ?? INSTALL_TIMEOUT_MS,
    } as const;
    return await ask(request, query.wait, asking);
  });

  for (
    const { method, path, kind, summary } of [
      { method: "POST", path: "/run", kind: "run", summary: "Run a plug-in on a gateway" },
      { method: "POST", path: "/stop", kind: "stop", summary: "Stop a plug-in on a gateway" },
      {
        method: "POST",
        path: "/factory",
        kind: "factory",
        summary: "Restore a plug-in as it left the factory",
      },
      { method: "DELETE", path: "", kind: "uninstall", summary: "Remove a plug-in from a gateway" },
    ] as const
  ) {
    routes.route({
      method,
      path: `/api/v1/gateways/{mac}/plugins/{name}${path}`,
      summary,
      tags: ["plugins on gateways"],
      auth: ["plugins:install"],
      params: PluginParams,
      query: v.object({ ...Wait.entries, version: v.optional(Version, "") }),
      responses: answers,
    }).handle(({ params: { mac, name }, query, ...asking }) =>
      ask(
        {
          mac,
          kind,
          plugin: name,
          version: query.version,
          timeoutMs: DEFAULT_TIMEOUT_MS,
        },
        query.wait,
        asking,
      )
    );
  }

  routes.route({
    method: "PUT",
    path: "/api/v1/gateways/{mac}/plugins/{name}/parameters",
    summary: "Give a plug-in on a gateway its parameters",
    tags: ["plugins on gateways"],
    auth: ["plugins:install"],
    params: PluginParams,
    query: v.object({ ...Wait.entries, version: v.optional(Version, "") }),
    body: { json: v.record(v.string(), v.unknown()) },
    responses: answers,
  }).handle(({ params: { mac, name }, query, body, ...asking }) =>
    ask(
      {
        mac,
        kind: "configure",
        plugin: name,
        version: query.version,
        parameter: body,
        timeoutMs: DEFAULT_TIMEOUT_MS,
      },
      query.wait,
      asking,
    )
  );

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/plugins",
    summary: "The plug-ins on a gateway, asked of itself",
    tags: ["plugins on gateways"],
    auth: ["plugins:read"],
    params: MacParams,
    query: v.object({ wait: v.optional(Wait.entries.wait, "15") }),
    responses: {
      200: {
        description: "What the gateway says",
        schema: v.object({
          items: v.array(v.object({ name: v.string(), version: v.string(), run: v.boolean() })),
        }),
      },
      404: { description: "Not preset" },
      504: { description: "The gateway did not answer in time" },
      502: { description: "The gateway refused" },
    },
  }).handle(async ({ params: { mac }, query, principal, signal }) => {
    await deps.fleet.gateway(principal, mac);
    const seconds = Math.max(1, query.wait);
    const request = {
      mac,
      kind: "list",
      plugin: "",
      version: "",
      actor: actorOf(principal),
      timeoutMs: seconds * 1000,
    };
    const { id } = await commander.create(request as CommandRequest);
    const row = known(await commander.wait(id, seconds * 1000 + 500, signal), id);
    if (row.status === "succeeded") {
      return { status: 200, body: { items: (JSON.parse(row.reply!) as { plugins: Installed[] }).plugins } };
    }
    if (row.status === "failed") {
      throw problem(502, row.error_code ?? "gateway_error", row.error ?? "refused");
    }
    throw problem(504, "gateway_silent", row.error ?? "the gateway did not answer in time");
  });
  return routes;
}

/** The version that an installation is about. */
async function chosen(
  repository: Pick<PluginRepository, "latest">,
  name: string,
  version: string | undefined,
  channel: Channel | undefined,
): Promise<string> {
  if (version !== undefined) {
    if (channel === undefined) return version;
    throw problem(400, "invalid_request", 'either "version" or "channel"');
  }
  const latest = await repository.latest(name, channel ?? "stable");
  if (latest) return latest.version;
  throw problem(404, "plugin_not_found", `no version of plug-in "${name}" is ${channel ?? "stable"}`);
}

interface Installed {
  name: string;
  version: string;
  run: boolean;
}

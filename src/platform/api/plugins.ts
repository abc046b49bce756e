/**
 * The plug-in repository over HTTP.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  answerWith,
  changedMeanwhile,
  decodeCursor,
  etagOf,
  ifMatch,
  pageOf,
  pageQuery,
  pageSchema,
  queryBoolean,
  Routes,
} from "../../control/mod.ts";
import { CHANNELS, MAX_PLUGIN_BYTES, type PluginRepository, shippedManifests } from "../plugins/mod.ts";
import type { PluginRow } from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import { PluginView, pluginView } from "./views.ts";

const VersionParams = v.object({
  name: v.pipe(v.string(), v.maxLength(128)),
  version: v.pipe(v.string(), v.maxLength(64)),
});
const Notes = v.pipe(v.string(), v.maxLength(4000));
const ChannelOrNone = v.picklist([...CHANNELS, "none"], `one of ${CHANNELS.join(", ")}, none`);
const Key = v.object({ name: v.string(), uploadedAt: v.number(), version: v.string() });
const TAGS = ["plugin repository"];
const gone = { description: "Not there" };
const refused = { description: "Not signed as the platform's policy asks, or its signature is false" };

/** The routes of the repository. */
export function pluginRoutes(repository: PluginRepository, bus: Pick<PlatformBus, "publish">): Routes {
  const routes = new Routes();
  const view = async (row: PluginRow) => pluginView(row, await repository.vouched(row));

  routes.route({
    method: "POST",
    path: "/api/v1/plugins",
    summary: "Add a plug-in to the repository",
    description:
      "The body is a package or the source of a single module: what it is, its first bytes tell. " +
      "Its name and version are read from its manifest. It begins in the channel `beta` unless another is named; " +
      "with `none` only those get it who ask for this very version. Signatures are checked against the " +
      "platform's trusted keys; `--require-signed` says whether there must be one.",
    tags: TAGS,
    auth: ["plugins:write"],
    unconfined: true,
    query: v.object({ channel: v.optional(ChannelOrNone, "beta"), notes: v.optional(Notes, "") }),
    body: { stream: ["*/*"], maxBytes: MAX_PLUGIN_BYTES },
    responses: {
      201: { description: "Added", schema: PluginView },
      200: { description: "The same content was there already; nothing is changed", schema: PluginView },
      403: refused,
      409: { description: "That version is there with other content" },
      422: { description: "Not a plug-in" },
    },
  }).handle(async ({ body, query: { channel, notes }, principal, changed }) => {
    const bytes = new Uint8Array(await new Response(body.stream).arrayBuffer());
    const { plugin, created } = await repository.add(bytes, {
      by: actorOf(principal),
      channel: channel === "none" ? null : channel,
      notes,
    });
    if (created) {
      changed(undefined, audited(plugin));
      const { name, version, sha256, uploaded_by: by } = plugin;
      bus.publish("plugin.uploaded", { name, version, sha256, by });
    }
    return { status: created ? 201 : 200, body: await view(plugin) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/plugins",
    summary: "The plug-ins in the repository: by name, each in the order of its uploads",
    tags: TAGS,
    auth: ["plugins:read"],
    query: v.object({
      ...pageQuery(),
      name: v.optional(VersionParams.entries.name),
      channel: v.optional(ChannelOrNone),
      uploadedBy: v.optional(v.pipe(v.string(), v.maxLength(200))),
      signedBy: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "64 hex digits"))),
    }),
    responses: { 200: { description: "A page of versions", schema: pageSchema(PluginView) } },
  }).handle(async ({ query: { cursor, limit, ...filter } }) => {
    const after = decodeCursor(cursor, Key);
    const rows = await repository.list(filter, limit + 1, after);
    const { items, ...rest } = pageOf(
      rows,
      limit,
      ({ name, uploaded_at: uploadedAt, version }) => ({ name, uploadedAt, version }),
      (row) => row,
    );
    return { status: 200, body: { items: await Promise.all(items.map(view)), ...rest } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/plugins/shipped",
    summary: "The manifests of the plug-ins that gateways of this version ship with",
    tags: TAGS,
    auth: ["plugins:read"],
    responses: {
      200: {
        description: "All of them",
        schema: v.object({
          items: v.array(v.object({ name: v.string(), manifest: v.record(v.string(), v.unknown()) })),
        }),
      },
    },
  }).handle(async () => ({
    status: 200,
    body: {
      items: (await shippedManifests()).map((manifest) => ({
        name: manifest.name,
        manifest: { ...manifest },
      })),
    },
  }));

  routes.route({
    method: "GET",
    path: "/api/v1/plugins/{name}/{version}",
    summary: "One version of a plug-in",
    tags: TAGS,
    auth: ["plugins:read"],
    params: VersionParams,
    etag: true,
    responses: { 200: { description: "The version", schema: PluginView }, 404: gone },
  }).handle(async ({ params: { name, version }, request }) => {
    const row = await repository.get(name, version), body = await view(row);
    return answerWith(request, etagOf(edited(row), body), body);
  });

  routes.route({
    method: "PATCH",
    path: "/api/v1/plugins/{name}/{version}",
    summary: "Change a version's notes or channel",
    tags: TAGS,
    auth: ["plugins:write"],
    unconfined: true,
    params: VersionParams,
    body: { json: v.strictObject({ notes: v.optional(Notes), channel: v.optional(ChannelOrNone) }) },
    etag: true,
    responses: { 200: { description: "As it is now", schema: PluginView }, 403: refused, 404: gone },
  }).handle(async ({ params: { name, version }, body: { notes, channel }, principal, request, changed }) => {
    const before = await repository.get(name, version);
    const was = ifMatch(request, edited(before)) ? edited(before) : undefined;
    const change = { channel: channel === "none" ? null : channel, notes };
    const row = await repository.edit(name, version, change, actorOf(principal), was);
    if (!row) throw changedMeanwhile();
    changed(offered(before), offered(row));
    const body = await view(row);
    return { status: 200, body, headers: { etag: etagOf(edited(row), body) } };
  });

  for (
    const [way, summary] of [
      ["promote", "Offer a version to more gateways: into beta, from there to stable"],
      ["demote", "Offer a version to fewer gateways: from stable back to beta, from there to nobody"],
    ] as const
  ) {
    routes.route({
      method: "POST",
      path: `/api/v1/plugins/{name}/{version}/${way}`,
      summary,
      description: "Gateways that have it keep it.",
      tags: TAGS,
      auth: ["plugins:write"],
      unconfined: true,
      params: VersionParams,
      responses: {
        200: { description: "As it is now", schema: PluginView },
        403: refused,
        404: gone,
        409: { description: "It can't go further" },
      },
    }).handle(async ({ params: { name, version }, principal, changed }) => {
      const before = await repository.get(name, version);
      const row = await repository.move(name, version, way, actorOf(principal));
      changed(offered(before), offered(row));
      return { status: 200, body: await view(row) };
    });
  }

  routes.route({
    method: "DELETE",
    path: "/api/v1/plugins/{name}/{version}",
    summary: "Remove a version from the repository",
    description:
      "Refused while gateways have it or are about to, as far as the commands tell, unless `force`. " +
      "Gateways that have it keep it.",
    tags: TAGS,
    auth: ["plugins:write"],
    unconfined: true,
    params: VersionParams,
    query: v.object({ force: v.optional(queryBoolean(), "false") }),
    etag: true,
    responses: {
      204: { description: "Removed" },
      404: gone,
      409: { description: "In use: `gateways` names some" },
    },
  }).handle(async ({ params: { name, version }, query: { force }, request, changed }) => {
    const before = await repository.get(name, version);
    const was = ifMatch(request, edited(before)) ? edited(before) : undefined;
    if (!await repository.remove(name, version, force, was)) throw changedMeanwhile();
    changed(audited(before), undefined);
    return { status: 204 };
  });
  return routes;
}

/** What can be changed of a version, and what it is. */
function edited({ sha256, channel, notes }: PluginRow) {
  return { sha256, channel, notes };
}

/** What the audit keeps of a version that is new, or gone. */
function audited(row: PluginRow) {
  const { name, version, size, sha256 } = row;
  return { name, version, size, sha256, ...offered(row) };
}

/** What the audit keeps of a change. */
function offered({ channel, notes }: PluginRow) {
  return { channel, notes };
}

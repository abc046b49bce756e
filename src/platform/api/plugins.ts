/**
 * The plug-in repository over HTTP, and the downloads that gateways fetch.
 *
 * @module
 */
import * as v from "valibot";
import { actorOf, problem, Routes } from "../../control/mod.ts";
import { MAX_PLUGIN_BYTES, type PluginRepository } from "../plugins/mod.ts";
import type { PluginRow } from "../registry/mod.ts";
import { PluginView, pluginView } from "./views.ts";

const VersionParams = v.object({
  name: v.pipe(v.string(), v.maxLength(128)),
  version: v.pipe(v.string(), v.maxLength(64)),
});

/** The path under which a gateway finds a plug-in's content. Its digest itself is what lets it in. */
export function downloadPath({ sha256, format }: Pick<PluginRow, "sha256" | "format">): string {
  return `/downloads/${sha256}.${format === "package" ? "ghp" : "js"}`;
}

/** The routes of the repository. */
export function pluginRoutes(repository: PluginRepository): Routes {
  const routes = new Routes();
  routes.route({
    method: "POST",
    path: "/api/v1/plugins",
    summary: "Add a plug-in to the repository",
    description:
      "The body is a package or the source of a single module: what it is, its first bytes tell. " +
      "Its name and version are read from its manifest.",
    tags: ["plugin repository"],
    auth: ["admin"],
    body: {
      stream: ["*/*"],
      maxBytes: MAX_PLUGIN_BYTES,
    },
    responses: {
      201: { description: "Added", schema: PluginView },
      200: { description: "The same content was there already", schema: PluginView },
      409: { description: "That version is there with other content" },
      422: { description: "Not a plug-in" },
    },
  }).handle(async ({ body, principal }) => {
    const bytes = new Uint8Array(await new Response(body.stream).arrayBuffer());
    const { plugin, created } = await repository.add(bytes, actorOf(principal));
    return { status: created ? 201 : 200, body: pluginView(plugin) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/plugins",
    summary: "The plug-ins in the repository",
    tags: ["plugin repository"],
    auth: ["admin"],
    responses: { 200: { description: "All versions", schema: v.object({ items: v.array(PluginView) }) } },
  }).handle(async () => ({ status: 200, body: { items: (await repository.list()).map(pluginView) } }));

  routes.route({
    method: "GET",
    path: "/api/v1/plugins/{name}/{version}",
    summary: "One version of a plug-in",
    tags: ["plugin repository"],
    auth: ["admin"],
    params: VersionParams,
    responses: { 200: { description: "The version", schema: PluginView }, 404: { description: "Not there" } },
  }).handle(async ({ params: { name, version } }) => {
    const row = await repository.find(name, version);
    if (!row) throw absent(name, version);
    return { status: 200, body: pluginView(row) };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/plugins/{name}/{version}",
    summary: "Remove a version from the repository",
    description: "Gateways that have it keep it.",
    tags: ["plugin repository"],
    auth: ["admin"],
    params: VersionParams,
    responses: { 204: { description: "Removed" }, 404: { description: "Not there" } },
  }).handle(async ({ params: { name, version } }) => {
    if (!await repository.remove(name, version)) throw absent(name, version);
    return { status: 204 };
  });

  routes.route({
    method: "GET",
    path: "/downloads/{file}",
    summary: "What a gateway fetches to install a plug-in",
    description: "No token: whoever knows the SHA-256 of the content was told it over the gateway's channel.",
    tags: ["plugin repository"],
    auth: "public",
    params: v.object({ file: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}\.(js|ghp)$/)) }),
    responses: {
      200: { description: "The content: a source or a package", mediaType: "application/octet-stream" },
      206: {
        description: "The rest of it, from the byte that `Range: bytes=N-` names",
        mediaType: "application/octet-stream",
      },
      404: { description: "Not there" },
      416: { description: "It has no such byte" },
    },
  }).handle(async ({ params: { file }, request }) => {
    // A download that was cut goes on where it was. Other ranges are answered with the whole, as they may be.
    const [, start] = /^bytes=(\d{1,15})-$/.exec(request.headers.get("range") ?? "") ?? [];
    const from = Number(start ?? 0), content = await repository.content(file.slice(0, 64), from);
    if (!content) throw problem(404, "content_not_found", "there is no such content");
    const { stream, size } = content;
    if (from > 0 && from >= size) {
      await stream.cancel();
      throw problem(416, "no_such_range", `the content has ${size} bytes`, {
        headers: { "content-range": `bytes */${size}` },
      });
    }
    return {
      response: new Response(stream, {
        status: start === undefined ? 200 : 206,
        headers: {
          "content-type": file.endsWith(".js") ? "text/javascript; charset=utf-8" : "application/gzip",
          "content-length": String(size - from),
          ...(start === undefined ? {} : { "content-range": `bytes ${from}-${size - 1}/${size}` }),
          "accept-ranges": "bytes",
          "cache-control": "public, max-age=31536000, immutable",
        },
      }),
    };
  });
  return routes;
}

function absent(name: string, version: string) {
  return problem(404, "plugin_not_found", `the repository has no plug-in "${name}" ${version}`);
}

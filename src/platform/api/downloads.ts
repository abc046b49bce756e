/**
 * The downloads that gateways fetch: the repository's content by its digest.
 *
 * @module
 */
import * as v from "valibot";
import { problem, Routes } from "../../control/mod.ts";
import type { PluginRepository } from "../plugins/mod.ts";
import type { PluginRow } from "../registry/mod.ts";

/** The path under which a gateway finds a plug-in's content. Its digest itself is what lets it in. */
export function downloadPath({ sha256, format }: Pick<PluginRow, "sha256" | "format">): string {
  return `/downloads/${sha256}.${format === "package" ? "ghp" : "js"}`;
}

/** The route of the downloads. */
export function downloadRoutes(repository: Pick<PluginRepository, "content">): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/downloads/{file}",
    summary: "What a gateway fetches to install a plug-in",
    description: "No token: whoever knows the SHA-256 of the content was told it over the gateway's channel.",
    tags: ["plugin repository"],
    auth: "public",
    uncounted: true, // a rollout has thousands of gateways fetch, often behind one address
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

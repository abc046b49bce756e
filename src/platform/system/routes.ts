/**
 * `/api/v1/backups`.
 *
 * @module
 */
import * as v from "valibot";
import { problem, Routes, timeSchema } from "../../control/mod.ts";
import type { Backups } from "./backups.ts";

const BackupView = v.object({
  id: v.string(),
  /** Bytes. */
  size: v.number(),
  createdAt: timeSchema,
});
const IdParams = v.object({ id: v.pipe(v.string(), v.maxLength(64)) });
const MAY = ["system:write"] as const;

/** The routes. A backup holds everything: whoever may fetch one may read all that the platform knows. */
export function systemRoutes({ backups }: { readonly backups: Backups }): Routes {
  const routes = new Routes();
  const gone = (id: string) => problem(404, "backup_not_found", `there is no backup "${id}"`);

  routes.route({
    method: "POST",
    path: "/api/v1/backups",
    summary: "Back the embedded database up while it is in use",
    description:
      "The whole database as it is at this moment, checked by reading it; kept in `<data>/backups`.",
    tags: ["system"],
    auth: MAY,
    responses: {
      201: {
        description: "The backup, with its hex SHA-256",
        schema: v.object({ ...BackupView.entries, sha256: v.string() }),
      },
      507: { description: "It could not be written" },
      409: { description: "A server keeps the database, one is being made, or there are too many" },
    },
  }).handle(async ({ changed }) => {
    const backup = await backups.create();
    changed(undefined, { id: backup.id, sha256: backup.sha256 });
    return { status: 201, body: backup, headers: { location: `/api/v1/backups/${backup.id}` } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/backups",
    summary: "The backups that are kept, the newest first",
    tags: ["system"],
    auth: MAY,
    responses: { 200: { description: "All of them", schema: v.object({ items: v.array(BackupView) }) } },
  }).handle(async () => ({ status: 200, body: { items: await backups.list() } }));

  routes.route({
    method: "GET",
    path: "/api/v1/backups/{id}/content",
    summary: "A backup's file",
    tags: ["system"],
    auth: MAY,
    params: IdParams,
    responses: {
      200: { description: "An SQLite database", mediaType: "application/vnd.sqlite3" },
      404: { description: "No such backup" },
    },
  }).handle(async ({ params: { id }, request }) => {
    const file = await backups.open(id);
    if (!file) throw gone(id);
    const headers = {
      "content-type": "application/vnd.sqlite3",
      "content-length": String(file.size),
      "content-disposition": `attachment; filename="gatehouse-${id}.db"`,
      "cache-control": "no-store",
    };
    if (request.method !== "HEAD") return { response: new Response(file.body, { headers }) };
    await file.body.cancel();
    return { response: new Response(null, { headers }) };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/backups/{id}",
    summary: "Remove a backup",
    tags: ["system"],
    auth: MAY,
    params: IdParams,
    responses: { 204: { description: "Removed" }, 404: { description: "No such backup" } },
  }).handle(async ({ params: { id }, changed }) => {
    const before = await backups.find(id);
    if (!before || !await backups.remove(id)) throw gone(id);
    changed({ id }, undefined);
    return { status: 204 };
  });
  return routes;
}

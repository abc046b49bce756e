/**
 * `/api/v1/keys`: what machines prove themselves with.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  decodeCursor,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import type { ApiKeyStore } from "./api_keys.ts";
import { Groups, IdParams, MAX_BYTES } from "./fields.ts";
import { ALL_PERMISSIONS } from "./permissions.ts";
import { beyondRights } from "./rights.ts";
import type { ApiKeyRow } from "./schema.ts";

const KeyView = v.object({
  id: v.string(),
  name: v.string(),
  hint: v.string(),
  permissions: v.array(v.string()),
  groups: v.nullable(v.array(v.string())),
  createdAt: timeSchema,
  createdBy: v.string(),
  expiresAt: v.nullable(timeSchema),
  lastUsedAt: v.nullable(timeSchema),
  revokedAt: v.nullable(timeSchema),
});

/** What the routes lean on. `now`: milliseconds since 1970. */
export interface KeyParts {
  readonly keys: ApiKeyStore;
  readonly now: () => number;
}

/** The routes of API keys. */
export function keyRoutes({ keys, now }: KeyParts): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/keys",
    summary: "List API keys",
    tags: ["people"],
    auth: ["people:write"],
    query: v.object(pageQuery()),
    responses: { 200: { description: "A page of keys, the newest first", schema: pageSchema(KeyView) } },
  }).handle(async ({ query: { cursor, limit } }) => {
    const before = decodeCursor(cursor, v.string());
    const rows = await keys.list(limit + 1, before);
    return { status: 200, body: pageOf(rows, limit, (row) => row.id, keyView) };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/keys",
    keyed: false, // the key is shown once
    summary: "Make an API key",
    description: "The key is shown this once. It may do no more than whoever makes it.",
    tags: ["people"],
    auth: ["people:write"],
    body: {
      json: v.strictObject({
        name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100)),
        permissions: v.pipe(
          v.array(v.picklist(ALL_PERMISSIONS, "not a permission: GET /api/v1/roles lists them")),
          v.minLength(1),
          v.maxLength(ALL_PERMISSIONS.length),
        ),
        groups: v.optional(Groups, null),
        expiresAt: v.optional(timeSchema),
      }),
      maxBytes: MAX_BYTES,
    },
    responses: {
      201: { description: "The key", schema: v.object({ key: v.string(), ...KeyView.entries }) },
      403: { description: "It would do more than whoever makes it" },
      422: { description: "It would have ended already" },
    },
  }).handle(async ({ body, principal, changed }) => {
    const beyond = beyondRights(principal, body.permissions, body.groups);
    if (beyond) throw problem(403, "beyond_own_rights", `the key would do more than you may: ${beyond}`);
    const expiresAt = body.expiresAt === undefined ? undefined : Date.parse(body.expiresAt);
    if (expiresAt !== undefined && expiresAt <= now()) {
      throw problem(422, "expired", "expiresAt is not in the future");
    }
    const { key, row } = await keys.create({
      name: body.name,
      permissions: [...new Set(body.permissions)],
      groups: body.groups ?? undefined,
      expiresAt,
      createdBy: actorOf(principal),
    });
    changed(undefined, keyView(row));
    return { status: 201, body: { key, ...keyView(row) } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/keys/{id}",
    summary: "Revoke an API key",
    tags: ["people"],
    auth: ["people:write"],
    params: IdParams,
    responses: {
      204: { description: "It is no longer good" },
      403: { description: "It may do more than whoever revokes it" },
      404: { description: "There is none" },
    },
  }).handle(async ({ params: { id }, principal, changed }) => {
    const before = await keys.find(id);
    if (!before) throw problem(404, "key_not_found", `there is no API key "${id}"`);
    const { permissions, groups } = keyView(before);
    const beyond = beyondRights(principal, permissions, groups);
    if (beyond) throw problem(403, "beyond_own_rights", `that key may do more than you may: ${beyond}`);
    if (await keys.revoke(id)) changed(keyView(before), undefined);
    return { status: 204 };
  });
  return routes;
}

function keyView(row: ApiKeyRow): v.InferInput<typeof KeyView> {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    permissions: JSON.parse(row.permissions),
    groups: row.groups === null ? null : JSON.parse(row.groups),
    createdAt: isoTime(row.created_at),
    createdBy: row.created_by,
    expiresAt: isoTime(row.expires_at),
    lastUsedAt: isoTime(row.last_used_at),
    revokedAt: isoTime(row.revoked_at),
  };
}

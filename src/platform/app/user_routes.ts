/**
 * `/api/v1/app-users`: what support sees and does of the phone app's users.
 *
 * @module
 */
import * as v from "valibot";
import {
  decodeCursor,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import type { BindingStore } from "./bindings.ts";
import type { UserRow } from "./schema.ts";
import type { SessionStore } from "./sessions.ts";
import { userName, type UserStore } from "./users.ts";

const UserView = v.object({
  id: v.string(),
  name: v.string(),
  createdAt: timeSchema,
  /** Since when the user may not sign in; null: they may. */
  lockedAt: v.nullable(timeSchema),
});
const DetailView = v.object({
  ...UserView.entries,
  gateways: v.array(
    v.object({
      mac: v.string(),
      role: v.picklist(["owner", "member"]),
      rights: v.picklist(["use", "view"]),
      since: timeSchema,
    }),
  ),
  devices: v.array(
    v.object({ id: v.string(), device: v.string(), createdAt: timeSchema, renewedAt: timeSchema }),
  ),
});
const Id = v.pipe(v.string(), v.maxLength(64));
const Params = v.object({ id: Id });
const READ = ["app_users:read"] as const, WRITE = ["app_users:write"] as const;
const GONE = { description: "No such user" } as const;

/** What these routes lean on. */
export interface UserParts {
  readonly users: UserStore;
  readonly sessions: Pick<SessionStore, "list" | "revoke" | "revokeAll">;
  readonly bindings: Pick<BindingStore, "list">;
}

/** The routes. They are about people, whose gateways may be anywhere: closed to who is confined to groups. */
export function userRoutes({ users, sessions, bindings }: UserParts): Routes {
  const routes = new Routes();
  const found = async (id: string): Promise<UserRow> => {
    const row = await users.byId(id);
    if (!row) throw problem(404, "user_not_found", `there is no app user "${id}"`);
    return row;
  };
  const detail = async (row: UserRow): Promise<v.InferInput<typeof DetailView>> => {
    const [gateways, devices] = await Promise.all([bindings.list(row.id), sessions.list(row.id)]);
    return {
      ...view(row),
      gateways: gateways.map(({ mac, role, rights, bound_at }) => ({
        mac,
        role,
        rights,
        since: isoTime(bound_at),
      })),
      devices: devices.map(({ id, device, created_at, renewed_at }) => ({
        ...{ id, device, createdAt: isoTime(created_at), renewedAt: isoTime(renewed_at) },
      })),
    };
  };

  routes.route({
    method: "GET",
    path: "/api/v1/app-users",
    summary: "The phone app's users, by name",
    tags: ["app users"],
    auth: READ,
    unconfined: true,
    query: v.object({
      /** The beginning of a name. */
      search: v.optional(v.pipe(v.string(), v.maxLength(64))),
      ...pageQuery(),
    }),
    responses: { 200: { description: "A page of users", schema: pageSchema(UserView) } },
  }).handle(async ({ query: { search = "", cursor, limit } }) => {
    const after = decodeCursor(cursor, v.string());
    const rows = await users.list(userName(search.trim()), limit + 1, after);
    return { status: 200, body: pageOf(rows, limit, (row) => row.name, view) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/app-users/{id}",
    summary: "One app user: the gateways that they may use, the devices on which they are signed in",
    tags: ["app users"],
    auth: READ,
    unconfined: true,
    params: Params,
    responses: { 200: { description: "The user", schema: DetailView }, 404: GONE },
  }).handle(async ({ params: { id } }) => ({ status: 200, body: await detail(await found(id)) }));

  for (const lock of [true, false]) {
    routes.route({
      method: "POST",
      path: `/api/v1/app-users/{id}/${lock ? "lock" : "unlock"}`,
      summary: lock
        ? "Keep an app user from signing in, and sign them out everywhere"
        : "Let an app user sign in again",
      tags: ["app users"],
      auth: WRITE,
      unconfined: true,
      params: Params,
      responses: { 200: { description: "The user", schema: DetailView }, 404: GONE },
    }).handle(async ({ params: { id }, changed, log }) => {
      const before = await found(id);
      await users.setLocked(id, lock);
      // The lock itself makes every token void: what a device does at this moment can't escape it.
      if (lock) await sessions.revokeAll(id);
      const after = await found(id);
      changed(view(before), view(after));
      log.info(lock ? "app user locked" : "app user unlocked", { user: id });
      return { status: 200, body: await detail(after) };
    });
  }

  routes.route({
    method: "DELETE",
    path: "/api/v1/app-users/{id}/sessions",
    summary: "Sign an app user out on every device",
    tags: ["app users"],
    auth: WRITE,
    unconfined: true,
    params: Params,
    responses: { 204: { description: "None of the tokens is good any more" }, 404: GONE },
  }).handle(async ({ params: { id }, changed }) => {
    await found(id);
    changed({ devices: (await sessions.list(id)).map(({ device }) => device) }, { devices: [] });
    await sessions.revokeAll(id);
    return { status: 204 };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/app-users/{id}/sessions/{session}",
    summary: "Sign an app user out on one device",
    tags: ["app users"],
    auth: WRITE,
    unconfined: true,
    params: v.object({ id: Id, session: Id }),
    responses: {
      204: { description: "Its tokens are no longer good" },
      404: { description: "No such device" },
    },
  }).handle(async ({ params: { id, session }, changed }) => {
    changed({ session }, undefined);
    if (await sessions.revoke(id, session)) return { status: 204 };
    throw problem(404, "session_not_found", `the user has no signed-in device "${session}"`);
  });
  return routes;
}

function view({ id, name, created_at, locked_at }: UserRow): v.InferInput<typeof UserView> {
  return { id, name, createdAt: isoTime(created_at), lockedAt: isoTime(locked_at) };
}

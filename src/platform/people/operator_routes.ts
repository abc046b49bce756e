/**
 * `/api/v1/operators` and `/api/v1/roles`: who there is, and what they may do.
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
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { weakness } from "../credentials/mod.ts";
import { Groups, IdParams, MAX_BYTES, Name, Password } from "./fields.ts";
import { ALL_PERMISSIONS, PERMISSIONS, type Role, ROLE_NAMES, ROLES } from "./permissions.ts";
import { beyondRights } from "./rights.ts";
import type { OperatorRow } from "./schema.ts";
import type { SessionParts } from "./session_routes.ts";

const RoleName = v.picklist(ROLE_NAMES);
const OperatorView = v.object({
  id: v.string(),
  name: v.string(),
  role: RoleName,
  groups: v.nullable(v.array(v.string())),
  disabled: v.boolean(),
  createdAt: timeSchema,
  createdBy: v.string(),
  updatedAt: timeSchema,
  signedInAt: v.nullable(timeSchema),
});

/** The routes of operators and roles. */
export function operatorRoutes(
  { operators, sessions, passwords }: Pick<SessionParts, "operators" | "sessions" | "passwords">,
): Routes {
  const routes = new Routes();
  const found = async (id: string): Promise<OperatorRow> => {
    const row = await operators.find(id);
    if (!row) throw problem(404, "operator_not_found", `there is no operator "${id}"`);
    return row;
  };
  const hashed = async (password: string, name: string): Promise<string> => {
    const weak = weakness(password, name);
    if (weak) throw problem(422, "weak_password", `the password is not taken: ${weak}`);
    return await passwords.hash(password);
  };

  /** Nobody makes, becomes or overrules somebody who may do more than they may themselves. */
  const within = (
    principal: Principal,
    { role, groups }: { role: Role; groups: readonly string[] | null },
  ) => {
    const beyond = beyondRights(principal, ROLES[role], groups);
    if (beyond) throw problem(403, "beyond_own_rights", `that operator may do more than you may: ${beyond}`);
  };

  routes.route({
    method: "GET",
    path: "/api/v1/roles",
    summary: "The roles, and what each may do",
    tags: ["people"],
    auth: [...ALL_PERMISSIONS],
    responses: {
      200: {
        description: "Roles and permissions",
        schema: v.object({
          roles: v.array(v.object({ name: v.string(), permissions: v.array(v.string()) })),
          permissions: v.array(v.object({ name: v.string(), lets: v.string() })),
        }),
      },
    },
  }).handle(() => ({
    status: 200,
    body: {
      roles: ROLE_NAMES.map((name) => ({ name, permissions: [...ROLES[name]] })),
      permissions: ALL_PERMISSIONS.map((name) => ({ name, lets: PERMISSIONS[name] })),
    },
  }));

  routes.route({
    method: "GET",
    path: "/api/v1/operators",
    summary: "List operators",
    tags: ["people"],
    auth: ["people:write"],
    query: v.object(pageQuery()),
    responses: { 200: { description: "A page of operators, by name", schema: pageSchema(OperatorView) } },
  }).handle(async ({ query: { cursor, limit } }) => {
    const after = decodeCursor(cursor, v.string());
    const rows = await operators.list(limit + 1, after);
    return { status: 200, body: pageOf(rows, limit, (row) => row.name, operatorView) };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/operators",
    summary: "Add an operator",
    tags: ["people"],
    auth: ["people:write"],
    body: {
      json: v.strictObject({
        name: Name,
        password: Password,
        role: RoleName,
        groups: v.optional(Groups, null),
      }),
      maxBytes: MAX_BYTES,
    },
    responses: {
      201: { description: "The operator", schema: OperatorView },
      403: { description: "They could do more than whoever makes them" },
      409: { description: "The name is taken" },
      422: { description: "The password is too weak" },
    },
  }).handle(async ({ body, principal, changed }) => {
    within(principal, body);
    const password = await hashed(body.password, body.name);
    const row = await operators.create({
      name: body.name,
      password,
      role: body.role,
      groups: body.groups === null ? null : JSON.stringify(body.groups),
      created_by: actorOf(principal),
    });
    if (!row) throw problem(409, "name_taken", `the name "${body.name}" is taken`);
    changed(undefined, operatorView(row));
    return { status: 201, body: operatorView(row) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/operators/{id}",
    summary: "One operator",
    tags: ["people"],
    auth: ["people:write"],
    params: IdParams,
    etag: true,
    responses: {
      200: { description: "The operator", schema: OperatorView },
      404: { description: "There is none" },
    },
  }).handle(async ({ params: { id }, request }) => {
    const row = await found(id), body = operatorView(row);
    return answerWith(request, etagOf(edited(row), body), body);
  });

  routes.route({
    method: "PATCH",
    path: "/api/v1/operators/{id}",
    summary: "Change an operator",
    description: "A new password, or being disabled, ends the operator's sessions.",
    tags: ["people"],
    auth: ["people:write"],
    params: IdParams,
    body: {
      json: v.strictObject({
        role: v.optional(RoleName),
        groups: v.optional(Groups),
        disabled: v.optional(v.boolean()),
        password: v.optional(Password),
      }),
      maxBytes: MAX_BYTES,
    },
    etag: true,
    responses: {
      200: { description: "The operator", schema: OperatorView },
      403: { description: "They may, or would, do more than whoever changes them" },
      404: { description: "There is none" },
      409: { description: "Nobody takes away their own rights" },
      422: { description: "The password is too weak" },
    },
  }).handle(async ({ params: { id }, body, principal, request, changed }) => {
    const before = await found(id), had = operatorView(before);
    const was = ifMatch(request, edited(before)) ? edited(before) : undefined;
    within(principal, had);
    within(principal, {
      role: body.role ?? had.role,
      groups: body.groups === undefined ? had.groups : body.groups,
    });
    const demoted = body.disabled === true || (body.role !== undefined && body.role !== before.role);
    if (demoted && principal.kind === "operator" && principal.id === id) {
      throw problem(409, "own_rights", "ask another administrator to change your own rights");
    }
    const after = await operators.update(id, {
      ...(body.role === undefined ? {} : { role: body.role }),
      ...(body.groups === undefined
        ? {}
        : { groups: body.groups === null ? null : JSON.stringify(body.groups) }),
      ...(body.disabled === undefined ? {} : { disabled: body.disabled ? 1 : 0 }),
      ...(body.password === undefined ? {} : { password: await hashed(body.password, before.name) }),
    }, was);
    if (!after && was && await operators.find(id)) throw changedMeanwhile();
    if (!after) throw problem(404, "operator_not_found", `there is no operator "${id}"`);
    if (body.disabled === true || body.password !== undefined) await sessions.revokeAll(id);
    changed(operatorView(before), {
      ...operatorView(after),
      ...(body.password === undefined ? {} : { password: "changed" }),
    });
    const now = operatorView(after);
    return { status: 200, body: now, headers: { etag: etagOf(edited(after), now) } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/operators/{id}",
    summary: "Remove an operator",
    tags: ["people"],
    auth: ["people:write"],
    params: IdParams,
    etag: true,
    responses: {
      204: { description: "Removed, and signed out" },
      403: { description: "They may do more than whoever removes them" },
      404: { description: "There is none" },
      409: { description: "Nobody removes themselves" },
    },
  }).handle(async ({ params: { id }, principal, request, changed }) => {
    const before = await found(id);
    const was = ifMatch(request, edited(before)) ? edited(before) : undefined;
    within(principal, operatorView(before));
    if (principal.kind === "operator" && principal.id === id) {
      throw problem(409, "own_rights", "ask another administrator to remove you");
    }
    if (!await operators.remove(id, was) && was) throw changedMeanwhile();
    changed(operatorView(before), undefined);
    return { status: 204 };
  });
  return routes;
}

/** What can be changed of an operator. The password is a salted hash, and the ETag a hash of that. */
function edited({ role, groups, disabled, password }: OperatorRow) {
  return { role, groups, disabled, password };
}

function operatorView(row: OperatorRow): v.InferInput<typeof OperatorView> {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    groups: row.groups === null ? null : JSON.parse(row.groups),
    disabled: row.disabled === 1,
    createdAt: isoTime(row.created_at),
    createdBy: row.created_by,
    updatedAt: isoTime(row.updated_at),
    signedInAt: isoTime(row.signed_in_at),
  };
}

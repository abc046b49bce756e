/**
 * `…/members` and `…/invitations`: sharing a gateway with others.
 *
 * @module
 */
import * as v from "valibot";
import type { Deps } from "../../base/mod.ts";
import { isoTime, macSchema, problem, Routes, timeSchema } from "../../control/mod.ts";
import { LockOut } from "../credentials/mod.ts";
import type { BindingStore } from "./bindings.ts";
import { ownIn } from "./own.ts";
import { type Joining, MAX_INVITATIONS, MAX_MEMBERS, type MemberStore } from "./members.ts";
import type { AppSettings } from "./settings.ts";
import { USER_PERMISSION, userName } from "./users.ts";

const MacParams = v.object({ mac: macSchema });
const id = v.pipe(v.string(), v.maxLength(64));
const RightsField = v.picklist(["use", "view"]);
const MAX_BYTES = 8192;

const MemberView = v.object({
  userId: v.string(),
  name: v.string(),
  role: v.picklist(["owner", "member"]),
  rights: RightsField,
  since: timeSchema,
});
const InvitationView = v.object({
  id: v.string(),
  /** Whom it is for; null: whoever has the code. */
  name: v.nullable(v.string()),
  rights: RightsField,
  createdAt: timeSchema,
  expiresAt: timeSchema,
});
const OfferView = v.object({
  id: v.string(),
  /** The owner's name. */
  from: v.string(),
  vendor: v.nullable(v.string()),
  model: v.nullable(v.string()),
  rights: RightsField,
  expiresAt: timeSchema,
});
const Joined = v.object({ mac: v.string() });

/** What the member routes lean on. */
export interface MemberParts {
  readonly bindings: Pick<BindingStore, "find" | "ownerOf">;
  readonly members: MemberStore;
}

/** The routes of members and invitations. */
export function memberRoutes(
  { clock }: Pick<Deps, "clock">,
  { bindings, members }: MemberParts,
  settings: Pick<AppSettings, "codeLock">,
): Routes {
  const routes = new Routes();
  const guesses = new LockOut(clock, settings.codeLock);
  const own = ownIn(bindings);
  const asOwner = async (userId: string, mac: string): Promise<void> => {
    if ((await own(userId, mac)).role !== "owner") throw notOwner();
  };
  const answers = {
    200: { description: "The user is a member now", schema: Joined },
    404: { description: "No such invitation, or it has run out" },
    409: { description: "The user owns the gateway, or there is no room" },
  } as const;

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/members",
    summary: "Who may use a gateway, its owner first",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      200: { description: "All of them", schema: v.object({ items: v.array(MemberView) }) },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac } }) => {
    await own(principal.id, mac);
    const owner = await bindings.ownerOf(mac), others = await members.list(mac);
    const items: v.InferInput<typeof MemberView>[] = others.map((member) => ({
      userId: member.user_id,
      name: member.name,
      role: "member",
      rights: member.rights,
      since: isoTime(member.joined_at),
    }));
    if (owner) {
      const { user_id: userId, name, bound_at } = owner;
      items.unshift({ userId, name, role: "owner", rights: "use", since: isoTime(bound_at) });
    }
    return { status: 200, body: { items } };
  });

  routes.route({
    method: "PATCH",
    path: "/app/v1/gateways/{mac}/members/{userId}",
    summary: "Change what a member may",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: v.object({ ...MacParams.entries, userId: id }),
    body: { json: v.strictObject({ rights: RightsField }), maxBytes: MAX_BYTES },
    responses: {
      204: { description: "It holds from now on" },
      403: { description: "Only the owner may" },
      404: { description: "Not the user's, or no member" },
    },
  }).handle(async ({ principal, params: { mac, userId }, body: { rights } }) => {
    await asOwner(principal.id, mac);
    if (await members.allow(mac, userId, rights)) return { status: 204 };
    throw noMember();
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/gateways/{mac}/members/{userId}",
    summary: "Remove a member, or leave (`me`)",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: v.object({ ...MacParams.entries, userId: id }),
    responses: {
      204: { description: "No member any more" },
      403: { description: "Only the owner may remove others" },
      404: { description: "Not the user's, or no member" },
    },
  }).handle(async ({ principal, params: { mac, userId }, log }) => {
    const gateway = await own(principal.id, mac);
    const who = userId === "me" ? principal.id : userId;
    if (who !== principal.id && gateway.role !== "owner") throw notOwner();
    if (!await members.remove(mac, who)) throw noMember();
    log.info("member removed", { mac, user: who, by: principal.id });
    return { status: 204 };
  });

  routes.route({
    method: "POST",
    path: "/app/v1/gateways/{mac}/invitations",
    keyed: false, // the code is shown once
    summary: "Invite somebody to use a gateway",
    description:
      "By `name` a user finds it among their invitations, for a week. Without, the answer has a `code` for whoever " +
      "gets it, for a day and one person. `rights`: `use` (everything but sharing it and giving it up) or `view`.",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: MacParams,
    body: {
      json: v.strictObject({
        name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64), v.transform(userName))),
        rights: v.optional(RightsField, "use"),
      }),
      maxBytes: MAX_BYTES,
    },
    responses: {
      201: {
        description: "The invitation; whether there is a user of that name it does not tell",
        schema: v.object({ ...InvitationView.entries, code: v.optional(v.string()) }),
      },
      403: { description: "Only the owner may" },
      404: { description: "Not the user's" },
      409: { description: "Too many wait for an answer" },
    },
  }).handle(async ({ principal, params: { mac }, body: { name, rights }, log }) => {
    await asOwner(principal.id, mac);
    const made = await members.invite(mac, name === undefined ? undefined : { name }, rights);
    if (!made) {
      throw problem(409, "too_many_invitations", `at most ${MAX_INVITATIONS} may wait: take one back`);
    }
    log.info("member invited", { mac, by: principal.id, invitation: made.row.id });
    const body = { ...invitationView(made.row), ...(made.code === undefined ? {} : { code: made.code }) };
    return { status: 201, body };
  });

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/invitations",
    summary: "A gateway's invitations that wait for an answer",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      200: { description: "All of them", schema: v.object({ items: v.array(InvitationView) }) },
      403: { description: "Only the owner may" },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac } }) => {
    await asOwner(principal.id, mac);
    return { status: 200, body: { items: (await members.invitations(mac)).map(invitationView) } };
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/gateways/{mac}/invitations/{id}",
    summary: "Take an invitation back",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: v.object({ ...MacParams.entries, id }),
    responses: {
      204: { description: "It can't be accepted any more" },
      403: { description: "Only the owner may" },
      404: { description: "Not the user's, or no such invitation" },
    },
  }).handle(async ({ principal, params: { mac, id } }) => {
    await asOwner(principal.id, mac);
    if (await members.withdraw(mac, id)) return { status: 204 };
    throw problem(404, "invitation_not_found", "there is no such invitation");
  });

  routes.route({
    method: "GET",
    path: "/app/v1/invitations",
    summary: "What the user is invited to by name",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    responses: { 200: { description: "All of them", schema: v.object({ items: v.array(OfferView) }) } },
  }).handle(async ({ principal }) => ({
    status: 200,
    body: {
      items: (await members.offers(principal.id)).map(({ expires_at, ...offer }) => ({
        ...offer,
        expiresAt: isoTime(expires_at),
      })),
    },
  }));

  routes.route({
    method: "POST",
    path: "/app/v1/invitations/codes",
    summary: "Accept an invitation by its code",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    body: { json: v.strictObject({ code: v.pipe(v.string(), v.maxLength(64)) }), maxBytes: MAX_BYTES },
    responses: {
      200: answers[200],
      404: answers[404],
      409: answers[409],
      429: { description: "Too many wrong codes" },
    },
  }).handle(async ({ principal, body: { code }, log }) => {
    const wait = guesses.begin(principal.id);
    if (wait > 0) {
      throw problem(429, "too_many_attempts", "too many wrong codes", { retryAfterSeconds: wait / 1000 });
    }
    const joining = await members.redeem(principal.id, code);
    if (joining.kind !== "unknown") guesses.succeed(principal.id);
    return joined(joining, () => log.info("member joined", { user: principal.id }));
  });

  routes.route({
    method: "POST",
    path: "/app/v1/invitations/{id}/accept",
    summary: "Accept an invitation",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: v.object({ id }),
    responses: answers,
  }).handle(async ({ principal, params, log }) =>
    joined(
      await members.accept(principal.id, params.id),
      () => log.info("member joined", { user: principal.id }),
    )
  );

  routes.route({
    method: "DELETE",
    path: "/app/v1/invitations/{id}",
    summary: "Turn an invitation down",
    tags: ["app sharing"],
    auth: [USER_PERMISSION],
    params: v.object({ id }),
    responses: { 204: { description: "Gone" }, 404: { description: "No such invitation" } },
  }).handle(async ({ principal, params }) => {
    if (await members.decline(principal.id, params.id)) return { status: 204 };
    throw problem(404, "invitation_not_found", "there is no such invitation");
  });
  return routes;
}

function joined(joining: Joining, note: () => void) {
  switch (joining.kind) {
    case "joined":
      note();
      return { status: 200, body: { mac: joining.mac } } as const;
    case "owner":
      throw problem(409, "own_gateway", "you own this gateway");
    case "full":
      throw problem(409, "too_many_members", `the gateway has ${MAX_MEMBERS} members already`);
    case "too_many":
      throw problem(409, "too_many_bindings", "you are a member of as many gateways as you may");
    case "unknown":
      throw problem(404, "invitation_not_found", "there is no such invitation, or it has run out");
  }
}

function invitationView(
  row: { id: string; name: string | null; rights: "use" | "view"; created_at: number; expires_at: number },
): v.InferInput<typeof InvitationView> {
  const { id, name, rights } = row;
  return { id, name, rights, createdAt: isoTime(row.created_at), expiresAt: isoTime(row.expires_at) };
}

function notOwner() {
  return problem(403, "not_owner", "only the gateway's owner may do that");
}

function noMember() {
  return problem(404, "member_not_found", "there is no such member");
}

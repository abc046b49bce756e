/**
 * `/api/v1/gateways/{mac}/binding`: what operators see and end of who owns a gateway.
 *
 * @module
 */
import * as v from "valibot";
import { isoTime, macSchema, type Principal, problem, Routes, timeSchema } from "../../control/mod.ts";
import type { BindingStore } from "./bindings.ts";
import type { MemberStore } from "./members.ts";

const MacParams = v.object({ mac: macSchema });
const View = v.object({
  userId: v.string(),
  name: v.string(),
  boundAt: timeSchema,
  members: v.array(v.object({
    userId: v.string(),
    name: v.string(),
    rights: v.picklist(["use", "view"]),
    since: timeSchema,
  })),
});

/** What these routes lean on. */
export interface OperatorParts {
  readonly bindings: Pick<BindingStore, "ownerOf">;
  readonly members: Pick<MemberStore, "list">;
  /** Fails with 404 for a gateway that the operator may not see. */
  visible(principal: Principal, mac: string): Promise<unknown>;
  /** Ends a binding; false where there is none. */
  unbind(mac: string, reason: string): Promise<boolean>;
}

/** The routes. */
export function operatorRoutes({ bindings, members, visible, unbind }: OperatorParts): Routes {
  const routes = new Routes();
  const shown = async (mac: string): Promise<v.InferInput<typeof View>> => {
    const owner = await bindings.ownerOf(mac);
    if (!owner) throw problem(404, "not_bound", `gateway ${mac} is bound to nobody`);
    return {
      userId: owner.user_id,
      name: owner.name,
      boundAt: isoTime(owner.bound_at),
      members: (await members.list(mac)).map(({ user_id: userId, name, rights, joined_at }) => ({
        userId,
        name,
        rights,
        since: isoTime(joined_at),
      })),
    };
  };

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/binding",
    summary: "The app user who owns a gateway, and with whom they share it",
    tags: ["gateways"],
    auth: ["gateways:read"],
    params: MacParams,
    responses: {
      200: { description: "The binding", schema: View },
      404: { description: "Not preset, or bound to nobody" },
    },
  }).handle(async ({ principal, params: { mac } }) => {
    await visible(principal, mac);
    return { status: 200, body: await shown(mac) };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/gateways/{mac}/binding",
    summary: "End an app user's ownership of a gateway, with all its members",
    tags: ["gateways"],
    auth: ["gateways:write"],
    params: MacParams,
    responses: {
      204: { description: "Bound to nobody" },
      404: { description: "Not preset, or bound to nobody" },
    },
  }).handle(async ({ principal, params: { mac }, changed }) => {
    await visible(principal, mac);
    const { userId, name } = await shown(mac);
    changed({ userId, name }, undefined);
    if (!await unbind(mac, "operator")) throw problem(404, "not_bound", `gateway ${mac} is bound to nobody`);
    return { status: 204 };
  });
  return routes;
}

/**
 * The distribution policy over HTTP.
 *
 * @module
 */
import * as v from "valibot";
import { actorOf, macSchema, Routes } from "../../control/mod.ts";
import { choose, PolicySchema, type PolicyStore } from "../distribution/mod.ts";

/** The routes of the policy. */
export function policyRoutes(policy: PolicyStore): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/distribution/policy",
    summary: "The distribution policy in force",
    tags: ["distribution"],
    auth: ["policies:read"],
    responses: { 200: { description: "The policy", schema: PolicySchema } },
  }).handle(() => ({ status: 200, body: policy.current }));

  routes.route({
    method: "PUT",
    path: "/api/v1/distribution/policy",
    summary: "Put another distribution policy into force",
    description:
      "The first rule that matches decides. Weights share gateways out; a gateway stays where it is sent.",
    tags: ["distribution"],
    auth: ["policies:write"],
    body: { json: PolicySchema },
    responses: { 200: { description: "The policy in force", schema: PolicySchema } },
  }).handle(async ({ body, principal, changed }) => {
    changed(policy.current, body);
    await policy.replace(body, actorOf(principal));
    return { status: 200, body: policy.current };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/distribution/preview",
    summary: "Where the policy would send a gateway",
    tags: ["distribution"],
    auth: ["policies:read"],
    query: v.object({
      mac: macSchema,
      vendor: v.optional(v.string(), ""),
      model: v.optional(v.string(), ""),
    }),
    responses: {
      200: {
        description: "The rule that decides, and its answer; neither where none matches",
        schema: v.object({
          rule: v.nullable(v.string()),
          operations: v.nullable(v.string()),
          redirect: v.nullable(v.string()),
        }),
      },
    },
  }).handle(({ query }) => {
    const choice = choose(policy.current, query);
    return {
      status: 200,
      body: {
        rule: choice?.rule ?? null,
        operations: choice?.kind === "operations" ? `${choice.target.host}:${choice.target.port}` : null,
        redirect: choice?.kind === "redirect" ? choice.address : null,
      },
    };
  });
  return routes;
}

/**
 * The service's traffic and state over HTTP, for whoever keeps it running.
 *
 * @module
 */
import * as v from "valibot";
import { Routes } from "../../control/mod.ts";
import { MAY_READ } from "./access.ts";
import type { Outlet } from "./outlet.ts";

const Time = v.pipe(v.string(), v.isoTimestamp());

const OutletView = v.object({
  name: v.string(),
  connected: v.boolean(),
  since: Time,
  unanswered: v.number(),
  unreported: v.number(),
  lastError: v.nullable(v.string()),
});

/** What these routes lean on. */
export interface OperationsParts {
  readonly outlets: readonly Outlet[];
}

/** The routes. */
export function operationsRoutes(parts: OperationsParts): Routes {
  const routes = new Routes();
  outletRoutes(routes, parts);
  return routes;
}

function outletRoutes(routes: Routes, { outlets }: OperationsParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/outlets",
    summary: "The ways to short-message centres, and how they are",
    tags: ["short messages"],
    auth: MAY_READ,
    responses: { 200: { description: "All", schema: v.object({ items: v.array(OutletView) }) } },
  }).handle(() => ({
    status: 200,
    body: {
      items: outlets.map((outlet) => {
        const { name, connected, since, unanswered, unreported, lastError = null } = outlet.status();
        return {
          name,
          connected,
          since: new Date(since).toISOString(),
          unanswered,
          unreported,
          lastError,
        };
      }),
    },
  }));
}

/**
 * The short-message service over HTTP, put together; and the phones that are played.
 *
 * @module
 */
import * as v from "valibot";
import type { Deps } from "../../base/mod.ts";
import { problem, Routes } from "../../control/mod.ts";
import { MAY_WRITE } from "./access.ts";
import { type AccountParts, accountRoutes } from "./account_routes.ts";
import type { Elsewheres } from "./elsewhere.ts";
import { PhoneNumber } from "./fields.ts";
import { type MessageParts, messageRoutes } from "./message_routes.ts";
import { type OperationsParts, operationsRoutes } from "./operations_routes.ts";
import { receivedRoutes } from "./received_routes.ts";
import type { Simulator } from "./simulator.ts";

/** What the routes lean on. */
export interface RouteParts extends AccountParts, MessageParts, OperationsParts {
  readonly elsewhere: Elsewheres;
  /** Where the centre is played. */
  readonly simulator: Simulator | undefined;
}

/** The routes of the service. */
export function smsRoutes(deps: Pick<Deps, "clock">, parts: RouteParts): Routes {
  const routes = new Routes();
  routes.mount("", accountRoutes(parts));
  routes.mount("", messageRoutes(parts));
  routes.mount("", receivedRoutes(parts.store));
  routes.mount("", operationsRoutes(parts));
  simulatorRoutes(routes, parts);
  routes.mount("", parts.elsewhere.routesOf(deps));
  return routes;
}

function simulatorRoutes(routes: Routes, { ismg, simulator }: RouteParts): void {
  routes.route({
    method: "POST",
    path: "/api/v1/sms/simulator/mo",
    summary: "A simulated phone writes to a provider",
    tags: ["short messages"],
    auth: MAY_WRITE,
    body: {
      json: v.strictObject({
        from: PhoneNumber,
        to: v.pipe(v.string(), v.regex(/^\d{1,21}$/, "Invalid number: Expected 1 to 21 digits")),
        text: v.pipe(v.string(), v.maxLength(10_000)),
      }),
    },
    responses: {
      202: { description: "On its way, in so many parts", schema: v.object({ parts: v.number() }) },
      404: { description: "No provider has this number" },
      409: { description: "The centre is not simulated here" },
    },
  }).handle(async ({ body: { from, to, text }, changed }) => {
    if (!simulator) throw problem(409, "not_simulated", "a real short-message centre is connected");
    if (!await ismg.reaches(to)) throw problem(404, "no_provider", `no provider has the number "${to}"`);
    const parts = simulator.injectMo(from, to, text);
    changed(undefined, { from, to, parts }); // not what it says
    return { status: 202, body: { parts } };
  });
}

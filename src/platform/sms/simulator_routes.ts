/**
 * The played centre over HTTP: how it behaves, and phones that write.
 *
 * @module
 */
import * as v from "valibot";
import { problem, Routes } from "../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "./access.ts";
import { PhoneNumber } from "./fields.ts";
import type { Ismg } from "./ismg.ts";
import { BehaviourBody, BehaviourView, behaviourView, type KeptBehaviour } from "./simulator_settings.ts";

/** What these routes lean on. */
export interface SimulatorParts {
  readonly ismg: Ismg;
  /** Where the centre is played. */
  readonly simulator: KeptBehaviour | undefined;
}

const PATH = "/api/v1/sms/simulator";
const responses = {
  200: { description: "How it behaves", schema: BehaviourView },
  409: { description: "The centre is not simulated here" },
};

/** The routes. */
export function simulatorRoutes({ ismg, simulator }: SimulatorParts): Routes {
  const routes = new Routes();
  const played = (): KeptBehaviour => {
    if (simulator) return simulator;
    throw problem(409, "not_simulated", "a real short-message centre is connected");
  };
  const view = () => behaviourView(played().now);
  routes.route({
    method: "GET",
    path: PATH,
    summary: "How the simulated short-message centre behaves",
    tags: ["short messages"],
    auth: MAY_READ,
    responses,
  }).handle(() => ({ status: 200, body: view() }));
  routes.route({
    method: "PUT",
    path: PATH,
    summary: "Have the simulated short-message centre behave so, also after a restart",
    description:
      "latencyMs is in milliseconds, shares are parts of 1. What is left out is as of a centre that " +
      "delivers everything at once. Messages that it has already keep what was decided for them.",
    tags: ["short messages"],
    auth: MAY_WRITE,
    body: { json: BehaviourBody },
    responses,
  }).handle(async ({ body, changed }) => {
    const before = view();
    await played().put(body);
    changed(before, view());
    return { status: 200, body: view() };
  });
  routes.route({
    method: "DELETE",
    path: PATH,
    summary: "Have the simulated short-message centre behave as it was started",
    tags: ["short messages"],
    auth: MAY_WRITE,
    responses,
  }).handle(async ({ changed }) => {
    const before = view();
    await played().reset();
    changed(before, view());
    return { status: 200, body: view() };
  });
  routes.route({
    method: "POST",
    path: `${PATH}/mo`,
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
    const centre = played();
    if (!await ismg.reaches(to)) throw problem(404, "no_provider", `no provider has the number "${to}"`);
    const parts = centre.injectMo(from, to, text);
    changed(undefined, { from, to, parts }); // not what it says
    return { status: 202, body: { parts } };
  });
  return routes;
}

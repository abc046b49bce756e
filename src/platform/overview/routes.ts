/**
 * `/api/v1/overview`.
 *
 * @module
 */
import * as v from "valibot";
import { isoTime, Routes, timeSchema } from "../../control/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import type { Recorder } from "./history.ts";
import type { Overview } from "./overview.ts";

const Shares = v.array(v.object({ name: v.nullable(v.string()), total: v.number(), online: v.number() }));

/** What `GET /api/v1/overview` answers. */
export const OverviewView = v.object({
  preset: v.number(),
  registered: v.number(),
  online: v.number(),
  /** The largest of each; a null name is "not known". */
  regions: Shares,
  models: Shares,
  firmware: Shares,
  /** Commands that are open, or ended within the last day, by status. */
  commands: v.record(v.string(), v.number()),
  history: v.object({
    stepSeconds: v.number(),
    until: timeSchema,
    /** The oldest first: gateways online, heartbeats a second, commands that ended a second. */
    series: v.record(v.string(), v.array(v.number())),
  }),
});

/** The route of the overview. */
export function overviewRoutes(
  overview: Overview,
  recorder: Recorder,
  fleet: Pick<Fleet, "scopeOf">,
): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/overview",
    summary: "The whole fleet in figures, some seconds old",
    description:
      "For whoever is confined to groups: their gateways, and no history, which is of all gateways.",
    tags: ["gateways"],
    auth: ["gateways:read"],
    responses: { 200: { description: "The figures", schema: OverviewView } },
  }).handle(async ({ principal }) => {
    const filter = await fleet.scopeOf(principal), { groups } = principal;
    const { regions, models, firmware, commands, ...totals } = await overview.figures(
      filter && { name: JSON.stringify([...groups ?? []].sort()), filter },
    );
    const { stepMs, until, series: all } = recorder.read(), series = filter ? {} : all;
    return {
      status: 200,
      body: {
        ...totals,
        regions: [...regions],
        models: [...models],
        firmware: [...firmware],
        commands: { ...commands },
        history: {
          stepSeconds: stepMs / 1000,
          until: isoTime(until),
          series: Object.fromEntries(Object.entries(series).map(([name, values]) => [name, [...values]])),
        },
      },
    };
  });
  return routes;
}

/**
 * What every role answers to those who watch it: health and metrics. Neither holds secrets.
 *
 * @module
 */
import * as v from "valibot";
import type { Metrics, Service } from "../base/mod.ts";
import { Routes } from "./route.ts";
import type { Access } from "./auth.ts";

const healthSchema = v.object({
  status: v.picklist(["up", "degraded", "down"]),
  services: v.array(v.object({
    name: v.string(),
    status: v.picklist(["up", "degraded", "down"]),
    detail: v.optional(v.string()),
  })),
});

/**
 * `GET /healthz` (200, or 503 as soon as one service is down; details only for callers with a token) and
 * `GET /metrics` in Prometheus' text format, for everyone unless `metricsAuth` says otherwise.
 */
export function serviceRoutes(
  metrics: Metrics,
  services: () => Iterable<Service>,
  metricsAuth: Access = "public",
): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/healthz",
    summary: "Whether all services are up",
    tags: ["service"],
    uncounted: true,
    auth: "optional",
    responses: {
      200: { description: "Serving", schema: healthSchema },
      503: { description: "A service is down", schema: healthSchema },
    },
  }).handle(({ principal }) => {
    const all = [...services()].map((service) => ({ name: service.name, ...service.health() }));
    const down = all.some(({ status }) => status === "down");
    const status = down ? "down" : all.some(({ status }) => status === "degraded") ? "degraded" : "up";
    const shown = all.map(({ name, status, detail }) => ({
      name,
      status,
      ...(principal && detail !== undefined ? { detail } : {}),
    }));
    return { status: down ? 503 : 200, body: { status, services: shown } };
  });
  routes.route({
    method: "GET",
    path: "/metrics",
    summary: "Metrics in Prometheus' text format",
    tags: ["service"],
    uncounted: true,
    auth: metricsAuth,
    responses: { 200: { description: "Text exposition format 0.0.4", mediaType: "text/plain" } },
  }).handle(() => ({
    response: new Response(metrics.render(), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
    }),
  }));
  return routes;
}

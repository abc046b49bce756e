import { assertEquals, assertStringIncludes } from "@std/assert";
import { FakeClock, type Health, Metrics, seededRandom, type Service, silentLog } from "../base/mod.ts";
import { ADMIN, Api, serviceRoutes, tokenAuthenticator } from "./mod.ts";

function setUp(healths: Record<string, Health>) {
  const metrics = new Metrics();
  const api = new Api({ clock: new FakeClock(), random: seededRandom(1), log: silentLog, metrics }, {
    title: "Test",
    version: "1",
    authenticators: [tokenAuthenticator("a-token-for-tests", ADMIN)],
    checkReplies: true,
  });
  const services = (): Service[] =>
    Object.entries(healths).map(([name, health]) => ({
      name,
      addresses: [],
      health: () => health,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }));
  api.mount("", serviceRoutes(metrics, services));
  return { api, metrics };
}

Deno.test("health is 200 while everything serves and 503 as soon as one service is down", async () => {
  const up = await setUp({ access: { status: "up" }, push: { status: "degraded", detail: "db-1 is away" } })
    .api
    .request("/healthz");
  assertEquals(up.status, 200);
  assertEquals(await up.json(), {
    status: "degraded",
    services: [{ name: "access", status: "up" }, { name: "push", status: "degraded" }],
  });
  const down = await setUp({ access: { status: "down" } }).api.request("/healthz");
  assertEquals([down.status, (await down.json()).status], [503, "down"]);
});

Deno.test("what is behind a bad health is told only to callers with a token", async () => {
  const { api } = setUp({ push: { status: "degraded", detail: "db-1 is away" } });
  const headers = { authorization: "Bearer a-token-for-tests" };
  const shown = await (await api.request("/healthz", { headers })).json();
  assertEquals(shown.services[0].detail, "db-1 is away");
});

Deno.test("metrics are Prometheus text, without a token", async () => {
  const { api, metrics } = setUp({});
  metrics.counter("gatehouse_heartbeats_total", "Heartbeats answered").inc(3);
  const response = await api.request("/metrics");
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assertStringIncludes(await response.text(), "gatehouse_heartbeats_total 3");
});

/**
 * The paths that other programs rely on are there, and the documents say so.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startFleet } from "./support/fleet.ts";

const PLATFORM = `
POST /api/v1/gateways
GET /api/v1/gateways
GET /api/v1/gateways/{mac}
PATCH /api/v1/gateways/{mac}
DELETE /api/v1/gateways/{mac}
POST /api/v1/gateways/{mac}/commands
GET /api/v1/commands/{id}
POST /api/v1/plugins
POST /api/v1/gateways/{mac}/plugins
POST /api/v1/gateways/{mac}/plugins/{name}/run
POST /api/v1/gateways/{mac}/plugins/{name}/stop
DELETE /api/v1/gateways/{mac}/plugins/{name}
GET /api/v1/gateways/{mac}/plugins
GET /healthz
GET /metrics
POST /app/v1/users
POST /app/v1/sessions
POST /app/v1/bindings
GET /app/v1/gateways
POST /app/v1/gateways/{mac}/connect
GET /app/v1/gateways/{mac}/connection
POST /app/v1/gateways/{mac}/post`;

const GATEWAY = `
GET /api/v1/status
GET /api/v1/plugins
POST /api/v1/plugins
POST /api/v1/plugins/{name}/run
POST /api/v1/plugins/{name}/stop
POST /api/v1/plugins/{name}/reload
DELETE /api/v1/plugins/{name}
POST /api/v1/plugins/{name}/call
POST /api/v1/plugins/{name}/factory
PUT /api/v1/plugins/{name}/parameters
POST /api/v1/plugin-installs
GET /api/v1/plugin-installs/{name}
DELETE /api/v1/plugin-installs/{name}
GET /healthz
GET /metrics`;

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { responses?: Record<string, unknown>; summary?: string }>>;
}

async function document(port: number): Promise<Document> {
  const response = await fetch(`http://127.0.0.1:${port}/openapi.json`);
  assertEquals(response.status, 200);
  return await response.json();
}

Deno.test("both roles describe every path that others rely on", async () => {
  await using fleet = await startFleet();
  for (
    const [wanted, { openapi, paths }] of [
      [PLATFORM, await document(fleet.platform.ports.http!)],
      [GATEWAY, await document(fleet.gateway.ports.control!)],
    ] as const
  ) {
    assert(openapi.startsWith("3.1."));
    for (const line of wanted.trim().split("\n")) {
      const [method, path] = line.split(" ") as [string, string];
      assert(paths[path]?.[method.toLowerCase()], `${line} is not described`);
    }
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { responses, summary }] of Object.entries(operations)) {
        assert(
          summary && Object.keys(responses ?? {}).length > 0,
          `${method} ${path} says nothing of its answers`,
        );
      }
    }
  }
});

Deno.test("what needs a token answers 401 without one and 401 with a wrong one, on both roles", async () => {
  await using fleet = await startFleet();
  for (
    const [port, open] of [
      [
        fleet.platform.ports.http!,
        /^\/(healthz|metrics|docs|openapi\.json|downloads\/)|^\/(app|api)\/v1\/(users|sessions|sessions\/refresh)$/,
      ],
      [fleet.gateway.ports.control!, /^\/(healthz|metrics|docs|openapi\.json)/],
    ] as const
  ) {
    const { paths } = await document(port);
    for (const [path, operations] of Object.entries(paths)) {
      if (open.test(path)) continue;
      for (const method of Object.keys(operations)) {
        const url = `http://127.0.0.1:${port}${
          path.replace("{mac}", "64D954000001").replace(/\{\w+\}/g, "x")
        }`;
        for (const headers of [{}, { authorization: "Bearer wrong-wrong-wrong" }]) {
          const response = await fetch(url, { method: method.toUpperCase(), headers });
          await response.body?.cancel();
          assertEquals(response.status, 401, `${method} ${path}`);
        }
      }
    }
  }
});

import { assert, assertEquals } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../base/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "./mod.ts";

function api(options: { perMinute?: number; corsOrigins?: string[] }) {
  const clock = new FakeClock();
  const deps = { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const api = new Api(deps, {
    title: "Test",
    version: "1",
    authenticators: [
      tokenAuthenticator("token-of-one", ADMIN),
      tokenAuthenticator("token-of-other", { ...ADMIN, kind: "key", id: "2" }),
    ],
    rate: options.perMinute === undefined ? undefined : { perMinute: options.perMinute },
    corsOrigins: options.corsOrigins,
  });
  const responses = { 204: { description: "Done" } };
  api.route({ method: "GET", path: "/open", summary: "Open", auth: "public", responses }).handle(() => ({
    status: 204,
  }));
  api.route({ method: "GET", path: "/own", summary: "Own", auth: ["admin"], responses }).handle(() => ({
    status: 204,
  }));
  api.route({ method: "PUT", path: "/own", summary: "Own", auth: ["admin"], responses }).handle(() => ({
    status: 204,
  }));
  return { api, clock };
}

Deno.test("each caller may ask so often a minute, whatever others do, and is told when to come again", async () => {
  const { api: server, clock } = api({ perMinute: 6 });
  const ask = (token: string | undefined, address: string) =>
    server.request(token ? "/own" : "/open", token ? { headers: { authorization: `Bearer ${token}` } } : {}, {
      address,
    });
  const statuses = async (token: string | undefined, address: string, times: number) => {
    const all: number[] = [];
    for (let n = 0; n < times; n++) all.push((await ask(token, address)).status);
    return all.join(" ");
  };
  assertEquals(await statuses("token-of-one", "10.0.0.1", 7), "204 204 204 204 204 204 429");
  // From wherever they come, and not at another's cost.
  assertEquals(await statuses("token-of-one", "10.0.0.9", 1), "429");
  assertEquals(await statuses("token-of-other", "10.0.0.1", 6), "204 204 204 204 204 204");
  // Whoever does not say who they are is known by the network.
  assertEquals(await statuses(undefined, "2001:db8::1", 6), "204 204 204 204 204 204");
  const refused = await ask(undefined, "2001:db8::ffff");
  assertEquals([refused.status, refused.headers.get("retry-after")], [429, "10"]);
  assertEquals(refused.headers.get("ratelimit-policy"), '"default";q=6;w=60');
  assertEquals((await refused.json()).code, "rate_limited");
  await clock.advance(10_000);
  assertEquals(await statuses("token-of-one", "10.0.0.1", 2), "204 429");
  await clock.advance(60_000);
  assertEquals(await statuses("token-of-one", "10.0.0.1", 7), "204 204 204 204 204 204 429");
});

Deno.test("pages of origins that were named may use the API, others and all by default may not", async () => {
  const origin = "https://ops.example";
  const { api: server } = api({ corsOrigins: [origin] }), { api: closed } = api({});
  const preflight = { method: "OPTIONS", headers: { origin, "access-control-request-method": "PUT" } };
  const asked = await server.request("/own", preflight);
  assertEquals(asked.status, 204);
  assertEquals(asked.headers.get("access-control-allow-origin"), origin);
  assertEquals(asked.headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS, PUT");
  assert(asked.headers.get("access-control-allow-headers")?.includes("authorization"));
  assertEquals(asked.headers.get("access-control-allow-credentials"), null);
  // Refusals can be read as well.
  const refused = await server.request("/own", { headers: { origin } });
  assertEquals([refused.status, refused.headers.get("access-control-allow-origin")], [401, origin]);
  for (
    const [where, from] of [[server, "https://evil.example"], [server, "null"], [closed, origin]] as const
  ) {
    for (
      const init of [{ headers: { origin: from } }, {
        ...preflight,
        headers: { ...preflight.headers, origin: from },
      }]
    ) {
      const { headers } = await where.request("/own", init);
      assertEquals([...headers.keys()].filter((name) => name.startsWith("access-control")), []);
    }
  }
  const other = await server.request("/open", { headers: { origin: "https://evil.example" } });
  assertEquals(other.headers.get("vary"), "Origin");
});

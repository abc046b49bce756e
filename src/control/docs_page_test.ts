import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as v from "valibot";
import { FakeClock, Metrics, seededRandom, silentLog } from "../base/mod.ts";
import { Api } from "./mod.ts";

Deno.test("the page of the API shows every operation with its permission, and loads nothing from anywhere", async () => {
  const deps = { clock: new FakeClock(), random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const api = new Api(deps, { title: "<Title>", version: "1", authenticators: [] });
  api.route({
    method: "PUT",
    path: "/things/{id}",
    summary: "Change a <script>thing</script>",
    auth: ["things:write"],
    unconfined: true,
    params: v.object({ id: v.string() }),
    body: {
      json: v.strictObject({
        size: v.pipe(v.number(), v.minValue(1)),
        words: v.optional(v.array(v.string())),
      }),
    },
    responses: { 204: { description: "Changed" } },
  }).handle(() => ({ status: 204 }));
  const response = await api.request("/docs"), page = await response.text();
  assertEquals(response.headers.get("content-type"), "text/html; charset=utf-8");
  assertStringIncludes(response.headers.get("content-security-policy")!, "default-src 'none'");
  for (
    const part of [
      "things:write, not confined to groups",
      "<code>/things/{id}</code>",
      "Change a &lt;script&gt;thing&lt;/script&gt;",
      "size: number (minimum 1)",
      "words?: string[]",
      "/openapi.json",
      "&lt;Title&gt;",
    ]
  ) assertStringIncludes(page, part);
  assert(!/<script|src=|href="(?!\/openapi\.json|#)|@import|url\(/i.test(page));
  assertEquals(page.match(/<article>/g)?.length, 3);
});

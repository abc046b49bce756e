/**
 * The platform's settings of its HTTP side, asked over real sockets.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

Deno.test("--rate-limit and --cors-origin hold for the API, not for health and downloads", async () => {
  const origin = "https://ops.example";
  await using platform = await testPlatform({ settings: { rateLimit: 3, corsOrigins: [origin] } });
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(platform.url + path, { headers: { origin, ...headers } });
    await response.body?.cancel();
    return response;
  };
  const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const statuses: number[] = [];
  // So many at once that what comes back meanwhile, one in twenty seconds, decides nothing.
  for (const { status } of await Promise.all(Array.from({ length: 60 }, () => ask("/api/v1/me", admin)))) {
    statuses.push(status);
  }
  const served = statuses.filter((status) => status === 200).length;
  assertEquals([served >= 3 && served < 30, statuses.every((status) => status === 200 || status === 429)], [
    true,
    true,
  ]);
  for (let n = 0; n < 10; n++) {
    assertEquals((await ask("/healthz")).status, 200);
    assertEquals((await ask(`/downloads/${"0".repeat(64)}.js`)).status, 404);
  }
  assertEquals((await ask("/healthz")).headers.get("access-control-allow-origin"), origin);
});

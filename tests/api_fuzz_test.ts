/**
 * The platform's API asked everything that its own OpenAPI document says, and much that it does not. The long form is
 * `scripts/api_fuzz.ts`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fuzzApi } from "./support/api_fuzz.ts";
import { fuzzPlatform } from "./support/api_fuzz_platform.ts";

Deno.test("no request that can be made of the document fails the platform, or gets an answer that is not in it", async () => {
  await using stage = await fuzzPlatform();
  const { breaches, succeeded, requests } = await fuzzApi({
    ...stage,
    runs: 18,
    seed: 20_261_123,
  });
  assertEquals(breaches, []);
  assert(requests >= 18 * 130);
  // A walker that only ever hears 400 finds nothing.
  assert(
    succeeded.size > stage.operations.length * 0.6,
    `only ${succeeded.size} operations ever did what was asked`,
  );
  assertEquals((await stage.platform.call("GET", "/healthz")).body["status"], "up");
});

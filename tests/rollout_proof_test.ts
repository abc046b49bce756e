/**
 * The short form of `scripts/rollout_proof.ts`: the platform as a process of its own, killed while a rollout goes on.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { proveRollout } from "../scripts/load/rollout.ts";

Deno.test("a rollout over 300 gateways tells the truth of each after its platform was killed", async () => {
  const lines: string[] = [];
  const proof = await proveRollout(
    { gateways: 300, kills: 1, failShare: 0.05, maxInFlight: 20 },
    (line) => lines.push(line),
  );
  assertEquals(proof.wrong, [], lines.join("\n"));
  assertEquals([proof.killedAt.length, proof.succeeded + proof.failed], [1, 300]);
  assert(proof.halts.some((reason) => reason.includes("failed, more than")), "no threshold acted");
  assert(proof.begun >= proof.succeeded && proof.begun <= proof.attempts);
});

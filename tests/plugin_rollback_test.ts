/**
 * Upgrade and rollback of a plug-in over the control API of a real gateway process.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startFleet } from "./support/fleet.ts";

const VERSION = (version: string) => `
export const manifest = { name: "v", version: "${version}", apiVersion: "2026-11-01",
  commands: { V: { right: "both" } } };
export const health = () => {${version === "3.0" ? ` throw new Error("ill");` : ""} };
export const commands = { V: () => ({ V: "${version}" }) };`;

Deno.test("over HTTP a plug-in is upgraded, an ill version is refused, and the one before is brought back", async () => {
  await using fleet = await startFleet();
  const install = (version: string) =>
    fleet.control("POST", "/api/v1/plugins", { name: "v", source: VERSION(version) });
  const version = async () => {
    const { body } = await fleet.control("POST", "/api/v1/plugins/v/call", { parameter: { CmdType: "V" } });
    return (body.reply as { V?: string }).V;
  };
  for (const next of ["1.0", "2.0"]) {
    assertEquals((await install(next)).status, 201);
    assertEquals(await version(), next);
  }
  assertEquals((await install("3.0")).status, 422);
  assertEquals(await version(), "2.0");
  const back = await fleet.control("POST", "/api/v1/plugins/v/rollback");
  assertEquals([back.status, back.body.version], [200, "1.0"]);
  assertEquals(await version(), "1.0");
  assertEquals((await fleet.control("POST", "/api/v1/plugins/v/rollback")).status, 409);
});

/**
 * The tables of docs/capabilities.md have every command that ships, and no row is without a test.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { catalogueFaults, rowsOf } from "../../scripts/lib/catalogue.ts";
import { FACTORY_SOURCES } from "../../src/gateway/factory_plugins.ts";
import { readManifest } from "../../src/sandbox/package/manifest_source.ts";

const here = (path: string) => new URL(path, import.meta.url);

Deno.test("every command that ships has its row, and every row has tests that call it", async () => {
  const shipped = Object.entries(FACTORY_SOURCES).flatMap(([plugin, source]) => {
    const { commands } = readManifest(source) as {
      commands: Record<string, { right: string; auth?: string }>;
    };
    return Object.entries(commands).map(([command, { right, auth }]) => ({
      plugin,
      command,
      right,
      auth: auth !== undefined,
    }));
  });
  const texts = new Map<string, string>();
  for (const folder of ["../", "./"]) {
    for await (const { name } of Deno.readDir(here(folder))) {
      if (name.endsWith("_test.ts")) {
        texts.set(name.slice(0, -3), await Deno.readTextFile(here(folder + name)));
      }
    }
  }
  const rows = rowsOf(await Deno.readTextFile(here("../../docs/capabilities.md")));
  assertEquals(catalogueFaults(shipped, rows, (test) => texts.get(test)), []);
});

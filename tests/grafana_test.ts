/**
 * The Grafana dashboard against the platform: what it asks for must be there, under these names and labels.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** All that the platform's sources register: name, and the source around it. */
async function registered(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) { for (const [key, text] of await registered(path)) found.set(key, text); }
    else if (/(?<!_test)\.ts$/.test(name)) {
      const text = await Deno.readTextFile(path);
      const calls = /\.(?:counter|gauge|histogram|collect|collectHistograms)\(\s*"(gatehouse_\w+)"/g;
      for (const [, metric] of text.matchAll(calls)) found.set(metric!, text);
    }
  }
  return found;
}

Deno.test("the dashboard names only metrics that the platform has, and groups by labels that they have", async () => {
  const dashboard = JSON.parse(await Deno.readTextFile("docs/grafana/gatehouse-platform.json"));
  const panels = dashboard.panels as Panel[];
  const metrics = new Map(
    (await Promise.all(
      ["src/base", "src/control", "src/platform", "src/cli", "src/storage", "src/cluster"].map(registered),
    ))
      .flatMap((found) => [...found]),
  );
  let looked = 0;
  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      const names = [...expr.matchAll(/gatehouse_\w+/g)].map(([name]) => name.replace(/_bucket$/, ""));
      assert(names.length > 0, `${title}: ${expr}`);
      for (const name of names) {
        const text = metrics.get(name);
        assert(text !== undefined, `${title}: there is no metric ${name}`);
        for (const [, label] of expr.matchAll(/by \((\w+)\)/g)) {
          assert(
            label === "le" || new RegExp(`\\b${label!}\\b`).test(text!),
            `${title}: ${name} has no ${label}`,
          );
        }
        looked++;
      }
    }
  }
  assert(looked > 20);
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
});

/**
 * The host API's dates: what a plug-in named when it was written is what it gets for ever.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { PluginError } from "./errors.ts";
import { API_VERSIONS } from "./manifest.ts";
import { makeBench, pluginSource } from "./testing/fixture.ts";
import type { HostFunction, PluginManagerOptions } from "./types.ts";

const FIRST = "2026-11-01", NEXT = "2027-05-01";

/** As `pluginSource`, with another date. */
const dated = (date: string, ...args: Parameters<typeof pluginSource>) =>
  pluginSource(...args).replace(`"apiVersion":"${FIRST}"`, `"apiVersion":"${date}"`);

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`a plug-in of the first date gets all that it got on that date, in ${isolation} isolation`, async () => {
    const frozen = await Deno.readTextFile(new URL("./testing/frozen/api-2026-11-01.js", import.meta.url));
    const peer = pluginSource("com.example.peer", {
      ADD: `({ A, B }) => ({ Sum: String(Number(A) + Number(B)) })`,
    });
    await using bench = await makeBench(isolation, { "peer.js": peer, "frozen.js": frozen });
    assertEquals(bench.manager.get("com.example.frozen")?.error, undefined);
    assertEquals(await bench.call("com.example.frozen", "ALL"), {
      host: ["crypto", "log", "plugins", "storage", "timers"],
      frozen: true,
      started: 1,
      kept: { list: [1, "2", null] },
      nothing: null,
      keys: ["key", "starts"],
      digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      random: 16,
      peer: { Sum: "5" },
      stranger: `"com.example.other" is not among the peers in the manifest`,
      wait: "milliseconds: a number from 0 to 86400000",
      bigKey: "key: a string of 1 to 128 characters",
    });
    assertEquals(await bench.call("com.example.frozen", "ECHO", { CmdType: "ECHO", A: "b" }), { A: "b" });
    await bench.restart();
    const again = await bench.call("com.example.frozen", "ALL");
    assertEquals(again["started"], 2);
  });
}

Deno.test("the first date is served for ever, dates are in order, and each has its plug-in", async () => {
  assertEquals(API_VERSIONS[0], FIRST);
  assertEquals(API_VERSIONS, API_VERSIONS.toSorted());
  const kept = await Array.fromAsync(Deno.readDir(new URL("./testing/frozen/", import.meta.url)));
  assertEquals(kept.map(({ name }) => name).sort(), API_VERSIONS.map((date) => `api-${date}.js`));
});

Deno.test("a date that is not served is refused with what to do about it", async () => {
  await using bench = await makeBench("inline");
  const refusal = async (date: string) => {
    const source = dated(date, "p", {});
    const error = await assertRejects(() => bench.manager.install("p", source), PluginError);
    assertEquals([error.code, error.faults.length], ["invalid", 1]);
    return error.faults[0]!;
  };
  const newer = await refusal("2099-01-01");
  assert(newer.startsWith(`manifest.apiVersion: "2099-01-01" is newer than this program`), newer);
  assert(newer.includes("update the program, or name an earlier date"), newer);
  assertEquals(
    await refusal("2020-01-01"),
    `manifest.apiVersion: there is no host API of "2020-01-01": there are ${FIRST}`,
  );
  assertEquals(await refusal("latest"), `manifest.apiVersion: one of ${FIRST}`);
});

Deno.test("what a later date changed or brought is not seen by a plug-in of an earlier one", async () => {
  const first: HostFunction = () => "as it was";
  const capabilities = {
    t: {
      "t.same": () => "as ever",
      "t.changed": Object.assign(() => ({ text: "as it is now" }), { since: NEXT, before: first }),
      "t.brought": Object.assign(() => "new", { since: NEXT }),
    },
  };
  const options: Partial<PluginManagerOptions> = { capabilities, apiVersions: [FIRST, NEXT] };
  const run = `async (_, { t }) => ({
    names: Object.keys(t).sort(),
    same: await t.same(), changed: await t.changed(), brought: t.brought ? await t.brought() : "none",
  })`;
  await using bench = await makeBench("inline", {
    "old.js": dated(FIRST, "old", { RUN: run }, { capabilities: ["t"] }),
    "new.js": dated(NEXT, "new", { RUN: run }, { capabilities: ["t"] }),
  }, options);
  assertEquals(await bench.call("old", "RUN"), {
    names: ["changed", "same"],
    same: "as ever",
    changed: "as it was",
    brought: "none",
  });
  assertEquals(await bench.call("new", "RUN"), {
    names: ["brought", "changed", "same"],
    same: "as ever",
    changed: { text: "as it is now" },
    brought: "new",
  });
});

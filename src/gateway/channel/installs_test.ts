import { assertEquals } from "@std/assert";
import { silentLog, systemClock } from "../../base/mod.ts";
import { PluginResult } from "../../protocol/smart_gateway/mod.ts";
import { type InstallProgress, Installs } from "./installs.ts";

/** Installations whose package comes at once, and whose loading ends when it is told to. */
function bench() {
  const loading = Promise.withResolvers<void>(), loaded = Promise.withResolvers<void>();
  const told: InstallProgress[] = [], admitted: unknown[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("code"),
  );
  const ended = Promise.withResolvers<void>();
  const installs = new Installs({
    clock: systemClock,
    log: silentLog,
    onInstall: (progress) => {
      told.push(progress);
      if (progress.state !== "downloading" && progress.state !== "loading") ended.resolve();
    },
  }, {
    install: async () => {
      loading.resolve();
      await loaded.promise;
      return {} as never;
    },
    get: () => undefined,
  }, {
    admit: (_program, from) => {
      admitted.push(from);
      return Promise.resolve({} as never);
    },
  });
  const order = { pluginName: "p", version: "1.0", pluginSize: 0, os: 9 };
  const downloadUrl = `http://127.0.0.1:${server.addr.port}/p.js`;
  return {
    installs,
    told,
    admitted,
    order: { ...order, downloadUrl },
    loading: loading.promise,
    load: loaded,
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      loaded.resolve();
      await installs[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}

Deno.test("an installation that is being loaded can't be given up any more, and says so", async () => {
  await using t = bench();
  assertEquals(t.installs.begin(t.order), PluginResult.OK);
  await t.loading;
  assertEquals(t.installs.query("p", "1.0"), 90);
  assertEquals(t.installs.cancel("p", "1.0"), PluginResult.BUSY);
  t.load.resolve();
  await t.ended;
  assertEquals(t.installs.query("p", "1.0"), 100);
  assertEquals(t.told.map(({ state }) => state), ["downloading", "downloading", "loading", "installed"]);
  assertEquals(t.installs.cancel("p", "1.0"), PluginResult.ABSENT);
});

Deno.test("one that is given up as its last byte comes is not loaded", async () => {
  await using t = bench();
  t.installs.begin({ ...t.order, downloadUrl: "data:,x" }); // fails, and leaves its outcome
  await t.ended;
  assertEquals(t.installs.query("p", ""), PluginResult.INSTALL_FAILED);
  const installs = new Installs(
    {
      clock: systemClock,
      log: silentLog,
      fetcher: async (_url, _init, use) => {
        const result = await use(new Response("code"));
        assertEquals(installs.cancel("p", "1.0"), PluginResult.OK);
        return result;
      },
    },
    { install: () => Promise.reject(new Error("it was loaded")), get: () => undefined },
    { admit: () => Promise.reject(new Error("it was judged")) },
  );
  installs.begin(t.order);
  await installs[Symbol.asyncDispose]();
  assertEquals([installs.progress("p")?.state, installs.query("p", "1.0")], [
    "cancelled",
    PluginResult.GENERAL,
  ]);
});

Deno.test("what the platform sends needs the carrier's trust, and what an administrator sends the general one", async () => {
  for (const by of ["channel", "control"] as const) {
    await using t = bench();
    assertEquals(t.installs.begin({ ...t.order, by }), PluginResult.OK);
    assertEquals(t.installs.begin({ ...t.order, by }), PluginResult.OK, "the same again");
    const other = by === "channel" ? "control" : "channel";
    assertEquals(t.installs.begin({ ...t.order, by: other }), PluginResult.BUSY, "somebody else's");
    t.load.resolve();
    await t.ended;
    assertEquals(t.admitted, by === "channel" ? ["carrier"] : []);
  }
});

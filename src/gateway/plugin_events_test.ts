import { assert, assertEquals } from "@std/assert";
import { createLog, FakeClock, Metrics, seededRandom, silentLog, systemClock } from "../base/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "../control/mod.ts";
import { PluginOs, PluginResult } from "../protocol/smart_gateway/mod.ts";
import { until } from "../sandbox/testing/expect.ts";
import { makeBench, pluginSource } from "../sandbox/testing/fixture.ts";
import { Installs } from "./channel/mod.ts";
import type { InstallProgress } from "./channel/mod.ts";
import { pluginEventRoutes, PluginEvents } from "./plugin_events.ts";

const TOKEN = "administrator-of-the-test";

interface Heard {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A manager, its events, and readers of the stream. */
async function watched(files: Record<string, string>) {
  const events = new PluginEvents();
  const bench = await makeBench("inline", files, { onEvent: (event) => events.changed(event) });
  const deps = { clock: new FakeClock(), random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const api = new Api(deps, { title: "t", version: "1", authenticators: [tokenAuthenticator(TOKEN, ADMIN)] });
  api.mount("", pluginEventRoutes(deps, bench.manager, events));
  return {
    bench,
    events,
    ask: (query = "", token = TOKEN) =>
      api.request(`/api/v1/plugin-events${query}`, { headers: { authorization: `Bearer ${token}` } }),
    /** Everything heard so far, and a way to end. */
    async listen(query = "") {
      const heard: Heard[] = [], response = await this.ask(query);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const reading = (async () => {
        for (let next; !(next = await reader.read()).done;) {
          text += next.value;
          const parts = text.split("\n\n");
          text = parts.pop()!;
          for (const part of parts) {
            const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
            if (event !== undefined) heard.push({ event, data: JSON.parse(data!) });
          }
        }
      })();
      return {
        heard,
        async [Symbol.asyncDispose]() {
          await reader.cancel();
          await reading;
        },
      };
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

/** What was heard, short. */
const short = ({ event, data }: Heard) =>
  event === "install"
    ? `${data.plugin} ${data.state} ${data.percent}`
    : `${data.name} ${data.state ?? event}`;

Deno.test("a reader hears how all plug-ins are, then each change, and that one is gone", async () => {
  await using t = await watched({ "a.js": pluginSource("a", {}), "b.js": pluginSource("b", {}) });
  await using all = await t.listen();
  await using one = await t.listen("?plugin=b");
  await t.bench.manager.stop("a");
  await t.bench.manager.remove("b");
  await until(() => all.heard.some(({ event }) => event === "removed"));
  assertEquals(all.heard.map(short), [
    "a running",
    "b running",
    "a stopping",
    "a stopped",
    "b removed",
  ]);
  assertEquals(one.heard.map(short), ["b running", "b removed"]);
  assertEquals(all.heard[3]!.data["desired"], "stopped");
});

Deno.test("the log tells of a version that takes over from one that runs, and of nothing that it tells already", async () => {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string) => {
    const { time: _, level: __, ...line } = JSON.parse(text);
    lines.push(line);
  };
  const events = new PluginEvents(
    createLog({ level: "info", format: "json", clock: new FakeClock(), write }),
  );
  await using bench = await makeBench("inline", {}, { onEvent: (event) => events.changed(event) });
  const message = "plug-in was loaded anew";
  await bench.manager.install("p", pluginSource("p", {}));
  await bench.manager.install("p", pluginSource("p", {}, { version: "2.0" }));
  assertEquals(lines, [{ message, plugin: "p", version: "2.0", before: "1.0" }]);
  await bench.manager.install("p", "not a plug-in {").catch(() => {});
  await bench.manager.stop("p");
  await bench.manager.run("p");
  assertEquals(lines.length, 1);
  await bench.manager.rollBack("p");
  assertEquals(lines.slice(1), [{ message, plugin: "p", version: "1.0", before: "2.0" }]);
});

Deno.test("an installation by the control API is told with its end, also where it fails", async () => {
  await using t = await watched({});
  await using reader = await t.listen();
  const install = (source: string) =>
    t.events.during("p", "", () => t.bench.manager.install("p", source)).catch(() => {});
  await install("not a plug-in {");
  await install(pluginSource("p", {}));
  await until(() => reader.heard.some((one) => short(one) === "p installed 100"));
  assertEquals(reader.heard.map(short), [
    "p loading 90",
    "p failed 90",
    "p loading 90",
    "p running",
    "p installed 100",
  ]);
  assert(String(reader.heard[1]!.data["error"]).includes("SyntaxError"));
  assertEquals(t.events.installs(), []);
});

Deno.test("an installation over the channel is told by the percent of its download, also to who comes later", async () => {
  await using t = await watched({});
  const bytes = new TextEncoder().encode(pluginSource("p", {}, { head: `/*${"x".repeat(1000)}*/` }));
  const halfway = Promise.withResolvers<void>(), half = bytes.length >> 1;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(bytes.subarray(0, half)),
      async pull(controller) {
        await halfway.promise;
        controller.enqueue(bytes.subarray(half));
        controller.close();
      },
    });
    return new Response(body, { headers: { "content-length": String(bytes.length) } });
  });
  const onInstall = (progress: InstallProgress) => t.events.installing(progress);
  const trust = {
    admit: () =>
      Promise.resolve({ tier: "unsigned", key: undefined, check() {}, mayCall: () => true } as const),
  };
  await using installs = new Installs(
    { clock: systemClock, log: silentLog, onInstall },
    t.bench.manager,
    trust,
  );
  await using first = await t.listen();
  const request = {
    method: "Install",
    id: 1,
    pluginName: "p",
    version: "1.0",
    os: PluginOs.SCRIPT,
    downloadUrl: `http://127.0.0.1:${server.addr.port}/p.js`,
    pluginSize: bytes.length,
  } as unknown as Parameters<Installs["begin"]>[0];
  assertEquals(installs.begin(request), PluginResult.OK);
  const at = Math.floor(90 * half / bytes.length);
  await until(() => first.heard.some((one) => short(one) === `p downloading ${at}`));
  await using late = await t.listen();
  halfway.resolve();
  await until(() => late.heard.some((one) => short(one) === "p installed 100"));
  await server.shutdown();
  assertEquals(late.heard.map(short), [
    `p downloading ${at}`,
    "p downloading 90",
    "p loading 90",
    "p running",
    "p installed 100",
  ]);
  assertEquals(late.heard[0]!.data["by"], "channel");

  // One that fails: there is nothing to fetch any more.
  installs.begin({ ...request, pluginName: "q" });
  await until(() => late.heard.some(({ data }) => data["plugin"] === "q" && data["state"] === "failed"));
});

Deno.test("nobody hears anything without a token, and too many readers are turned away", async () => {
  await using t = await watched({});
  assertEquals((await t.ask("", "a-wrong-token")).status, 401);
  const open = [];
  for (let i = 0; i < 20; i++) open.push(await t.ask());
  assertEquals((await t.ask()).status, 429);
  for (const { body } of open) await body!.cancel();
  const again = await t.ask();
  assertEquals(again.status, 200);
  await again.body!.cancel();
});

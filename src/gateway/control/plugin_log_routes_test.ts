import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { ADMIN, Api, tokenAuthenticator } from "../../control/mod.ts";
import { makeBench, pluginSource } from "../../sandbox/testing/fixture.ts";
import { pluginLogRoutes } from "./plugin_log_routes.ts";

const TOKEN = "administrator-of-the-test";

Deno.test("a plug-in's log is read a page at a time, with the figures beside it", async () => {
  await using bench = await makeBench("inline", {
    "talker.js": pluginSource("talker", {
      SAY: "(request, host) => { host.log.warn(request.Text); return {}; }",
    }),
  });
  const api = new Api(
    { clock: new FakeClock(), random: seededRandom(1), log: silentLog, metrics: new Metrics() },
    { title: "test", version: "1", authenticators: [tokenAuthenticator(TOKEN, ADMIN)], checkReplies: true },
  );
  api.mount("", pluginLogRoutes(bench.manager));
  const ask = async (path: string, token = TOKEN) => {
    const response = await api.request(`/api/v1/plugins/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, body: await response.json() };
  };
  const texts = (body: { items: { text: string }[] }) => body.items.map(({ text }) => text);
  for (const Text of ["a", "b", "c"]) await bench.call("talker", "SAY", { Text });

  const { body: last } = await ask("talker/logs?limit=2");
  assertEquals(texts(last), ["b", "c"]);
  assertEquals((await ask(`talker/logs?after=${last.next}`)).body, { items: [], next: last.next });
  await bench.call("talker", "SAY", { Text: "d" });
  assertEquals(texts((await ask(`talker/logs?after=${last.next}`)).body), ["d"]);

  const { body } = await ask("talker");
  assertEquals([body.state, body.calls, body.figures.latency.count], ["running", 4, 4]);
  assertEquals((await ask("nobody")).status, 404);
  assertEquals((await ask("nobody/logs")).status, 404);
  for (const bad of ["?limit=0", "?limit=1001", "?limit=x", "?after=-1", "?to=1"]) {
    assertEquals((await ask(`talker/logs${bad}`)).status, 400, bad);
  }
  assertEquals((await ask("talker/logs", "a-wrong-token")).status, 401);
});

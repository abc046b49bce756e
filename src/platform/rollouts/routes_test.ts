import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { Api, tokenAuthenticator } from "../../control/mod.ts";
import { ROOT } from "../people/mod.ts";
import { type RolloutRouteParts, rolloutRoutes } from "./routes.ts";
import type { RolloutRow } from "./schema.ts";

Deno.test("a reader of a rollout whose every event is lost hears of changes all the same, also after an outage", async () => {
  const clock = new FakeClock(), deps = { clock, metrics: new Metrics(), log: silentLog };
  let status: RolloutRow["status"] = "draft", looks = 0, away = false;
  const row = {
    id: "r1",
    kind: "post",
    parameter: "{}",
    window: null,
    approved_at: null,
    start_at: null,
    started_at: null,
    finished_at: null,
    created_at: 0,
    created_by: "admin",
    total: 0,
  } as unknown as RolloutRow;
  const parts = {
    deps,
    store: {
      find() {
        looks++;
        return away ? Promise.reject(new Error("the database is away")) : Promise.resolve({ ...row, status });
      },
      stages: () => Promise.resolve([]),
      counts: () => Promise.resolve(new Map()),
    },
    bus: { subscribe: () => ({ [Symbol.dispose]() {} }) },
  } as unknown as RolloutRouteParts;
  const api = new Api({ ...deps, random: seededRandom(1) }, {
    title: "Test",
    version: "1",
    authenticators: [tokenAuthenticator("secret", ROOT)],
  });
  api.mount("", rolloutRoutes(parts));
  const response = await api.request("/api/v1/rollouts/r1/events", {
    headers: { authorization: "Bearer secret" },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const reading = (async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value;
  })();
  const told = () => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!).status);
  await clock.advance(60_000);
  assertEquals(told(), ["draft"]);
  assertEquals(looks <= 13, true, `${looks} looks in a minute`);
  away = true;
  await clock.advance(20_000);
  status = "running";
  away = false;
  await clock.advance(6_000);
  assertEquals(told(), ["draft", "running"]);
  await reader.cancel();
  await reading;
});

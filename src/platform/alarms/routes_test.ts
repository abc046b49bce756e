import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { Api, tokenAuthenticator } from "../../control/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { ROOT } from "../people/mod.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { Alarms, type Observation } from "./alarms.ts";
import { alarmRoutes } from "./routes.ts";
import { alarmMigrations, type AlarmTables } from "./schema.ts";

const MINUTE = 60_000;

Deno.test("a reader of alarms whose every event is lost is told all the same, and nothing twice", async () => {
  const clock = new FakeClock(), metrics = new Metrics(), deps = { clock, metrics, log: silentLog };
  await using db = await testDatabase<AlarmTables>(alarmMigrations);
  let seen: Observation[] = [];
  await using alarms = new Alarms({
    ...deps,
    sql: db.sql,
    bus: new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog),
    sources: { offline_share: { observe: () => seen } },
  });
  // Nothing of what is told gets to the routes.
  const bus = { subscribe: () => ({ [Symbol.dispose]() {} }) };
  const api = new Api({ ...deps, random: seededRandom(1) }, {
    title: "Test",
    version: "1",
    authenticators: [tokenAuthenticator("secret", ROOT)],
  });
  api.mount("", alarmRoutes({ ...deps, bus, alarms }));
  const response = await api.request("/api/v1/alarms/stream", {
    headers: { authorization: "Bearer secret" },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const reading = (async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value;
  })();
  const told = () =>
    [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, event, data]) => {
      const { subject, clearedAt, note } = JSON.parse(data!);
      return event === "ready" ? event : `${subject} ${clearedAt === null ? "raised" : "cleared"} ${note}`;
    });
  await clock.advance(MINUTE);
  assertEquals(told(), ["ready"]);
  seen = [{ subject: "north", value: 90, detail: "90 %" }];
  await clock.advance(3 * MINUTE);
  assertEquals(told(), ["ready", "north raised null"]);
  const [alarm] = await alarms.list({ state: "raised" }, 1);
  await alarms.acknowledge(alarm!.id, "admin", "on it");
  await clock.advance(MINUTE);
  seen = [];
  await clock.advance(3 * MINUTE);
  assertEquals(told(), ["ready", "north raised null", "north raised on it", "north cleared on it"]);
  await reader.cancel();
  await reading;
});

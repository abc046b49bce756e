import { assert, assertEquals } from "@std/assert";
import { seededRandom, silentLog } from "../../base/mod.ts";
import { Api, tokenAuthenticator } from "../../control/mod.ts";
import { CODE, SP, Stage } from "./testing_stage.ts";

type Item = Record<string, unknown>;

/** Asks as somebody who may read what messages say. */
async function ask(stage: Stage, method: string, path: string, body?: unknown) {
  const api = new Api(
    { clock: stage.clock, log: silentLog, metrics: stage.metrics, random: seededRandom(1) },
    {
      title: "Test",
      version: "1",
      authenticators: [
        tokenAuthenticator("reader", { kind: "operator", id: "r", name: "r", permissions: ["sms:content"] }),
      ],
      audit: () => Promise.resolve(),
      checkReplies: true,
    },
  );
  api.mount("", stage.sms.routes);
  const response = await api.request(path, {
    method,
    headers: { authorization: "Bearer reader", "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const listed = async (stage: Stage, query = "") =>
  (await stage.call("GET", `/api/v1/sms/received${query}`)).body.items as Item[];

Deno.test("what a phone wrote is listed with where it stands, also once its provider has it, until its retention ends", async () => {
  await using stage = await Stage.open({ settings: { retentionMs: 1_000_000, responseMs: 2_000 } });
  const write = async (from: string, text: string) => {
    await stage.call("POST", "/api/v1/sms/simulator/mo", { from, to: `${CODE}12`, text });
    await stage.settle();
  };
  await write("13800138000", "taken");
  const provider = await stage.connect();
  await stage.settle();
  provider.answers = 8;
  await write("13800138001", "refused");
  for (let i = 0; i < 5; i++) {
    await stage.clock.advance(2_000);
    await stage.settle();
  }
  provider.connection.close();
  await stage.settle();
  await write("13800138002", "waiting");
  const shown = (items: Item[]) => items.map(({ source, state, result }) => [source, state, result]);
  assertEquals(shown(await listed(stage)), [
    ["13800138002", "waiting", null],
    ["13800138001", "failed", 8],
    ["13800138000", "delivered", 0],
  ]);
  assertEquals(shown(await listed(stage, "?state=waiting")), [["13800138002", "waiting", null]]);
  assertEquals(shown(await listed(stage, "?source=13800138000")), [["13800138000", "delivered", 0]]);
  assertEquals(await listed(stage, "?spId=900002"), []);
  const [first] = await listed(stage, "?limit=1");
  assertEquals([first!.spId, first!.destination, first!.doneAt], [SP, `${CODE}12`, null]);
  const { next } = (await stage.call("GET", "/api/v1/sms/received?limit=1")).body;
  assertEquals(shown(await listed(stage, `?limit=5&cursor=${next}`)).length, 2);
  // A restart goes on behind the ids of what is kept, though nothing waits.
  await stage.connect();
  await stage.settle();
  assertEquals((await stage.call("GET", "/api/v1/sms/queues")).body, { items: [] });
  await stage.stop();
  await stage.start();
  await write("13800138003", "waiting too");
  assertEquals((await listed(stage)).length, 4);
  await stage.clock.advance(3_601_000);
  assertEquals(shown(await listed(stage)), [["13800138003", "waiting", null]]);
});

Deno.test("what it says is read and searched with the right to it only", async () => {
  await using stage = await Stage.open();
  for (const text of ["Stop it", "请退订"]) {
    await stage.call("POST", "/api/v1/sms/simulator/mo", { from: "13800138000", to: CODE, text });
  }
  await stage.settle();
  const items = await listed(stage);
  assert(!JSON.stringify(items).includes("top it"));
  const path = `/api/v1/sms/received/${items[0]!.id}`;
  assertEquals((await ask(stage, "GET", path)).body.text, "请退订");
  assertEquals((await ask(stage, "GET", "/api/v1/sms/received/99")).status, 404);
  assertEquals((await stage.call("GET", path)).status, 403);
  const search = async (text: string) =>
    (await ask(stage, "POST", "/api/v1/sms/received/search", { text })).body.items.map(({ text }: Item) =>
      text
    );
  assertEquals(await search("STOP"), ["Stop it"]);
  assertEquals(await search("退订"), ["请退订"]);
  assertEquals((await stage.call("POST", "/api/v1/sms/received/search", { text: "x" })).status, 403);
  // One that can't be opened is not found, and hides no other.
  await stage.db.sql.updateTable("sms_received_text").set({ pdu: new Uint8Array(40) })
    .where("id", "=", Number(items[0]!.id)).execute();
  assertEquals([await search("退订"), await search("stop")], [[], ["Stop it"]]);
});

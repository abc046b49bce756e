import { assertEquals } from "@std/assert";
import { MAC, Stage } from "./testing_stage.ts";

/** Reads events of the connection's stream. */
async function connection(stage: Stage, token: string) {
  const response = await stage.api.request(`/app/v1/gateways/${MAC}/connection/stream`, {
    headers: { authorization: `Bearer ${token}` },
  }, { address: "10.0.0.1" });
  assertEquals(response.status, 200);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async next() {
      for (;;) {
        const event = /^event: (\w+)\ndata: (.*)\n\n/m.exec(text);
        if (event) {
          text = text.slice(event.index + event[0].length);
          return [event[1], JSON.parse(event[2]!)];
        }
        const { value, done } = await reader.read();
        if (done) throw new Error("the stream ended");
        text += value;
      }
    },
    cancel: () => reader.cancel(),
  };
}

Deno.test("an app is told how connecting goes on, to its success and to its failure, without polling", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const live = await connection(stage, token);
  assertEquals(await live.next(), ["connection", { state: "idle", online: true }]);
  await stage.call("POST", `/gateways/${MAC}/connect`, token);
  assertEquals(await live.next(), ["connection", { state: "connecting", online: true }]);
  stage.bus.publish("channel.opened", { mac: MAC });
  assertEquals(await live.next(), ["connection", { state: "connected", online: true }]);
  stage.bus.publish("channel.closed", { mac: MAC, reason: "test" });
  assertEquals((await live.next())[1].state, "connecting");
  for (let i = 0; i < 12; i++) {
    await stage.clock.advance(5000);
    stage.presence.beat(MAC, "100.64.0.9", 9);
  }
  const [, failed] = await live.next();
  assertEquals([failed.state, failed.reason.code], ["failed", "timed_out"]);
  await stage.call("DELETE", `/bindings/${MAC}`, token);
  await stage.clock.advance(31_000);
  assertEquals(await live.next(), ["end", { reason: "unauthorized" }]);
});

Deno.test("an app learns which commands of a gateway's plug-ins are for the LAN and which for the platform", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const { sql } = stage.db, path = `/gateways/${MAC}/capabilities`;
  assertEquals((await stage.call("GET", path, token)).body, { items: [] });
  const commands = { QUERY_CPU_INFO: { right: "remote" }, CHECK_PASSWD_PARAM: { right: "local" }, BOTH: {} };
  await sql.insertInto("plugin").values({
    name: "system-monitor",
    version: "1.0",
    size: 1,
    sha256: "00",
    manifest: JSON.stringify({ commands }),
    uploaded_at: 0,
    uploaded_by: "admin",
    format: "script",
    signed_by: "[]",
    content_digest: null,
    signatures: null,
    channel: "stable",
    channel_at: 0,
    channel_by: "",
    notes: "",
  }).execute();
  for (const [name, version] of [["system-monitor", "1.0"], ["unknown", "2.0"]] as const) {
    const seen = { mac: MAC, name, version, running: 1, seen_at: 0 };
    await stage.db.tables<{ gateway_plugin: typeof seen }>().insertInto("gateway_plugin").values(seen)
      .execute();
  }
  assertEquals((await stage.call("GET", path, token)).body.items, [
    {
      plugin: "system-monitor",
      version: "1.0",
      running: true,
      commands: [
        { cmdType: "QUERY_CPU_INFO", right: "remote" },
        { cmdType: "CHECK_PASSWD_PARAM", right: "local" },
        { cmdType: "BOTH", right: "both" },
      ],
    },
    { plugin: "unknown", version: "2.0", running: true, commands: null },
  ]);
});

import { assert, assertEquals } from "@std/assert";
import { encodeBase64 } from "@std/encoding";
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import { PushStore } from "../push/store.ts";
import type { PushTables } from "../push/mod.ts";
import { LOID, MAC, NEXT, OTHER, SN, Stage } from "./testing_stage.ts";

/** Keeps a message as the push service does. */
async function pushed(stage: Stage, text: string, mac = MAC, plugin = "p"): Promise<void> {
  const store = new PushStore(stage.db.tables<PushTables>());
  const row = {
    id: crypto.randomUUID(),
    mac,
    plugin,
    time: "20260101000000",
    message: encodeBase64(text),
    md5: `${mac} ${text}`,
    received_at: stage.clock.now(),
  };
  await store.add(row, (seq) => stage.bus.publish("message.pushed", { mac, id: row.id, plugin, seq }));
}

const texts = (body: { items: { text: string }[] }) => body.items.map(({ text }) => text);

/** A stream that is being read. */
async function stream(stage: Stage, token: string, query = "", lastEventId?: string) {
  const response = await stage.api.request(`/app/v1/gateways/${MAC}/messages/stream${query}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
  }, { address: "10.0.0.1" });
  if (response.status !== 200) {
    return {
      status: response.status,
      next: () => Promise.reject(),
      cancel: () => {},
    };
  }
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    status: 200,
    /** The next event: kind, id, data. */
    async next() {
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end >= 0) {
          const event = text.slice(0, end);
          text = text.slice(end + 2);
          const kind = /^event: (.*)$/m.exec(event)?.[1];
          if (kind === undefined) continue; // a comment, or the time to come back after
          return {
            kind,
            id: /^id: (.*)$/m.exec(event)?.[1],
            data: JSON.parse(/^data: (.*)$/m.exec(event)![1]!),
          };
        }
        const { value, done } = await reader.read();
        if (done) throw new Error("the stream ended");
        text += value;
      }
    },
    cancel: () => reader.cancel(),
  };
}

Deno.test("a user reads the messages of their own gateway, a page at a time, and of one plug-in", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  await stage.clock.advance(1);
  for (let i = 0; i < 5; i++) await pushed(stage, `m${i}`, MAC, i === 3 ? "q" : "p");
  const first = await stage.call("GET", `/gateways/${MAC}/messages?limit=3`, token);
  assertEquals(texts(first.body), ["m4", "m3", "m2"]);
  const second = await stage.call(
    "GET",
    `/gateways/${MAC}/messages?limit=3&cursor=${first.body.next}`,
    token,
  );
  assertEquals([texts(second.body), second.body.next], [["m1", "m0"], undefined]);
  assertEquals(texts((await stage.call("GET", `/gateways/${MAC}/messages?plugin=q`, token)).body), ["m3"]);
});

Deno.test("nobody reads another's messages: not of another's gateway, not those from before it was theirs", async () => {
  await using stage = await Stage.open();
  const [li, ann] = [await stage.user("li.wei"), await stage.user("ann.lee")];
  await stage.bind(li);
  await stage.clock.advance(1);
  await pushed(stage, "li's secret");
  await pushed(stage, "nobody's", OTHER);
  const paths = [MAC, OTHER, "64D954FFFFFF"].flatMap((mac) => [
    `/gateways/${mac}/messages`,
    `/gateways/${mac}/messages/stream?after=0`,
  ]);
  for (const path of paths) {
    const answer = await stage.call("GET", path, ann);
    assertEquals([answer.status, answer.body.code], [404, "gateway_not_found"], path);
    assertEquals((await stage.call("GET", path)).status, 401, path);
  }
  await stage.call("DELETE", `/bindings/${MAC}`, li);
  await stage.clock.advance(1);
  stage.register(MAC, SN, LOID, NEXT);
  assertEquals((await stage.bind(ann, bindingSn(NEXT, SN))).status, 201);
  await stage.clock.advance(1);
  assertEquals((await stage.call("GET", `/gateways/${MAC}/messages`, li)).status, 404);
  assertEquals(texts((await stage.call("GET", `/gateways/${MAC}/messages`, ann)).body), []);
  const all = await stream(stage, ann, "?after=0");
  assertEquals((await all.next()).kind, "ready");
  await pushed(stage, "ann's");
  assertEquals((await all.next()).data.text, "ann's");
  all.cancel();
});

Deno.test("a stream ends before anything of a gateway that was given up, even if it is the user's again", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const live = await stream(stage, token);
  await live.next();
  await stage.clock.advance(1);
  await pushed(stage, "mine");
  const { id, data } = await live.next();
  assertEquals(data.text, "mine");
  await stage.call("DELETE", `/bindings/${MAC}`, token);
  await stage.clock.advance(1);
  stage.register(MAC, SN, LOID, NEXT);
  assertEquals((await stage.bind(token, bindingSn(NEXT, SN))).status, 201);
  await stage.clock.advance(1);
  await pushed(stage, "of the new binding");
  assertEquals(await live.next(), { kind: "end", id: undefined, data: { reason: "unauthorized" } });
  const again = await stream(stage, token, "", id);
  assertEquals([(await again.next()).kind, (await again.next()).data.text], ["ready", "of the new binding"]);
  again.cancel();
});

Deno.test("a stream ends when the user signs out, and when the gateway is another's, though nothing comes", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei"), second = (await stage.signIn("li.wei")).body.token;
  await stage.bind(token);
  const [one, two] = [await stream(stage, token), await stream(stage, second)];
  await one.next();
  await two.next();
  await stage.call("DELETE", "/sessions/current", token);
  const ended = one.next();
  await stage.clock.advance(31_000);
  assertEquals((await ended).data, { reason: "unauthorized" });
  await stage.call("DELETE", `/bindings/${MAC}`, second);
  const given = two.next();
  await stage.clock.advance(31_000);
  assertEquals((await given).data, { reason: "unauthorized" });
});

Deno.test("one user has eight streams, and a place that was never given out is no way in", async () => {
  await using stage = await Stage.open();
  const token = await stage.user("li.wei");
  await stage.bind(token);
  const open = [];
  for (let i = 0; i < 8; i++) open.push(await stream(stage, token));
  assertEquals((await stream(stage, token)).status, 429);
  for (const one of open) one.cancel();
  assertEquals((await stream(stage, token, "", "1;drop")).status, 400);
  assertEquals((await stream(stage, token, "?after=-1")).status, 400);
  const far = await stream(stage, token, "", "999999999999999");
  await far.next();
  await stage.clock.advance(1);
  await pushed(stage, "still heard");
  const heard = await far.next();
  assert(heard.data.text === "still heard" && Number(heard.id) < 1000);
  far.cancel();
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, silentLog, type Timer } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import { EventStreams } from "../../control/mod.ts";
import { Metrics } from "../../base/mod.ts";
import { openDatabase } from "../../storage/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { MessageFeed } from "./feed.ts";
import { KeyedVolume } from "./keyed_volume.ts";
import { PushedMessages, pushMigrations, type PushTables } from "./mod.ts";
import { keepTidy } from "./retention.ts";
import { type MessageFilter, PushStore } from "./store.ts";

const A = "64D954000001", B = "64D954000002";

const row = (n: number | string, mac = A, plugin = "p", received_at = 0) => ({
  id: crypto.randomUUID(),
  mac,
  plugin,
  time: "20260101000000",
  message: btoa(String(n)),
  md5: `${mac} ${n}`,
  received_at,
});

async function open() {
  const db = await testDatabase<PushTables>(pushMigrations);
  return { db, store: new PushStore(db.sql) };
}

const said = ({ message }: { message: string }) => atob(message);

Deno.test("messages have places in the order in which they were written, and a repeat has none", async () => {
  const { db, store } = await open();
  const places: number[] = [];
  await Promise.all(Array.from({ length: 50 }, (_, n) => store.add(row(n % 40), (seq) => places.push(seq))));
  await store.add(row("later"), (seq) => places.push(seq));
  assertEquals(places.length, 41);
  assert(places.every((place, i) => i === 0 || place > places[i - 1]!));
  assertEquals(await store.latest(), places.at(-1)!);
  const all = await store.between({}, 0, await store.latest(), 100);
  assertEquals(all.map(said), [...Array.from({ length: 40 }, (_, n) => String(n)), "later"]);
  assertEquals((await store.list({}, 3)).map(said), ["later", "39", "38"]);
  await db[Symbol.asyncDispose]();
});

Deno.test("messages of before there were places get theirs by age", async () => {
  const { "2026-11-22-push": first } = pushMigrations;
  const dir = await Deno.makeTempDir();
  const url = `sqlite:${dir}/p.db`;
  const old = await openDatabase<PushTables>(url, { "2026-11-22-push": first! });
  for (const n of [3, 1, 2]) {
    await old.sql.insertInto("push_message").values({ ...row(n), id: `id-${n}` } as never).execute();
  }
  await old[Symbol.asyncDispose]();
  const db = await openDatabase<PushTables>(url, pushMigrations), store = new PushStore(db.sql);
  await store.add(row(4), () => {});
  const all = await store.between({}, 0, 100, 100);
  assertEquals(all.map((one) => [said(one), one.seq]), [["1", 1], ["2", 2], ["3", 3], ["4", 4]]);
  await db[Symbol.asyncDispose]();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("old messages go, and those that a gateway has too many of, a little at a time", async () => {
  const { db, store } = await open(), clock = new FakeClock();
  const now = clock.now(), day = 86_400_000;
  const add = (n: number, mac: string, age: number) =>
    store.add(row(`${n} ${age}`, mac, "p", now - age * day), () => {});
  await Promise.all(Array.from({ length: 1200 }, (_, n) => add(n, A, 31)));
  await Promise.all(Array.from({ length: 30 }, (_, n) => add(n, A, 29)));
  await Promise.all(Array.from({ length: 700 }, (_, n) => add(n, B, 1)));
  let pieces = 0;
  const counted = {
    forgetBefore: (time: number) => (pieces++, store.forgetBefore(time)),
    crowded: (keep: number) => store.crowded(keep),
    forgetBeyond: (mac: string, keep: number) => (pieces++, store.forgetBeyond(mac, keep)),
  };
  const tidy = keepTidy({ clock, log: silentLog }, counted, { keepMs: 30 * day, keepPerGateway: 100 });
  await clock.advance(3_600_000 + 10_000);
  assertEquals((await store.list({ macs: [A] }, 9999)).length, 30);
  const left = await store.list({ macs: [B] }, 9999);
  assertEquals([left.length, said(left[0]!), said(left.at(-1)!)], [100, "699 1", "600 1"]);
  assertEquals(pieces, 3 + 1 + 2 + 1);
  await tidy[Symbol.asyncDispose]();
  assertEquals(clock.pendingTimers, 0);
  await db[Symbol.asyncDispose]();
});

Deno.test("tidying up goes on after the database was away", async () => {
  const clock = new FakeClock();
  let tries = 0;
  const tidy = keepTidy({ clock, log: silentLog }, {
    forgetBefore: () => ++tries === 1 ? Promise.reject(new Error("away")) : Promise.resolve(0),
    crowded: () => Promise.resolve([]),
    forgetBeyond: () => Promise.resolve(0),
  }, { keepMs: 1, keepPerGateway: 1 });
  await clock.advance(2 * 3_600_000 + 1);
  assertEquals(tries, 2);
  await tidy[Symbol.asyncDispose]();
});

Deno.test("what a gateway sends an hour is bounded, each by itself", async () => {
  const clock = new FakeClock(), volume = new KeyedVolume(clock, 100, 3_600_000);
  assertEquals([volume.take(A, 60), volume.take(A, 60), volume.take(A, 40), volume.take(B, 100)], [
    true,
    false,
    true,
    true,
  ]);
  assertEquals(volume.take(B, 1), false);
  await clock.advance(3_600_000);
  assertEquals(volume.take(B, 100), true);
});

/** Streams over a database, as the routes make them. */
async function stage() {
  const { db, store } = await open(), clock = new FakeClock();
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog);
  const deps = { clock, log: silentLog, bus, metrics: new Metrics() };
  const messages = new PushedMessages(deps, db.sql);
  const streams = new EventStreams(deps, { name: "test", heartbeatMs: 1e9 });
  const add = (n: number | string, mac = A, plugin = "p", tell = true) => {
    const one = row(n, mac, plugin, clock.now());
    return store.add(one, (seq) => tell && bus.publish("message.pushed", { mac, id: one.id, plugin, seq }));
  };
  const listen = (filter: MessageFilter, last?: string, after?: number, max = Infinity) => {
    const headers = { ...(last === undefined ? {} : { "last-event-id": last }) };
    const stop = new AbortController();
    const request = new Request("http://x/", { headers });
    const { response } = streams.open({
      request,
      signal: stop.signal,
      principal: undefined,
      log: silentLog,
      authorized: () => Promise.resolve(true),
    }, messages.following(filter, request, after));
    const heard: string[] = [];
    const ids: string[] = [];
    const done = (async () => {
      let text = "";
      for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
        text += piece;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const event = text.slice(0, end);
          text = text.slice(end + 2);
          const id = /^id: (.*)$/m.exec(event)?.[1];
          if (id !== undefined) ids.push(id);
          if (/^event: message$/m.test(event)) heard.push(JSON.parse(/^data: (.*)$/m.exec(event)![1]!).text);
          if (heard.length >= max) return;
        }
      }
    })();
    return { heard, ids, done, stop: () => stop.abort() };
  };
  return {
    clock,
    add,
    listen,
    deps,
    store,
    async [Symbol.asyncDispose]() {
      messages[Symbol.dispose]();
      await store.flush();
      await db[Symbol.asyncDispose]();
    },
  };
}

/** Lets promises and streams go on until `done`. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    if (i > 5000) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("a reader that comes and goes hears every message once, whatever is written meanwhile", async () => {
  await using s = await stage();
  const heard: string[] = [];
  let last = "0", written = 0;
  const writing = (async () => {
    for (; written < 400; written++) {
      await s.add(written, written % 3 ? A : B);
      if (written % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  })();
  for (let visit = 1; heard.length < 400; visit++) {
    const reader = s.listen({}, last, undefined, visit * 5);
    await reader.done;
    reader.stop();
    heard.push(...reader.heard);
    last = reader.ids.at(-1)!;
    if (visit * 5 + heard.length > 400) {
      const rest = s.listen({}, last);
      await until(() => heard.length + rest.heard.length >= 400);
      rest.stop();
      await rest.done;
      heard.push(...rest.heard);
    }
  }
  await writing;
  assertEquals(heard, Array.from({ length: 400 }, (_, n) => String(n)));
});

Deno.test("a reader hears of the gateways and the plug-in that it asked for, from now on if it says no more", async () => {
  await using s = await stage();
  await s.add("before");
  const [a, ab, q, all] = [
    s.listen({ macs: [A] }),
    s.listen({ macs: [A, B] }),
    s.listen({ plugin: "q" }),
    s.listen({}, undefined, 0),
  ];
  await until(() => [a, ab, q, all].every(({ ids }) => ids.length > 0));
  await s.add("a-p", A, "p");
  await s.add("b-q", B, "q");
  await s.add("c-q", "64D954000003", "q");
  await until(() =>
    all.heard.length === 4 && q.heard.length === 2 && ab.heard.length === 2 && a.heard.length === 1
  );
  assertEquals([a.heard, ab.heard, q.heard, all.heard], [
    ["a-p"],
    ["a-p", "b-q"],
    ["b-q", "c-q"],
    ["before", "a-p", "b-q", "c-q"],
  ]);
  for (const one of [a, ab, q, all]) one.stop();
});

Deno.test("messages that another node kept are found by looking", async () => {
  await using s = await stage();
  const reader = s.listen({});
  await until(() => reader.ids.length > 0);
  await s.add("silent", A, "p", false);
  await s.clock.advance(2000);
  await until(() => reader.heard.length === 1);
  reader.stop();
  await reader.done;
});

Deno.test("nobody looks while nobody reads", async () => {
  await using s = await stage();
  const timers = new Set<Timer>();
  const clock = {
    now: () => 0,
    monotonic: () => 0,
    setTimer: () => {
      const timer: Timer = { cancel: () => void timers.delete(timer) };
      timers.add(timer);
      return timer;
    },
  };
  const feed = new MessageFeed({ ...s.deps, clock }, s.store);
  const ended = Promise.withResolvers<void>();
  const stop = new AbortController();
  const reader = {
    lastEventId: undefined,
    signal: stop.signal,
    ended: ended.promise,
    send: () => Promise.resolve(true),
    push: () => true,
    end: () => {},
  };
  const following = feed.follow(reader, { filter: {}, from: undefined, view: (one) => one });
  await until(() => timers.size === 1);
  stop.abort();
  ended.resolve();
  await following;
  assertEquals(timers.size, 0);
  feed[Symbol.dispose]();
});

Deno.test("a database that fails ends the stream and says so", async () => {
  await using s = await stage();
  const feed = new MessageFeed(s.deps, {
    latest: () => Promise.reject(new Error("away")),
    between: () => Promise.resolve([]),
  });
  const ended = new Promise<void>(() => {});
  const reader = {
    lastEventId: undefined,
    signal: new AbortController().signal,
    ended,
    send: () => Promise.resolve(true),
    push: () => true,
    end: () => {},
  };
  await assertRejects(() => feed.follow(reader, { filter: {}, from: 0, view: (one) => one }), Error, "away");
  feed[Symbol.dispose]();
});

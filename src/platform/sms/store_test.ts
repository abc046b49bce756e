import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CompiledQuery } from "kysely";
import { seededRandom } from "../../base/mod.ts";
import { type Database, openDatabase } from "../../storage/mod.ts";
import type { Change } from "./change.ts";
import { type MessageRow, type OutboxRow, smsMigrations, type SmsTables } from "./schema.ts";
import { Seal } from "../credentials/mod.ts";
import { makeDatabase, testDatabase } from "../../storage/testing.ts";
import { SmsStore } from "./store.ts";

const KEY = new Uint8Array(32).fill(7), DAY = "20261123";
const seal = () => new Seal(KEY, seededRandom(5));

function message(n: number, changes: Partial<MessageRow> = {}): MessageRow {
  return {
    msg_id: n.toString(16).padStart(16, "0"),
    sp_id: "900001",
    service_id: "TEST",
    destination: `1380013${n}`,
    state: "waiting",
    stat: null,
    submitted_at: 1000 + n,
    due_at: 1000 + n,
    expires_at: 9_000_000,
    done_at: null,
    outlet_ref: null,
    pdu: new TextEncoder().encode(`what message ${n} says`),
    ...changes,
  };
}

function item(id: number): OutboxRow {
  return {
    id,
    sp_id: "900001",
    service_id: "TEST",
    kind: "report",
    created_at: 2000 + id,
    pdu: new TextEncoder().encode(`report ${id}`),
  };
}

const ended = (n: number, outbox?: OutboxRow): Change => ({
  moved: { msgId: message(n).msg_id, state: "delivered", stat: "DELIVRD", at: 5000 + n },
  count: { day: DAY, sp_id: "900001", service_id: "TEST", mt_sent: 1 },
  ...(outbox ? { outbox } : {}),
});
const kept = (n: number, changes: Partial<MessageRow> = {}): Change => ({
  messages: [message(n, changes)],
  count: { day: DAY, sp_id: "900001", service_id: "TEST", mt_messages: 1, mt_users: 1 },
});

/** A new database: on the server, where `GATEHOUSE_TEST_POSTGRES` gives the beginning of names. */
async function newUrl(): Promise<string> {
  const prefix = Deno.env.get("GATEHOUSE_TEST_POSTGRES");
  return prefix
    ? await makeDatabase(`${prefix}store_${crypto.randomUUID().slice(0, 8)}`)
    : `sqlite:${await Deno.makeTempDir()}/sms.db`;
}

async function database(): Promise<Database<SmsTables>> {
  return await testDatabase<SmsTables>(smsMigrations);
}

/** Everything that can be seen of a store. */
async function seen(store: SmsStore) {
  return {
    messages: await store.listWhole({}, 100),
    // The server's library gives buffers.
    outbox: (await store.outboxOf("900001", 0, 100)).map((row) => ({ ...row, pdu: new Uint8Array(row.pdu) })),
    counters: await store.counters(DAY, "900001"),
  };
}

Deno.test("what was written is seen, whichever of it is in the tables already", async () => {
  await using db = await database();
  const store = await SmsStore.open(db.sql, seal());
  await store.write(kept(1));
  await store.write(kept(2));
  await store.list({}, 10); // brings the tables up to date
  await Promise.all([store.write(ended(1, item(1))), store.write(kept(3))]);
  await store.write(ended(3, item(2)));
  await store.write({ taken: { spId: "900001", id: 2 } });
  assertEquals((await store.message(message(1).msg_id))?.state, "delivered");
  const { messages, outbox, counters } = await seen(store);
  assertEquals(messages.map(({ msg_id, state, stat, done_at }) => [Number(msg_id), state, stat, done_at]), [
    [3, "delivered", "DELIVRD", 5003],
    [2, "waiting", null, null],
    [1, "delivered", "DELIVRD", 5001],
  ]);
  assertEquals(messages.map(({ pdu }) => new TextDecoder().decode(pdu)), [
    "what message 3 says",
    "what message 2 says",
    "what message 1 says",
  ]);
  assertEquals(outbox, [item(1)]);
  assertEquals([counters.mt_messages, counters.mt_users, counters.mt_sent], [3, 3, 2]);
  await store.write({ taken: { spId: "900001", id: 1 } });
  assertEquals(await store.outboxOf("900001", 0, 10), []);
});

Deno.test("a start takes up what the tables had not got yet, each thing once, wherever the end came", async () => {
  // The same changes, ended after each one; `upTo` says how far the tables had come.
  const changes: Change[] = [
    kept(1),
    kept(2, { state: "scheduled", due_at: 900_000 }),
    ended(1, item(1)),
    { taken: { spId: "900001", id: 1 } },
    { moved: { msgId: message(2).msg_id, state: "sent", stat: null, at: null, ref: "ref-2" } },
    ended(2, item(2)),
    kept(3),
  ];
  // On the server each needs two databases, which take their time to make: fewer of them.
  const step = Deno.env.has("GATEHOUSE_TEST_POSTGRES") ? 3 : 1;
  for (let end = 1; end <= changes.length; end += step) {
    for (let upTo = 0; upTo <= end; upTo += step) {
      await using db = await database();
      const first = await SmsStore.open(db.sql, seal());
      await using plain = await database();
      const other = await SmsStore.open(plain.sql, seal());
      for (const [i, change] of changes.slice(0, end).entries()) {
        await first.write(change);
        if (i + 1 === upTo) await first.list({}, 1);
        await other.write(change);
        await other.list({}, 1); // always up to date
      }
      const again = await SmsStore.open(db.sql, seal()); // the first one never came to tidy up
      assertEquals(await seen(again), await seen(other), `ended after ${end}, tables as of ${upTo}`);
      assertEquals(again.behind, 0);
      assertEquals(await db.sql.selectFrom("sms_journal").selectAll().execute(), []);
    }
  }
});

Deno.test("the tables stay some thousand records behind, and no further", async () => {
  await using db = await database();
  const store = await SmsStore.open(db.sql, seal());
  for (let round = 0; round < 40; round++) {
    await Promise.all(Array.from({ length: 250 }, (_, i) => store.write(kept(round * 1000 + i))));
    await Promise.all(Array.from({ length: 250 }, (_, i) => store.write(ended(round * 1000 + i))));
  }
  assert(store.behind > 10_000 && store.behind < 18_000, String(store.behind));
  const { mt_messages, mt_sent } = await store.counters(DAY, "900001");
  assertEquals([mt_messages, mt_sent, store.behind], [10_000, 10_000, 0]);
});

Deno.test("a transaction that fails tells its own writers, and leaves nothing behind in memory", async () => {
  await using db = await database();
  const store = await SmsStore.open(db.sql, seal());
  await store.write(kept(1));
  const broken = { ...kept(2), also: () => Promise.reject(new Error("disk full")) };
  await assertRejects(() => store.write(broken), Error, "disk full");
  assertEquals(await store.message(message(2).msg_id), undefined);
  await store.write(kept(3));
  assertEquals((await store.list({}, 10)).map(({ msg_id }) => Number(msg_id)), [3, 1]);
  const again = await SmsStore.open(db.sql, seal());
  assertEquals((await again.list({}, 10)).length, 2);
});

Deno.test({
  name: "what is asked for again and again is found by an index, however many messages have ended",
  ignore: Deno.env.has("GATEHOUSE_TEST_POSTGRES"), // it says how only once there are many
  async fn() {
    await using db = await database();
    const store = await SmsStore.open(db.sql, seal()),
      executor = db.sql.getExecutor(),
      asked: CompiledQuery[] = [];
    const original = executor.executeQuery.bind(executor);
    executor.executeQuery = (query) => {
      asked.push(query);
      return original(query);
    };
    await store.due("waiting", 1, message(1));
    await store.nextDue();
    await store.expired(1, message(1));
    await store.takenAs(["ff", "255"]);
    executor.executeQuery = original;
    assertEquals(asked.length, 4);
    for (const query of asked) {
      const { rows } = await db.sql.executeQuery<{ detail: string }>({
        ...query,
        sql: `explain query plan ${query.sql}`,
      });
      const plan = rows.map(({ detail }) => detail).join("; ");
      assert(
        /USING (COVERING )?INDEX sms_message_/.test(plan) && !plan.includes("SCAN"),
        `${query.sql}: ${plan}`,
      );
    }
  },
});

Deno.test("what messages say goes when they are forgotten, and stays while one of them is under way", async () => {
  await using db = await database();
  const store = await SmsStore.open(db.sql, seal());
  await store.write(kept(1));
  await store.write({ messages: [message(2), message(3)] });
  await store.write(ended(1));
  await store.write(ended(2));
  const contents = async () => (await db.sql.selectFrom("sms_content").select("id").execute()).length;
  assertEquals(await contents(), 2);
  assertEquals(await store.forget(1_000_000), 2);
  assertEquals(await contents(), 1);
  assertEquals((await store.listWhole({}, 10)).map(({ pdu }) => new TextDecoder().decode(pdu)), [
    "what message 3 says",
  ]);
  await store.write(ended(3));
  await store.forget(1_000_000);
  assertEquals(await contents(), 0);
});

Deno.test("messages of before there was a journal are kept with what they say", async () => {
  const { "2026-11-22-short-messages": before } = smsMigrations;
  const url = await newUrl();
  {
    await using old = await openDatabase<Record<string, Record<string, unknown>>>(url, {
      "2026-11-22-short-messages": before!,
    });
    await old.sql.insertInto("sms_message").values({ ...message(1), pdu: seal().seal(message(1).pdu) })
      .execute();
  }
  await using db = await openDatabase<SmsTables>(url, smsMigrations);
  const store = await SmsStore.open(db.sql, seal());
  assertEquals(await store.due("waiting", 1e12), [message(1)]);
});

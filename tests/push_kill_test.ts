/**
 * What is killed in the middle of pushes, and several nodes that take them: nothing is lost, nothing is told twice.
 * `scripts/push_kill_loop.ts` is the long form.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeBase64 } from "@std/encoding";
import { pushMigrations, type PushTables } from "../src/platform/push/mod.ts";
import { PushStore } from "../src/platform/push/store.ts";
import { openDatabase } from "../src/storage/mod.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./support/postgres.ts";
import { pushKillLoop } from "./support/push_kill.ts";

const MAC = "64D954000046";

Deno.test("kill -9 of gateway and platform in the middle of pushes loses nothing that was acknowledged, and doubles nothing", async () => {
  const result = await pushKillLoop({ kills: 6, platformEvery: 3, seed: 5 });
  assertEquals(result.faults, []);
  assertEquals([result.kills, result.platformKills, result.streamed === result.listed], [6, 2, true]);
  assert(result.acknowledged > 0 && result.listed >= result.acknowledged);
});

const there = await hasPostgres();

Deno.test({
  name: `several nodes that write at once leave no gap behind a reader's place${
    there ? "" : " (ignored: no PostgreSQL on 127.0.0.1:5432)"
  }`,
  ignore: !there,
  async fn() {
    const name = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
    const url = await makeDatabase(name);
    try {
      const nodes = [];
      for (let i = 0; i < 3; i++) nodes.push(await openDatabase<PushTables>(url, pushMigrations));
      const stores = nodes.map((node) => new PushStore(node.sql));
      const heard: string[] = [];
      let writing = true;
      const reading = (async () => {
        const reader = stores[2]!;
        for (let place = 0;;) {
          const last = !writing, to = await reader.latest();
          for (const row of await reader.between({}, place, to, 1e6)) {
            heard.push(new TextDecoder().decode(decodeBase64(row.message)));
          }
          place = to;
          if (last) return;
        }
      })();
      const write = async (node: number, lane: number) => {
        for (let n = 0; n < 60; n++) {
          await stores[node]!.add({
            id: crypto.randomUUID(),
            mac: MAC,
            plugin: "p",
            time: "20260101000000",
            message: btoa(`${node}.${lane}.${n}`),
            md5: `${node}.${lane}.${n}`,
            received_at: 0,
          }, () => {});
        }
      };
      await Promise.all([0, 1].flatMap((node) => [0, 1, 2, 3].map((lane) => write(node, lane))));
      writing = false;
      await reading;
      assertEquals([heard.length, new Set(heard).size], [480, 480]);
      for (const node of nodes) await node[Symbol.asyncDispose]();
    } finally {
      await dropDatabases(name);
    }
  },
});

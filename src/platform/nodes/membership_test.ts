import { assert, assertEquals, assertRejects } from "@std/assert";
import { sql } from "kysely";
import { Membership, NodeError } from "./membership.ts";
import { eventually, LEASE_MS, NodeClock, onPostgres, type TestNode } from "./testing.ts";

/** What a node was told. */
function heardBy({ membership }: TestNode): string[] {
  const heard: string[] = [];
  membership.onGone(({ node, epoch }) => heard.push(`${node} ${epoch} is gone`));
  membership.onRejoined(() => heard.push("rejoined"));
  return heard;
}

onPostgres(
  "each life of a node has an epoch of its own, and one that left is free at once",
  async (stage) => {
    const first = await stage.join("a");
    await using b = await stage.join("b");
    const heard = heardBy(b);
    assertEquals(first.membership.self, { node: "a", epoch: 1 });
    assert(b.membership.isLive({ node: "a", epoch: 1 }));
    await first[Symbol.asyncDispose]();
    assertEquals(first.membership.held, false);
    await b.beat();
    assertEquals(heard, ["a 1 is gone"]);
    await using again = await stage.join("a");
    await b.beat();
    assertEquals(again.membership.self.epoch, 3);
    assertEquals([1, 3].map((epoch) => b.membership.isLive({ node: "a", epoch })), [false, true]);
    assertEquals(b.membership.live.map(({ node }) => node).sort(), ["a", "b"]);
  },
);

onPostgres(
  "a node may not act past its lease, whatever it missed, and may again once it is renewed",
  async (stage) => {
    await using a = await stage.join("a");
    a.clock.pause(LEASE_MS - 1);
    assertEquals([a.membership.held, await a.membership.holds("duty")], [true, true]);
    a.clock.pause(1);
    assertEquals([a.membership.held, await a.membership.holds("duty")], [false, false]);
    await a.beat();
    assertEquals([a.membership.held, a.membership.self.epoch], [true, 1], "nobody had given it up");
  },
);

onPostgres("one whose lease is over is given up by another, hears so, and joins anew", async (stage) => {
  await using a = await stage.join("a");
  await using b = await stage.join("b");
  const heardA = heardBy(a), heardB = heardBy(b);
  await stage.expire("a");
  // Whoever has just come gives nobody up: the others may come back from the same outage.
  for (let n = 0; n < 3; n++) await b.beat();
  assert(b.membership.isLive({ node: "a", epoch: 1 }));
  assertEquals(heardB, []);
  await b.beat();
  assertEquals(heardB, ["a 1 is gone"]);
  assertEquals(a.membership.held, true, "it was paused and knows nothing of that");
  await a.beat();
  assertEquals(heardA, ["a 1 is gone", "rejoined"]);
  assertEquals(a.membership.self.epoch, 3);
  await b.beat();
  assert(b.membership.isLive({ node: "a", epoch: 3 }));
});

onPostgres("after an outage for all, those who come back in time are given up by nobody", async (stage) => {
  await using a = await stage.join("a");
  await using b = await stage.join("b");
  const heard = [heardBy(a), heardBy(b)];
  for (let n = 0; n < 5; n++) await b.beat();
  for (const node of ["a", "b"]) await stage.expire(node);
  for (const { clock } of [a, b]) clock.pause(LEASE_MS);
  await b.beat(); // the first look after the outage
  await a.beat();
  await b.beat();
  assertEquals([a.membership.self.epoch, b.membership.self.epoch, heard], [1, 1, [[], []]]);
});

onPostgres(
  "a duty is one node's, moves when that one is gone, and is refused to its old life",
  async (stage) => {
    await using a = await stage.join("a");
    await using b = await stage.join("b");
    const guard = ({ membership }: TestNode) =>
      stage.db.transaction().execute((tx) => membership.guard(tx, "duty"));
    assertEquals([await a.membership.holds("duty"), await b.membership.holds("duty")], [true, false]);
    await guard(a);
    await assertRejects(() => guard(b), Error, 'another node does "duty" now');
    await stage.expire("a");
    for (let n = 0; n < 4; n++) await b.beat();
    // Before anybody has taken it, and before the old one has noticed: it is nobody's.
    await assertRejects(() => guard(a), Error, "another node");
    assertEquals([await a.membership.holds("duty"), await b.membership.holds("duty")], [true, true]);
    await assertRejects(() => guard(a), Error, "another node");
    await guard(b);
    await a.beat();
    assertEquals([await a.membership.holds("duty"), await b.membership.holds("duty")], [false, true]);
  },
);

onPostgres("nobody takes a duty over while a transaction that was let through is open", async (stage) => {
  await using a = await stage.join("a");
  await using b = await stage.join("b");
  await a.membership.holds("duty");
  const order: string[] = [];
  let taking!: Promise<unknown>;
  await stage.db.transaction().execute(async (tx) => {
    await a.membership.guard(tx, "duty");
    await stage.expire("a");
    for (let n = 0; n < 4; n++) await b.beat();
    taking = b.membership.holds("duty").then((held) => order.push(`b holds it: ${held}`));
    await eventually(async () => {
      const { rows } = await sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(stage.db);
      return rows.length === 1;
    });
    order.push("done under the guard");
  });
  await taking;
  assertEquals(order, ["done under the guard", "b holds it: true"]);
});

onPostgres(
  "a node that was given up is let through no fence, and none is given up while it is behind one",
  async (stage) => {
    await using a = await stage.join("a");
    await using b = await stage.join("b");
    const heard = heardBy(b), order: string[] = [];
    let beating!: Promise<unknown>;
    for (let n = 0; n < 4; n++) await b.beat();
    await stage.db.transaction().execute(async (tx) => {
      assertEquals(await a.membership.fence(tx), { node: "a", epoch: 1 });
      // Its lease ends while it writes: whoever would give it up waits for the end of that.
      beating = (async () => {
        await stage.expire("a");
        await b.beat();
        order.push("given up");
      })();
      await eventually(async () => {
        const { rows } = await sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(stage.db);
        return rows.length === 1;
      });
      order.push("written");
    });
    await beating;
    assertEquals([order, heard], [["written", "given up"], ["a 1 is gone"]]);
    await assertRejects(
      () => stage.db.transaction().execute((tx) => a.membership.fence(tx)),
      Error,
      "given this node up",
    );
  },
);

onPostgres("a name that another process keeps renewing is refused", async (stage) => {
  await using a = await stage.join("a");
  const clock = new NodeClock();
  const joining = assertRejects(
    () => Membership.join(stage.depsOf(clock), stage.db, { node: "a", leaseMs: LEASE_MS }),
    NodeError,
    'another process is node "a"',
  );
  await eventually(() => clock.pendingTimers > 0);
  await a.beat();
  await clock.advance(LEASE_MS);
  assertEquals((await joining).code, "node_taken");
  assertEquals(a.membership.self.epoch, 1, "it took nothing from the one that has it");
});

onPostgres("a name whose process was killed is waited for until its lease is over", async (stage) => {
  const killed = await stage.join("a"); // it says nothing any more
  const clock = new NodeClock();
  let joined = false;
  const joining = stage.join("a", clock).then((node) => (joined = true, node));
  await eventually(() => clock.pendingTimers > 0);
  await clock.advance(LEASE_MS / 10);
  await eventually(() => clock.pendingTimers > 0);
  assertEquals(joined, false);
  await stage.expire("a");
  await clock.advance(LEASE_MS / 10);
  await using again = await joining;
  assertEquals(again.membership.self.epoch, 2);
  // Leaving late, the old one takes nothing from the new one.
  await killed[Symbol.asyncDispose]();
  await again.beat();
  assertEquals(again.membership.self.epoch, 2);
});

onPostgres("nodes whose times of day are years apart share the database's", async (stage) => {
  await using a = await stage.join("a");
  await using b = await stage.join("b", new NodeClock());
  a.clock.jump(-3 * 365 * 86_400_000);
  await a.beat();
  for (const { membership, clock } of [a, b]) {
    const passed = clock.monotonic();
    assert(Math.abs(membership.now() - passed - Date.now()) < LEASE_MS, `${membership.now()}`);
  }
});

import { assertEquals, assertRejects } from "@std/assert";
import { sql } from "kysely";
import { type Migrations, openDatabase, Statement, StorageError, WriteBatch } from "./mod.ts";

interface Tables {
  note: { id: string; body: string | null; done: number };
}

const migrations: Migrations = {
  "2026-01-01-notes": {
    up: (db) =>
      db.schema.createTable("note")
        .addColumn("id", "text", (c) => c.primaryKey())
        .addColumn("body", "text").addColumn("done", "integer", (c) => c.notNull())
        .execute(),
  },
};

Deno.test("storage keeps rows over closing and opening again", async () => {
  const dir = await Deno.makeTempDir();
  const url = `sqlite:${dir}/test.db`;
  {
    await using db = await openDatabase<Tables>(url, migrations);
    await db.sql.insertInto("note").values({ id: "a", body: null, done: 1 }).execute();
  }
  {
    await using db = await openDatabase<Tables>(url, migrations);
    assertEquals(await db.sql.selectFrom("note").selectAll().execute(), [{ id: "a", body: null, done: 1 }]);
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("storage refuses a database of a newer version and leaves it as it is", async () => {
  const dir = await Deno.makeTempDir();
  const url = `sqlite:${dir}/test.db`;
  const later: Migrations = { ...migrations, "2099-01-01-later": { up: () => Promise.resolve() } };
  await (await openDatabase<Tables>(url, later))[Symbol.asyncDispose]();
  const error = await assertRejects(
    () => openDatabase<Tables>(url, migrations),
    StorageError,
    "newer version",
  );
  assertEquals(error.code, "newer");
  await (await openDatabase<Tables>(url, later))[Symbol.asyncDispose]();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("storage names the database that it cannot open, and a URL that it does not know", async () => {
  const dir = await Deno.makeTempDir();
  const error = await assertRejects(
    () => openDatabase(`sqlite:${dir}/absent/test.db`, migrations),
    StorageError,
    "absent/test.db",
  );
  assertEquals(error.code, "unavailable");
  assertEquals((await assertRejects(() => openDatabase("mysql://x", {}), StorageError)).code, "url");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("storage says which migration failed and keeps nothing of it", async () => {
  const broken: Migrations = {
    ...migrations,
    "2026-01-02-broken": { up: (db) => db.schema.createTable("note").addColumn("id", "text").execute() },
  };
  const error = await assertRejects(
    () => openDatabase("sqlite::memory:", broken),
    StorageError,
    "2026-01-02-broken",
  );
  assertEquals(error.code, "migration");
});

Deno.test("a write batch writes what came while it was busy as one, in order, within its largest size", async () => {
  const batches: number[][] = [], gate = Promise.withResolvers<void>();
  const batch = new WriteBatch<number>(async (items) => {
    batches.push([...items]);
    await gate.promise;
  }, 3);
  const first = batch.write(0);
  await begun(batch);
  const rest = [1, 2, 3, 4].map((n) => batch.write(n));
  assertEquals(batch.pending, 4);
  gate.resolve();
  await Promise.all([first, ...rest]);
  assertEquals(batches, [[0], [1, 2, 3], [4]]);
});

Deno.test("what comes one after the other in one turn of the event loop is written as one", async () => {
  const batches: number[][] = [];
  const batch = new WriteBatch<number>((items) => {
    batches.push([...items]);
    return Promise.resolve();
  });
  // Each in a microtask of its own, as requests are that several sockets have brought.
  const writes: Promise<void>[] = [];
  for (let n = 0; n < 5; n++) {
    await Promise.resolve();
    writes.push(batch.write(n));
  }
  await Promise.all(writes);
  await batch.write(5);
  assertEquals(batches, [[0, 1, 2, 3, 4], [5]]);
});

/** Resolves once nothing waits for its batch to begin. */
async function begun(batch: WriteBatch<number>): Promise<void> {
  while (batch.pending > 0) await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("a write batch that fails tells its own writers and goes on with the next", async () => {
  let fail = true;
  const batch = new WriteBatch<string>(() => {
    if (!fail) return Promise.resolve();
    fail = false;
    return Promise.reject(new Error("disk full"));
  });
  await assertRejects(() => batch.write("lost"), Error, "disk full");
  await batch.write("kept");
  await batch.flush();
  assertEquals(batch.pending, 0);
});

Deno.test("past so many that wait a write batch refuses, and takes more when there is room", async () => {
  let gate = Promise.withResolvers<void>();
  let written = 0;
  const batch = new WriteBatch<number>(
    async (items) => {
      await gate.promise;
      written += items.length;
    },
    10,
    100,
  );
  const writes = [batch.write(-1)];
  await begun(batch);
  for (let n = 0; n < 100; n++) writes.push(batch.write(n));
  for (let n = 0; n < 1000; n++) {
    const error = await assertRejects(() => batch.write(n), StorageError, "100 writes wait");
    assertEquals(error.code, "busy");
  }
  assertEquals(batch.pending, 100);
  gate.resolve();
  await Promise.all(writes);
  assertEquals([written, batch.pending], [101, 0]);
  gate = Promise.withResolvers();
  gate.resolve();
  await batch.write(1);
});

Deno.test("a statement is compiled once and runs with the parameters of each time", async () => {
  await using db = await openDatabase<Tables>("sqlite::memory:", migrations);
  let built = 0;
  const insert = new Statement(() => {
    built++;
    return db.sql.insertInto("note").values({ id: "", body: "", done: 0 });
  });
  await insert.run(db.sql, ["a", "first", 1]);
  await db.sql.transaction().execute((tx) => insert.run(tx, ["b", null, 0]));
  const find = new Statement(() => db.sql.selectFrom("note").select("body").where("id", "=", ""));
  assertEquals([await find.run(db.sql, ["a"]), await find.run(db.sql, ["b"]), built], [
    [{ body: "first" }],
    [{ body: null }],
    1,
  ]);
  await assertRejects(() => find.run(db.sql, ["a", "b"]), TypeError, "takes 1 parameters, not 2");
});

Deno.test("the embedded database writes as far as it is told before it answers", async () => {
  const dir = await Deno.makeTempDir();
  for (const [sync, value] of [[undefined, 1], ["normal", 1], ["full", 2]] as const) {
    await using db = await openDatabase(`sqlite:${dir}/${sync}.db`, {}, sync ? { sync } : {});
    const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(db.sql);
    assertEquals(rows, [{ synchronous: value }]);
  }
  await Deno.remove(dir, { recursive: true });
});

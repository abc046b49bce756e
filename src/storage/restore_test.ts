import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { backUp, type Migrations, openDatabase, restoreBackup, StorageError } from "./mod.ts";

interface Tables {
  note: { id: number };
}

const migrations: Migrations = {
  "2026-01-01-notes": {
    up: (db) => db.schema.createTable("note").addColumn("id", "integer", (c) => c.primaryKey()).execute(),
  },
};

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function notesIn(path: string): unknown[] {
  using database = new DatabaseSync(path);
  return database.prepare("select id from note order by id").all().map(({ id }) => id);
}

Deno.test("what a lost database has left of its log does not get into the backup that is restored", async () => {
  await inFolder(async (dir) => {
    await using db = await openDatabase<Tables>(`sqlite:${dir}/old.db`, migrations);
    await db.sql.insertInto("note").values({ id: 1 }).execute();
    await backUp(`${dir}/old.db`, `${dir}/backup.db`);
    await db.sql.insertInto("note").values([2, 3].map((id) => ({ id }))).execute();
    // The file is gone, with a disk or by hand; its log was left lying there.
    await Deno.copyFile(`${dir}/old.db-wal`, `${dir}/platform.db-wal`);
    assertEquals(await restoreBackup(`${dir}/backup.db`, `${dir}/platform.db`, migrations, "x"), undefined);
    assertEquals(notesIn(`${dir}/platform.db`), [1]);
  });
});

Deno.test("what was there is kept beside what is restored, and there is a database at any moment", async () => {
  await inFolder(async (dir) => {
    const path = `${dir}/platform.db`;
    {
      await using db = await openDatabase<Tables>(`sqlite:${path}`, migrations);
      await db.sql.insertInto("note").values({ id: 1 }).execute();
      await backUp(path, `${dir}/backup.db`);
      await db.sql.insertInto("note").values({ id: 2 }).execute();
    }
    const gone: string[] = [], { rename } = Deno;
    // A platform that found none would begin with an empty one.
    Deno.rename = async (from, to) => {
      await rename(from, to);
      if (!await Deno.stat(path).then(() => true, () => false)) gone.push(`${from} -> ${to}`);
    };
    try {
      assertEquals(await restoreBackup(`${dir}/backup.db`, path, migrations, "before"), `${path}.before`);
    } finally {
      Deno.rename = rename;
    }
    assertEquals([notesIn(path), notesIn(`${path}.before`), gone], [[1], [1, 2], []]);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    const names = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
    assertEquals(names, ["backup.db", "platform.db", "platform.db.before"]);
  });
});

Deno.test("a database that is in use, and a backup that is none, leave all as it is", async () => {
  await inFolder(async (dir) => {
    const path = `${dir}/platform.db`;
    await using db = await openDatabase<Tables>(`sqlite:${path}`, migrations);
    await db.sql.insertInto("note").values({ id: 1 }).execute();
    await backUp(path, `${dir}/backup.db`);
    const inUse = () => restoreBackup(`${dir}/backup.db`, path, migrations, "before");
    assertEquals((await assertRejects(inUse, StorageError)).code, "unavailable");
    await Deno.writeTextFile(`${dir}/none.db`, "no database");
    const none = () => restoreBackup(`${dir}/none.db`, `${dir}/other.db`, migrations, "before");
    assertEquals((await assertRejects(none, StorageError)).code, "broken");
    await db.sql.insertInto("note").values({ id: 2 }).execute();
    assertEquals((await db.sql.selectFrom("note").selectAll().execute()).length, 2);
    assertEquals(await Deno.stat(`${dir}/other.db`).then(() => true, () => false), false);
  });
});

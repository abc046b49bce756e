import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { backUp, inspectBackup, type Migrations, openDatabase, StorageError } from "./mod.ts";

interface Tables {
  note: { id: number; pair: number };
}

const migrations: Migrations = {
  "2026-01-01-notes": {
    up: (db) =>
      db.schema.createTable("note").addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("pair", "integer", (c) => c.notNull()).execute(),
  },
};

Deno.test("a backup is one moment: of rows that are written together it has both or neither", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await using db = await openDatabase<Tables>(`sqlite:${dir}/a.db`, migrations);
    const pair = async (id: number) =>
      await db.sql.transaction().execute(async (tx) => {
        await tx.insertInto("note").values({ id, pair: id + 1 }).execute();
        await tx.insertInto("note").values({ id: id + 1, pair: id }).execute();
      });
    let id = 0, writing = true;
    for (; id < 20_000; id += 2) await pair(id);
    const load = (async () => {
      for (; writing; id += 2) {
        await pair(id);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    for (const name of ["b", "c", "d"]) await backUp(`${dir}/a.db`, `${dir}/${name}.db`);
    writing = false;
    await load;
    for (const name of ["b", "c", "d"]) {
      assertEquals(inspectBackup(`${dir}/${name}.db`, migrations).version, "2026-01-01-notes");
      using copy = new DatabaseSync(`${dir}/${name}.db`, { readOnly: true });
      const { rows, odd } = copy.prepare(
        "select count(*) as rows, sum(pair not in (select id from note)) as odd from note",
      ).get() as { rows: number; odd: number };
      assertEquals([rows >= 20_000, rows % 2, odd], [true, 0, 0]);
    }
    const names = [...Deno.readDirSync(dir)].map((entry) => entry.name).filter((name) =>
      !name.startsWith("a.")
    );
    assertEquals(names.sort(), ["b.db", "c.db", "d.db"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a backup is never written over another, and one that can't be written leaves nothing", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await using _ = await openDatabase<Tables>(`sqlite:${dir}/a.db`, migrations);
    await Deno.writeTextFile(`${dir}/b.db`, "somebody's");
    await assertRejects(() => backUp(`${dir}/a.db`, `${dir}/b.db`), StorageError, "not written");
    assertEquals(await Deno.readTextFile(`${dir}/b.db`), "somebody's");
    await assertRejects(() => backUp(`${dir}/a.db`, `${dir}/absent/c.db`), StorageError, "not written");
    assertThrows(() => inspectBackup(`${dir}/b.db`, migrations), StorageError, "no backup");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("backing up needs no permission beyond files, and none to import", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await (await openDatabase<Tables>(`sqlite:${dir}/a.db`, migrations))[Symbol.asyncDispose]();
    const program = `${dir}/program.ts`, module = new URL("./backup.ts", import.meta.url).href;
    await Deno.writeTextFile(
      program,
      `import { backUp } from "${module}";\n` +
        `for (const name of ["env", "run", "sys", "ffi", "import"]) await Deno.permissions.revoke({ name });\n` +
        `await backUp("${dir}/a.db", "${dir}/b.db");\n`,
    );
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "--no-check",
        "--no-prompt",
        "--config",
        config,
        "--allow-read",
        "--allow-write",
        program,
      ],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(inspectBackup(`${dir}/b.db`, migrations).migrations, 1);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

import { assertEquals } from "@std/assert";
import { StorageError } from "../../storage/mod.ts";
import { problemOf } from "./problems.ts";

Deno.test("a database's full disk is told as one, and nothing else of what its driver says", () => {
  const full = problemOf(new StorageError("full", "/srv/a.db: database or disk is full"));
  assertEquals([full?.status, full?.message], [
    503,
    "the database's disk is full: nothing is taken until there is room",
  ]);
  const away = problemOf(new StorageError("away", "connect ECONNREFUSED 10.0.0.1:5432"));
  assertEquals(away?.message, "the database is not available at the moment: ask again");
});

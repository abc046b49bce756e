/**
 * Users as rows.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";
import { type Deps, newId } from "../../base/mod.ts";
import type { AppTables, UserRow } from "./schema.ts";

/** What every app user may: use the app's own routes. */
export const USER_PERMISSION = "user";

/** The one spelling of a user name: lower case and without look-alike forms of the same characters. */
export function userName(given: string): string {
  return given.normalize("NFKC").toLowerCase();
}

/** Users as rows. */
export class UserStore {
  constructor(private readonly db: Kysely<AppTables>, private readonly clock: Deps["clock"]) {}

  /** Adds a user; undefined where the name is taken. `name` is normalized, `password` a hash. */
  async create(name: string, password: string): Promise<UserRow | undefined> {
    const row: UserRow = { id: newId(), name, password, created_at: this.clock.now(), locked_at: null };
    const { numInsertedOrUpdatedRows } = await this.db.insertInto("app_user").values(row)
      .onConflict((conflict) => conflict.column("name").doNothing()).executeTakeFirst();
    return numInsertedOrUpdatedRows ? row : undefined;
  }

  byName(name: string): Promise<UserRow | undefined> {
    return this.db.selectFrom("app_user").selectAll().where("name", "=", name).executeTakeFirst();
  }

  byId(id: string): Promise<UserRow | undefined> {
    return this.db.selectFrom("app_user").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** Users whose names begin so, by name, from behind `after`. */
  list(beginning: string, limit: number, after = ""): Promise<UserRow[]> {
    let select = this.db.selectFrom("app_user").selectAll().where("name", ">", after).orderBy("name").limit(
      limit,
    );
    // No range of names: which names lie in it depends on the order that the database keeps words in.
    if (beginning !== "") {
      select = select.where(sql<boolean>`substr(name, 1, ${[...beginning].length}) = ${beginning}`);
    }
    return select.execute();
  }

  /** Keeps a user from signing in, or no longer. */
  async setLocked(id: string, locked: boolean): Promise<void> {
    await this.db.updateTable("app_user").set({ locked_at: locked ? this.clock.now() : null })
      .where("id", "=", id).where("locked_at", locked ? "is" : "is not", null).execute();
  }

  /** Gives a user another password; false where it is not the one any more that `user` has. */
  async setPassword(user: Pick<UserRow, "id" | "password">, password: string): Promise<boolean> {
    const { numUpdatedRows } = await this.db.updateTable("app_user").set({ password })
      .where("id", "=", user.id).where("password", "=", user.password).executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Removes a user with all that is theirs: sessions, bindings with their members, memberships. */
  async remove(id: string): Promise<void> {
    await this.db.deleteFrom("app_user").where("id", "=", id).execute();
  }
}

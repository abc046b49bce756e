/**
 * Users and their sessions as rows.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding";
import type { Kysely } from "kysely";
import { type Deps, newId } from "../../base/mod.ts";
import { type Authenticator, type Principal, tokenHash } from "../../control/mod.ts";
import type { AppTables, UserRow } from "./schema.ts";

/** Every session token begins so: others need no look-up. */
const TOKEN_PREFIX = "ghs_";
/** Signed-in devices of one user; signing in on one more signs out the oldest. */
const MAX_SESSIONS = 20;

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
    const row: UserRow = { id: newId(), name, password, created_at: this.clock.now() };
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
}

/** Sessions as rows; the authenticator of app users. */
export class SessionStore implements Authenticator {
  constructor(
    private readonly db: Kysely<AppTables>,
    private readonly deps: Pick<Deps, "clock" | "random">,
    private readonly lifeMs: number,
  ) {}

  /** Signs a user in on one more device. The token is shown this once. */
  async create(userId: string): Promise<{ token: string; expiresAt: number }> {
    const token = TOKEN_PREFIX + encodeBase64Url(this.deps.random.bytes(32));
    const now = this.deps.clock.now(), expiresAt = now + this.lifeMs;
    await this.db.transaction().execute(async (tx) => {
      await tx.insertInto("app_session")
        .values({ token_hash: hashOf(token), user_id: userId, created_at: now, expires_at: expiresAt })
        .execute();
      const newest = tx.selectFrom("app_session").select("token_hash").where("user_id", "=", userId)
        .orderBy("created_at", "desc").orderBy("token_hash").limit(MAX_SESSIONS);
      await tx.deleteFrom("app_session").where("user_id", "=", userId).where("token_hash", "not in", newest)
        .execute();
    });
    return { token, expiresAt };
  }

  async authenticate(token: string): Promise<Principal | undefined> {
    if (!token.startsWith(TOKEN_PREFIX)) return undefined;
    const row = await this.db.selectFrom("app_session")
      .innerJoin("app_user", "app_user.id", "app_session.user_id")
      .select(["app_user.id", "app_user.name", "app_session.expires_at"])
      .where("app_session.token_hash", "=", hashOf(token)).executeTakeFirst();
    if (!row || row.expires_at <= this.deps.clock.now()) return undefined;
    return { kind: "user", id: row.id, name: row.name, permissions: [USER_PERMISSION] };
  }

  /** Signs out the device that holds `token`. */
  async revoke(token: string): Promise<void> {
    await this.db.deleteFrom("app_session").where("token_hash", "=", hashOf(token)).execute();
  }

  /** Signs a user out everywhere. */
  async revokeAll(userId: string): Promise<void> {
    await this.db.deleteFrom("app_session").where("user_id", "=", userId).execute();
  }

  /** Removes sessions that have run out; answers how many. */
  async forgetExpired(): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("app_session")
      .where("expires_at", "<=", this.deps.clock.now()).executeTakeFirst();
    return Number(numDeletedRows);
  }
}

function hashOf(token: string): string {
  return tokenHash(token).toHex();
}

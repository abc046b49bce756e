/**
 * Signed-in devices and their tokens: a short access token, and a refresh token that is good for one renewal.
 *
 * All tokens that come of one sign-in are a family. Showing a refresh token that was used up ends the whole family:
 * somebody has stolen one, and nobody can say who of the two is the owner. One exception keeps honest phones signed
 * in: an answer with new tokens may be lost on the way. So the token before stays good until one of the new ones
 * was shown; renewing with it again makes the lost ones void.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding";
import type { Kysely, Transaction } from "kysely";
import { type Deps, newId } from "../../base/mod.ts";
import { type Authenticator, type Principal, tokenHash } from "../../control/mod.ts";
import { onServer } from "../../storage/mod.ts";
import type { AppTables, SessionRow } from "./schema.ts";
import { USER_PERMISSION } from "./users.ts";

/** Every token begins so: others need no look-up. */
const ACCESS_PREFIX = "ghs_", REFRESH_PREFIX = "ghr_";
/** Signed-in devices of one user; signing in on one more signs out the oldest. */
const MAX_SESSIONS = 20;
/** Used-up refresh tokens remembered of each device; older ones are refused without ending the family. */
const REMEMBERED = 100;
/** A token that must never be shown again. */
const VOID = -1;
/** How often a renewal is tried again that another one was quicker than. */
const TRIES = 5;

/** How long tokens are good for, in milliseconds. */
export interface SessionLives {
  readonly accessMs: number;
  readonly sessionMs: number;
  readonly maxSessionMs: number;
}

/** What a device gets: shown this once. Times are milliseconds since 1970. */
export interface Tokens {
  readonly sessionId: string;
  readonly token: string;
  readonly expiresAt: number;
  readonly refreshToken: string;
  readonly refreshExpiresAt: number;
}

/** How a renewal ended. */
export type Renewal =
  | { readonly kind: "renewed"; readonly tokens: Tokens }
  /** No token of a session that still holds. */
  | { readonly kind: "unknown" }
  /** It had been used up: the family is ended. */
  | { readonly kind: "reused"; readonly userId: string };

/** Sessions as rows; the authenticator of app users. */
export class SessionStore implements Authenticator {
  constructor(
    private readonly db: Kysely<AppTables>,
    private readonly deps: Pick<Deps, "clock" | "random">,
    private readonly lives: SessionLives,
  ) {}

  /**
   * Signs a user in on one more device; undefined where `password`, the hash that was looked at, is no longer theirs:
   * a change of it signs out whoever knew the one before, also at this moment.
   */
  create(userId: string, device: string, password: string): Promise<Tokens | undefined> {
    const now = this.deps.clock.now();
    const session: SessionRow = {
      id: newId(),
      user_id: userId,
      device,
      created_at: now,
      renewed_at: now,
      expires_at: now + this.lives.sessionMs,
      generation: 0,
      confirmed: 0,
    };
    return this.db.transaction().execute(async (tx) => {
      const proved = tx.selectFrom("app_user").select("id").where("id", "=", userId)
        .where("password", "=", password);
      if (!await (onServer(tx) ? proved.forShare() : proved).executeTakeFirst()) return undefined;
      await tx.insertInto("app_session").values(session).execute();
      const newest = tx.selectFrom("app_session").select("id").where("user_id", "=", userId)
        .orderBy("created_at", "desc").orderBy("id", "desc").limit(MAX_SESSIONS);
      await tx.deleteFrom("app_session").where("user_id", "=", userId).where("id", "not in", newest)
        .execute();
      return await this.#issue(tx, session);
    });
  }

  /** Exchanges a refresh token for new tokens. */
  async renew(token: string): Promise<Renewal> {
    if (!token.startsWith(REFRESH_PREFIX)) return { kind: "unknown" };
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const renewal = await this.db.transaction().execute((tx) => this.#renew(tx, hashOf(token)));
      if (renewal) return renewal;
    }
    return { kind: "unknown" };
  }

  async authenticate(token: string): Promise<Principal | undefined> {
    if (!token.startsWith(ACCESS_PREFIX)) return undefined;
    const row = await this.db.selectFrom("app_token")
      .innerJoin("app_session", "app_session.id", "app_token.session_id")
      .innerJoin("app_user", "app_user.id", "app_session.user_id")
      .select([
        "app_user.id",
        "app_user.name",
        "app_token.expires_at",
        "app_token.generation",
        "app_session.id as session",
        "app_session.generation as newest",
        "app_session.confirmed",
      ])
      .where("app_token.hash", "=", hashOf(token)).where("app_token.kind", "=", "access")
      .where("app_user.locked_at", "is", null).executeTakeFirst();
    if (!row || row.expires_at <= this.deps.clock.now()) return undefined;
    if (!row.confirmed && row.generation === row.newest) {
      // The device has its new tokens: from here on the one before is used up.
      await this.db.updateTable("app_session").set({ confirmed: 1 }).where("id", "=", row.session)
        .where("generation", "=", row.generation).execute();
    }
    return { kind: "user", id: row.id, name: row.name, permissions: [USER_PERMISSION] };
  }

  /** The session that an access token is of. */
  async idOf(token: string): Promise<string | undefined> {
    const row = await this.db.selectFrom("app_token").select("session_id").where("hash", "=", hashOf(token))
      .executeTakeFirst();
    return row?.session_id;
  }

  /** A user's signed-in devices, the newest first. */
  list(userId: string): Promise<SessionRow[]> {
    return this.db.selectFrom("app_session").selectAll().where("user_id", "=", userId)
      .where("expires_at", ">", this.deps.clock.now())
      .orderBy("created_at", "desc").orderBy("id", "desc").limit(MAX_SESSIONS).execute();
  }

  /** Signs a device out; false where the user has none of that id. */
  async revoke(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("app_session").where("id", "=", id)
      .where("user_id", "=", userId).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Signs a user out everywhere, or everywhere but on one device. */
  async revokeAll(userId: string, but?: string): Promise<void> {
    let remove = this.db.deleteFrom("app_session").where("user_id", "=", userId);
    if (but !== undefined) remove = remove.where("id", "<>", but);
    await remove.execute();
  }

  /** Removes what has run out; answers how many sessions. */
  async forgetExpired(): Promise<number> {
    const now = this.deps.clock.now();
    await this.db.deleteFrom("app_token").where("expires_at", "<=", now).execute();
    const { numDeletedRows } = await this.db.deleteFrom("app_session").where("expires_at", "<=", now)
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  /** One try; undefined where another renewal came between. */
  async #renew(tx: Transaction<AppTables>, hash: string): Promise<Renewal | undefined> {
    const now = this.deps.clock.now();
    const token = await tx.selectFrom("app_token").selectAll().where("hash", "=", hash)
      .where("kind", "=", "refresh").executeTakeFirst();
    const session = token && await tx.selectFrom("app_session").selectAll()
      .where("id", "=", token.session_id).executeTakeFirst();
    if (!token || !session || session.expires_at <= now) return { kind: "unknown" };
    const user = await tx.selectFrom("app_user").select("locked_at").where("id", "=", session.user_id)
      .executeTakeFirst();
    if (user?.locked_at !== null) return { kind: "unknown" };
    const lost = token.generation === session.generation - 1 && !session.confirmed;
    if (token.generation !== session.generation && !lost) {
      await tx.deleteFrom("app_session").where("id", "=", session.id).execute();
      return { kind: "reused", userId: session.user_id };
    }
    const next: SessionRow = {
      ...session,
      generation: session.generation + 1,
      confirmed: 0,
      renewed_at: now,
      expires_at: Math.min(now + this.lives.sessionMs, session.created_at + this.lives.maxSessionMs),
    };
    const { generation, confirmed, renewed_at, expires_at } = next;
    const { numUpdatedRows } = await tx.updateTable("app_session")
      .set({ generation, confirmed, renewed_at, expires_at })
      .where("id", "=", session.id).where("generation", "=", session.generation)
      .where("confirmed", "=", session.confirmed).executeTakeFirst();
    if (numUpdatedRows === 0n) return undefined;
    if (lost) {
      await tx.deleteFrom("app_token").where("session_id", "=", session.id).where("kind", "=", "access")
        .where("generation", "=", session.generation).execute();
      await tx.updateTable("app_token").set({ generation: VOID }).where("session_id", "=", session.id)
        .where("kind", "=", "refresh").where("generation", "=", session.generation).execute();
      await tx.updateTable("app_token").set({ generation: session.generation }).where("hash", "=", hash)
        .execute();
    }
    await tx.deleteFrom("app_token").where("session_id", "=", session.id).where("kind", "=", "refresh")
      .where("generation", ">", VOID).where("generation", "<", generation - REMEMBERED).execute();
    return { kind: "renewed", tokens: await this.#issue(tx, next) };
  }

  /** Makes the tokens of a session's newest generation. */
  async #issue(tx: Transaction<AppTables>, session: SessionRow): Promise<Tokens> {
    const make = (prefix: string) => prefix + encodeBase64Url(this.deps.random.bytes(32));
    const token = make(ACCESS_PREFIX), refreshToken = make(REFRESH_PREFIX);
    const expiresAt = Math.min(this.deps.clock.now() + this.lives.accessMs, session.expires_at);
    const { id: session_id, generation, expires_at: refreshExpiresAt } = session;
    // A used-up refresh token must be known for as long as the session may last.
    const end = session.created_at + this.lives.maxSessionMs;
    await tx.insertInto("app_token").values([
      { hash: hashOf(token), session_id, kind: "access", generation, expires_at: expiresAt },
      { hash: hashOf(refreshToken), session_id, kind: "refresh", generation, expires_at: end },
    ]).execute();
    return { sessionId: session_id, token, expiresAt, refreshToken, refreshExpiresAt };
  }
}

function hashOf(token: string): string {
  return tokenHash(token).toHex();
}

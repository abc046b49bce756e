/**
 * API keys as rows: how machines come in. A key has its own permissions, may end by itself, and can be revoked.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding";
import type { Kysely } from "kysely";
import { type Deps, newId } from "../../base/mod.ts";
import { type Authenticator, type Principal, tokenHash } from "../../control/mod.ts";
import { isPermission, type Permission } from "./permissions.ts";
import type { ApiKeyRow, PeopleTables } from "./schema.ts";

/** Every key begins so: others need no look-up. */
const KEY_PREFIX = "ghk_";
/** Characters of a key that are kept in clear, to tell keys apart by. */
const HINT = 8;
/** How exactly it is known when a key was last used. */
const USED_EVERY_MS = 60_000;

/** What a new key is to be. */
export interface NewApiKey {
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly groups: readonly string[] | undefined;
  readonly expiresAt: number | undefined;
  readonly createdBy: string;
}

/** Keys as rows; the authenticator of machines. */
export class ApiKeyStore implements Authenticator {
  constructor(
    private readonly db: Kysely<PeopleTables>,
    private readonly deps: Pick<Deps, "clock" | "random" | "log">,
  ) {}

  /** Makes a key. It is shown this once. */
  async create(key: NewApiKey): Promise<{ key: string; row: ApiKeyRow }> {
    const text = KEY_PREFIX + encodeBase64Url(this.deps.random.bytes(32));
    const row: ApiKeyRow = {
      id: newId(),
      name: key.name,
      key_hash: tokenHash(text).toHex(),
      hint: text.slice(0, HINT),
      permissions: JSON.stringify(key.permissions),
      groups: key.groups ? JSON.stringify(key.groups) : null,
      created_at: this.deps.clock.now(),
      created_by: key.createdBy,
      expires_at: key.expiresAt ?? null,
      last_used_at: null,
      revoked_at: null,
    };
    await this.db.insertInto("api_key").values(row).execute();
    return { key: text, row };
  }

  async authenticate(token: string): Promise<Principal | undefined> {
    if (!token.startsWith(KEY_PREFIX)) return undefined;
    const row = await this.db.selectFrom("api_key").selectAll()
      .where("key_hash", "=", tokenHash(token).toHex()).executeTakeFirst();
    const now = this.deps.clock.now();
    if (!row || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) {
      return undefined;
    }
    if (row.last_used_at === null || now - row.last_used_at >= USED_EVERY_MS) await this.#used(row.id, now);
    return {
      kind: "key",
      id: row.id,
      name: row.name,
      // What a later version knew and this one does not is not granted.
      permissions: (JSON.parse(row.permissions) as string[]).filter(isPermission),
      ...(row.groups === null ? {} : { groups: JSON.parse(row.groups) }),
    };
  }

  find(id: string): Promise<ApiKeyRow | undefined> {
    return this.db.selectFrom("api_key").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** The person behind an actor: a key is whoever's that made it, be it with another key. */
  async personOf(actor: string): Promise<string> {
    for (let person = actor;;) {
      const id = /^key:(.+)$/.exec(person)?.[1];
      const row = id === undefined ? undefined : await this.find(id);
      if (!row) return person;
      person = row.created_by; // older than the key: this comes to an end
    }
  }

  /** Keys, the newest first, from before `before`. */
  list(limit: number, before?: string): Promise<ApiKeyRow[]> {
    let select = this.db.selectFrom("api_key").selectAll().orderBy("id", "desc").limit(limit);
    if (before !== undefined) select = select.where("id", "<", before);
    return select.execute();
  }

  /** Ends a key at once; false where there is none, or it has ended. */
  async revoke(id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.db.updateTable("api_key")
      .set({ revoked_at: this.deps.clock.now() })
      .where("id", "=", id).where("revoked_at", "is", null).executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** A key that works is worth more than knowing when: a failure is logged. */
  async #used(id: string, now: number): Promise<void> {
    try {
      await this.db.updateTable("api_key").set({ last_used_at: now }).where("id", "=", id).execute();
    } catch (error) {
      this.deps.log.warn("the use of an API key was not noted", { key: id, error });
    }
  }
}

/**
 * Operators and their sessions as rows; sessions turn a token into the operator who signed in.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding";
import type { Kysely, Updateable } from "kysely";
import { type Clock, type Deps, newId } from "../../base/mod.ts";
import { type Authenticator, type Principal, tokenHash } from "../../control/mod.ts";
import { onServer, stillIs } from "../../storage/mod.ts";
import { type Role, ROLES } from "./permissions.ts";
import type { OperatorRow, PeopleTables } from "./schema.ts";

/** Every session token begins so: others need no look-up. */
const TOKEN_PREFIX = "gho_";
/** Signed-in browsers of one operator; signing in on one more signs out the oldest. */
const MAX_SESSIONS = 10;

/** The one spelling of an operator's name: lower case and without look-alike forms of the same characters. */
export function operatorName(given: string): string {
  return given.normalize("NFKC").toLowerCase();
}

/** Operators as rows. */
export class OperatorStore {
  constructor(private readonly db: Kysely<PeopleTables>, private readonly clock: Pick<Clock, "now">) {}

  /** Adds an operator; undefined where the name is taken. `password` is a hash. */
  async create(
    operator: Pick<OperatorRow, "name" | "password" | "role" | "groups" | "created_by">,
  ): Promise<OperatorRow | undefined> {
    const now = this.clock.now();
    const row: OperatorRow = {
      id: newId(),
      ...operator,
      disabled: 0,
      created_at: now,
      updated_at: now,
      signed_in_at: null,
    };
    const { numInsertedOrUpdatedRows } = await this.db.insertInto("operator").values(row)
      .onConflict((conflict) => conflict.column("name").doNothing()).executeTakeFirst();
    return numInsertedOrUpdatedRows ? row : undefined;
  }

  byName(name: string): Promise<OperatorRow | undefined> {
    return this.db.selectFrom("operator").selectAll().where("name", "=", name).executeTakeFirst();
  }

  find(id: string): Promise<OperatorRow | undefined> {
    return this.db.selectFrom("operator").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** Operators by name, from behind `after`. */
  list(limit: number, after = ""): Promise<OperatorRow[]> {
    return this.db.selectFrom("operator").selectAll().where("name", ">", after).orderBy("name").limit(limit)
      .execute();
  }

  /** Changes an operator; undefined where there is none, or they are not as `was` says any more. */
  async update(
    id: string,
    change: Updateable<Omit<OperatorRow, "id" | "name">>,
    was?: Partial<OperatorRow>,
  ): Promise<OperatorRow | undefined> {
    const { numUpdatedRows } = await this.db.updateTable("operator")
      .set({ ...change, updated_at: this.clock.now() })
      .where("id", "=", id).where(stillIs(was)).executeTakeFirst();
    return numUpdatedRows > 0n ? await this.find(id) : undefined;
  }

  async signedIn(id: string): Promise<void> {
    await this.db.updateTable("operator").set({ signed_in_at: this.clock.now() }).where("id", "=", id)
      .execute();
  }

  /** Removes an operator with their sessions; false where there is none, or not as `was` says any more. */
  async remove(id: string, was?: Partial<OperatorRow>): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("operator").where("id", "=", id).where(stillIs(was))
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}

/** Sessions as rows; the authenticator of operators. */
export class OperatorSessions implements Authenticator {
  constructor(
    private readonly db: Kysely<PeopleTables>,
    private readonly deps: Pick<Deps, "clock" | "random">,
    private readonly lifeMs: number,
  ) {}

  /**
   * Signs an operator in once more. The token is shown this once. Undefined where `password`, the hash that was looked
   * at, is no longer theirs: a change of it signs out whoever knew the one before, also at this moment.
   */
  async create(
    operatorId: string,
    password: string,
  ): Promise<{ token: string; expiresAt: number } | undefined> {
    const token = TOKEN_PREFIX + encodeBase64Url(this.deps.random.bytes(32));
    const now = this.deps.clock.now(), expiresAt = now + this.lifeMs;
    return await this.db.transaction().execute(async (tx) => {
      const proved = tx.selectFrom("operator").select("id").where("id", "=", operatorId)
        .where("password", "=", password);
      if (!await (onServer(tx) ? proved.forShare() : proved).executeTakeFirst()) return undefined;
      await tx.insertInto("operator_session")
        .values({
          token_hash: hashOf(token),
          operator_id: operatorId,
          created_at: now,
          expires_at: expiresAt,
        })
        .execute();
      const newest = tx.selectFrom("operator_session").select("token_hash")
        .where("operator_id", "=", operatorId)
        .orderBy("created_at", "desc").orderBy("token_hash").limit(MAX_SESSIONS);
      await tx.deleteFrom("operator_session").where("operator_id", "=", operatorId)
        .where("token_hash", "not in", newest).execute();
      return { token, expiresAt };
    });
  }

  async authenticate(token: string): Promise<Principal | undefined> {
    if (!token.startsWith(TOKEN_PREFIX)) return undefined;
    const row = await this.db.selectFrom("operator_session")
      .innerJoin("operator", "operator.id", "operator_session.operator_id")
      .select(["operator.id", "operator.name", "operator.role", "operator.groups", "operator.disabled"])
      .select("operator_session.expires_at")
      .where("operator_session.token_hash", "=", hashOf(token)).executeTakeFirst();
    if (!row || row.disabled === 1 || row.expires_at <= this.deps.clock.now()) return undefined;
    return operatorPrincipal(row);
  }

  async revoke(token: string): Promise<void> {
    await this.db.deleteFrom("operator_session").where("token_hash", "=", hashOf(token)).execute();
  }

  /** Signs an operator out everywhere. */
  async revokeAll(operatorId: string): Promise<void> {
    await this.db.deleteFrom("operator_session").where("operator_id", "=", operatorId).execute();
  }

  /** Removes sessions that have run out. */
  async forgetExpired(): Promise<void> {
    await this.db.deleteFrom("operator_session").where("expires_at", "<=", this.deps.clock.now()).execute();
  }
}

/** Who an operator is to the API: a role that this program does not know may nothing. */
function operatorPrincipal(row: Pick<OperatorRow, "id" | "name" | "role" | "groups">): Principal {
  const role: Role | undefined = Object.hasOwn(ROLES, row.role) ? row.role : undefined;
  return {
    kind: "operator",
    id: row.id,
    name: row.name,
    permissions: role ? ROLES[role] : [],
    ...(row.groups === null ? {} : { groups: JSON.parse(row.groups) }),
  };
}

function hashOf(token: string): string {
  return tokenHash(token).toHex();
}

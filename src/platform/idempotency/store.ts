/**
 * Posts that may be sent again, as rows that all nodes share.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, hourly, messageOf } from "../../base/mod.ts";
import type { Claim, IdempotencyStore, KeptAnswer, Standing } from "../../control/mod.ts";
import type { IdempotencyRow, IdempotencyTables } from "./schema.ts";

/** How long an answer is kept, in milliseconds. */
const KEEP_MS = 86_400_000;
/** How long a post may be in work before nobody believes that it still is. */
const WORK_MS = 5 * 60_000;
/** Longest answer that is kept, in characters. */
const MAX_BODY = 262_144;

/** What one caller may keep: keys, and characters of answers in all. Beyond the latter answers are not kept. */
const LIMITS = {
  service: { keys: 20_000, characters: 16_777_216 },
  user: { keys: 1000, characters: 1_048_576 },
};

/** Keys and answers as rows. Dispose of it to stop its cleaning. */
export class IdempotencyKeys implements IdempotencyStore, AsyncDisposable {
  #cleaning: AsyncDisposable | undefined;

  private constructor(
    private readonly sql: Kysely<IdempotencyTables>,
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly node: string,
  ) {}

  /** Opens them for `node`. What this node had in work before, it has no more. */
  static async open(
    sql: Kysely<IdempotencyTables>,
    deps: Pick<Deps, "clock" | "log">,
    node: string,
  ): Promise<IdempotencyKeys> {
    await sql.updateTable("idempotency").set({ due_at: 0 })
      .where("node", "=", node).where("status", "is", null).execute();
    const keys = new IdempotencyKeys(sql, deps, node);
    keys.#cleaning = hourly(
      deps.clock,
      () => sql.deleteFrom("idempotency").where("created_at", "<=", deps.clock.now() - KEEP_MS).execute(),
      (error) => deps.log.warn("old Idempotency-Keys were not removed", { error: messageOf(error) }),
    );
    return keys;
  }

  async claim(claim: Claim): Promise<Standing> {
    const now = this.deps.clock.now();
    const held = await this.#find(claim.id);
    if (held && Number(held.created_at) + KEEP_MS > now) return standingOf(held, claim, now);
    if (held) {
      await this.sql.deleteFrom("idempotency").where("id", "=", claim.id)
        .where("created_at", "=", held.created_at).execute();
    }
    if (await this.#isFull(claim)) return { kind: "full" };
    const { numInsertedOrUpdatedRows } = await this.sql.insertInto("idempotency").values({
      id: claim.id,
      actor: claim.actor,
      digest: claim.digest,
      node: this.node,
      created_at: now,
      due_at: now + WORK_MS,
      status: null,
      headers: null,
      body: null,
      size: 0,
    }).onConflict((conflict) => conflict.column("id").doNothing()).executeTakeFirst();
    if (numInsertedOrUpdatedRows) return { kind: "claimed" };
    // Somebody was quicker, and may have released it since.
    const theirs = await this.#find(claim.id);
    return theirs ? standingOf(theirs, claim, now) : { kind: "in_progress" };
  }

  async finish(claim: Claim, { status, headers, body }: KeptAnswer): Promise<void> {
    const { characters } = limitsOf(claim);
    const kept = body !== null && body.length <= MAX_BODY &&
        (await this.#usage(claim.actor)).characters + body.length <= characters
      ? body
      : null;
    await this.sql.updateTable("idempotency")
      .set({ status, headers: JSON.stringify(headers), body: kept, size: kept?.length ?? 0 })
      .where("id", "=", claim.id).where("digest", "=", claim.digest).execute();
  }

  async release(claim: Claim): Promise<void> {
    await this.sql.deleteFrom("idempotency").where("id", "=", claim.id).where("status", "is", null).execute();
  }

  async abandon(claim: Claim): Promise<void> {
    await this.sql.updateTable("idempotency").set({ due_at: 0 })
      .where("id", "=", claim.id).where("status", "is", null).execute();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleaning?.[Symbol.asyncDispose]();
  }

  #find(id: string): Promise<IdempotencyRow | undefined> {
    return this.sql.selectFrom("idempotency").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async #isFull(claim: Claim): Promise<boolean> {
    return (await this.#usage(claim.actor)).keys >= limitsOf(claim).keys;
  }

  async #usage(actor: string): Promise<{ keys: number; characters: number }> {
    const { keys, characters } = await this.sql.selectFrom("idempotency")
      .select(({ fn }) => [fn.countAll().as("keys"), fn.sum("size").as("characters")])
      .where("actor", "=", actor).executeTakeFirstOrThrow();
    return { keys: Number(keys), characters: Number(characters ?? 0) };
  }
}

function limitsOf({ kind }: Claim): { keys: number; characters: number } {
  return kind === "user" ? LIMITS.user : LIMITS.service;
}

function standingOf(row: IdempotencyRow, { digest }: Claim, now: number): Standing {
  if (row.digest !== digest) return { kind: "other" };
  if (row.status === null) return { kind: Number(row.due_at) > now ? "in_progress" : "unknown" };
  return {
    kind: "answered",
    answer: { status: row.status, headers: JSON.parse(row.headers ?? "{}"), body: row.body },
  };
}

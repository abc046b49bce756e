/**
 * Webhooks as rows.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, newId } from "../../base/mod.ts";
import { stillIs } from "../../storage/mod.ts";
import type { Seal } from "../credentials/mod.ts";
import type { DisabledReason, WebhookRow, WebhookTables } from "./schema.ts";
import { newSecret } from "./signature.ts";

/** What people say of a webhook. */
export interface WebhookInput {
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  /** Null: all. */
  readonly groups: readonly string[] | null;
  readonly enabled: boolean;
}

/** Most webhooks that there may be: each event is written once for each that hears of it. */
export const MAX_WEBHOOKS = 100;

/** Webhooks by id. Their secrets are sealed. */
export class WebhookStore {
  constructor(
    private readonly db: Kysely<WebhookTables>,
    private readonly deps: Pick<Deps, "clock" | "random">,
    private readonly seal: Seal,
  ) {}

  /** Adds one; its secret is in the clear only here. Undefined where there are too many. */
  async create(
    { events, groups, enabled, ...input }: WebhookInput,
    created_by: string,
  ): Promise<{ row: WebhookRow; secret: string } | undefined> {
    const { count } = await this.db.selectFrom("webhook").select((e) => e.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    if (Number(count) >= MAX_WEBHOOKS) return undefined;
    const now = this.deps.clock.now(), secret = newSecret(this.deps.random);
    const row: WebhookRow = {
      ...input,
      id: newId(),
      events: JSON.stringify(events),
      groups: groups && JSON.stringify(groups),
      enabled: enabled ? 1 : 0,
      secret: this.#sealed(secret),
      old_secret: null,
      old_secret_until: null,
      disabled_reason: null,
      failing_since: null,
      dropped: 0,
      created_at: now,
      created_by,
      updated_at: now,
    };
    await this.db.insertInto("webhook").values(row).execute();
    return { row, secret };
  }

  find(id: string): Promise<WebhookRow | undefined> {
    return this.db.selectFrom("webhook").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** All of them, the oldest first. */
  all(): Promise<WebhookRow[]> {
    return this.db.selectFrom("webhook").selectAll().orderBy("id").execute();
  }

  /**
   * Changes one. Where it is enabled anew, or leads elsewhere, what was wrong with it is forgotten.
   * Undefined where there is none, or it is not as `was` says any more.
   */
  async update(
    id: string,
    { events, groups, enabled, ...plain }: Partial<WebhookInput>,
    was?: Partial<WebhookRow>,
  ): Promise<WebhookRow | undefined> {
    const anew = enabled === true || plain.url !== undefined;
    const { numUpdatedRows } = await this.db.updateTable("webhook").set({
      ...plain,
      ...(events === undefined ? {} : { events: JSON.stringify(events) }),
      ...(groups === undefined ? {} : { groups: groups && JSON.stringify(groups) }),
      ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
      ...(anew ? { disabled_reason: null, failing_since: null } : {}),
      updated_at: this.deps.clock.now(),
    }).where("id", "=", id).where(stillIs(was)).executeTakeFirst();
    return numUpdatedRows > 0n ? await this.find(id) : undefined;
  }

  /** Gives it a new secret; the one it had signs too for `graceMs` more. */
  async rotate(
    { id, secret: old }: WebhookRow,
    graceMs: number,
  ): Promise<{ secret: string; until: number | null }> {
    const secret = newSecret(this.deps.random), now = this.deps.clock.now();
    const until = graceMs > 0 ? now + graceMs : null;
    await this.db.updateTable("webhook").set({
      secret: this.#sealed(secret),
      old_secret: until === null ? null : old,
      old_secret_until: until,
      updated_at: now,
    }).where("id", "=", id).execute();
    return { secret, until };
  }

  /** The secrets that sign now, the newest first. @throws {SealError} where another key sealed them */
  secretsOf({ secret, old_secret, old_secret_until }: WebhookRow): string[] {
    const old = old_secret !== null && (old_secret_until ?? 0) > this.deps.clock.now() ? [old_secret] : [];
    return [secret, ...old].map((sealed) => new TextDecoder().decode(this.seal.open(sealed)));
  }

  /** Removes one with all that was to be told to it; false where there is none, or not as `was` says any more. */
  async remove(id: string, was?: Partial<WebhookRow>): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("webhook").where("id", "=", id).where(stillIs(was))
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Notes since when nothing is delivered; null: something was. */
  async setFailing(id: string, since: number | null): Promise<void> {
    await this.db.updateTable("webhook").set({ failing_since: since }).where("id", "=", id).execute();
  }

  /** Disables one on the platform's own account; false where it is disabled already, or another's URL by now. */
  async disable({ id, url }: Pick<WebhookRow, "id" | "url">, reason: DisabledReason): Promise<boolean> {
    const { numUpdatedRows } = await this.db.updateTable("webhook")
      .set({ enabled: 0, disabled_reason: reason, updated_at: this.deps.clock.now() })
      .where("id", "=", id).where("url", "=", url).where("enabled", "=", 1).executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  #sealed(secret: string): Uint8Array {
    return this.seal.seal(new TextEncoder().encode(secret));
  }
}

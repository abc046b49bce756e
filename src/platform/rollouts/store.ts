/**
 * Rollouts, their stages and their gateways as rows.
 *
 * @module
 */
import type { Kysely, Updateable } from "kysely";
import { type Clock, newId, nextTurn } from "../../base/mod.ts";
import { onServer, WriteBatch } from "../../storage/mod.ts";
import type { Outbox } from "../outbox/mod.ts";
import { drawn, endsOf } from "./lots.ts";
import { mustBe, stagesOf } from "./brakes.ts";
import { movedOf } from "./moved.ts";
import type { NewBrakes, NewItem, NewRolloutRow, NewStage } from "./wanted.ts";
import type { ItemRow, ItemStatus, RolloutRow, RolloutStatus, RolloutTables, StageRow } from "./schema.ts";

/** How many gateways of a stage are in each status. */
export type Counts = Readonly<Record<ItemStatus, number>>;

/** Rows written, and read, in one go: then others get their turn. */
const CHUNK = 500;
const PAGE = 2000;
const OPEN: readonly RolloutStatus[] = ["scheduled", "running"];

/** What a change of a gateway's place in a rollout sets. */
export type ItemChange = Partial<
  Pick<
    ItemRow,
    | "status"
    | "command_id"
    | "attempt"
    | "error_code"
    | "error"
    | "previous_version"
    | "previous_parameter"
    | "finished_at"
  >
>;

/** Rollouts as rows. Changes of many gateways share transactions. */
export class RolloutStore {
  readonly #writes: WriteBatch<
    { readonly rollout: string; readonly mac: string; readonly change: ItemChange }
  >;

  /**
   * `guard` fails the transactions by which rollouts go on, unless they are this node's to see to: where there are
   * several, one that was paused must not go on beside the one that took over. `outbox`: where it is written that a
   * rollout has another status, together with that.
   */
  constructor(
    private readonly db: Kysely<RolloutTables>,
    private readonly clock: Pick<Clock, "now">,
    private readonly guard?: (tx: Kysely<RolloutTables>) => Promise<void>,
    private readonly outbox?: Outbox,
  ) {
    this.#writes = new WriteBatch((writes) =>
      db.transaction().execute(async (tx) => {
        await guard?.(tx);
        for (const { rollout, mac, change } of writes) {
          await tx.updateTable("rollout_item").set(change)
            .where("rollout_id", "=", rollout).where("mac", "=", mac).execute();
        }
      })
    );
  }

  /**
   * Makes a rollout over these gateways, all or nothing. Which of them comes first is drawn by lot, so that the
   * first stage is a fair sample; the lot is a digest, so that it can be told afterwards.
   */
  async create(
    rollout: NewRolloutRow,
    stages: readonly NewStage[],
    items: readonly NewItem[],
  ): Promise<RolloutRow> {
    const row: RolloutRow = {
      ...rollout,
      id: newId(),
      status: "draft",
      reason: null,
      stage: 0,
      created_at: this.clock.now(),
      started_at: null,
      finished_at: null,
      approved_at: null,
      approved_by: null,
    };
    const lots = await drawn(row.id, items);
    const ends = endsOf(stages, lots.length);
    await this.db.transaction().execute(async (tx) => {
      await tx.insertInto("rollout").values(row).execute();
      await tx.insertInto("rollout_stage").values(stages.map((stage, no): StageRow => ({
        rollout_id: row.id,
        no,
        name: stage.name,
        total: ends[no]! - (ends[no - 1] ?? 0),
        success_threshold: stage.successThreshold,
        error_threshold: stage.errorThreshold,
      }))).execute();
      for (let at = 0; at < lots.length; at += CHUNK) {
        if (at > 0) await nextTurn();
        await tx.insertInto("rollout_item").values(
          lots.slice(at, at + CHUNK).map((item, i): ItemRow => ({
            rollout_id: row.id,
            mac: item.mac,
            stage: ends.findIndex((end) => at + i < end),
            place: at + i,
            status: item.skip === undefined ? "waiting" : "skipped",
            command_id: null,
            attempt: 0,
            error_code: null,
            error: item.skip ?? null,
            kind: item.kind ?? null,
            version: item.version ?? null,
            parameter: item.parameter ?? null,
            previous_version: null,
            previous_parameter: null,
            finished_at: item.skip === undefined ? null : row.created_at,
          })),
        ).execute();
      }
      await this.#noteMoved(tx, row);
    });
    return row;
  }

  find(id: string): Promise<RolloutRow | undefined> {
    return this.db.selectFrom("rollout").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** Rollouts, the newest first, from before `before`; those of one status, made by one actor. */
  list(
    limit: number,
    { before, status, by }: {
      readonly before?: string | undefined;
      readonly status?: RolloutStatus | undefined;
      readonly by?: string | undefined;
    } = {},
  ): Promise<RolloutRow[]> {
    let select = this.db.selectFrom("rollout").selectAll().orderBy("id", "desc").limit(limit);
    if (before !== undefined) select = select.where("id", "<", before);
    if (status !== undefined) select = select.where("status", "=", status);
    if (by !== undefined) select = select.where("created_by", "=", by);
    return select.execute();
  }

  /** Rollouts that go on by themselves, and halted ones with commands that were under way. */
  open(): Promise<RolloutRow[]> {
    return this.db.selectFrom("rollout").selectAll().where((where) =>
      where.or([
        where("status", "in", OPEN),
        where.exists(
          where.selectFrom("rollout_item").select("rollout_item.mac")
            .whereRef("rollout_item.rollout_id", "=", "rollout.id").where(
              "rollout_item.status",
              "=",
              "issued",
            ),
        ),
      ])
    ).orderBy("id").execute();
  }

  /**
   * Changes a rollout that is in one of the statuses `from`; undefined where it is not, or there is none.
   * @throws {ProblemError} 412 where its brakes are not as `seen`
   */
  async change(
    id: string,
    from: readonly RolloutStatus[],
    change: Updateable<Omit<RolloutRow, "id">>,
    seen?: string,
  ): Promise<RolloutRow | undefined> {
    return await this.db.transaction().execute(async (tx) => {
      const row = await this.#change(tx, id, from, change);
      if (row) await mustBe(tx, row, seen);
      return row;
    });
  }

  /** The same, by whoever sees to rollouts, and by nobody else. */
  async advance(
    id: string,
    from: readonly RolloutStatus[],
    change: Updateable<Omit<RolloutRow, "id">>,
  ): Promise<RolloutRow | undefined> {
    const { guard } = this;
    if (!guard) return await this.change(id, from, change);
    return await this.db.transaction().execute(async (tx) => {
      await guard(tx);
      return await this.#change(tx, id, from, change);
    });
  }

  async #change(
    tx: Kysely<RolloutTables>,
    id: string,
    from: readonly RolloutStatus[],
    change: Updateable<Omit<RolloutRow, "id">>,
  ): Promise<RolloutRow | undefined> {
    const row = await tx.updateTable("rollout").set(change).where("id", "=", id).where("status", "in", from)
      .returningAll().executeTakeFirst();
    if (row && change.status !== undefined) await this.#noteMoved(tx, row);
    return row;
  }

  async #noteMoved(tx: Kysely<RolloutTables>, row: RolloutRow): Promise<void> {
    await this.outbox?.put(tx, "rollout.moved", movedOf(row));
  }

  /** Removes a rollout that is in one of these statuses, with all that is known of it; false where it is not. */
  async remove(id: string, from: readonly RolloutStatus[]): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("rollout").where("id", "=", id)
      .where("status", "in", from).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  stages(id: string): Promise<StageRow[]> {
    return stagesOf(this.db, id);
  }

  /** The counts of every stage, by its number. */
  async counts(id: string): Promise<Map<number, Counts>> {
    const rows = await this.db.selectFrom("rollout_item")
      .select((e) => ["stage", "status", e.fn.countAll<number>().as("count")])
      .where("rollout_id", "=", id).groupBy(["stage", "status"]).execute();
    const counts = new Map<number, Record<ItemStatus, number>>();
    for (const { stage, status, count } of rows) {
      let stageCounts = counts.get(stage);
      if (!stageCounts) {
        counts.set(stage, stageCounts = { waiting: 0, issued: 0, succeeded: 0, failed: 0, skipped: 0 });
      }
      stageCounts[status] = Number(count);
    }
    return counts;
  }

  /** The next gateways to begin with, of this stage and of earlier ones that were let try again. */
  next(id: string, stage: number, limit: number): Promise<ItemRow[]> {
    return this.db.selectFrom("rollout_item").selectAll().where("rollout_id", "=", id)
      .where("stage", "<=", stage).where("status", "=", "waiting").orderBy("place").limit(limit).execute();
  }

  /** Gateways whose command was, or was to be, made and is not known to have ended. */
  issued(id: string): Promise<ItemRow[]> {
    return this.db.selectFrom("rollout_item").selectAll().where("rollout_id", "=", id)
      .where("status", "=", "issued").orderBy("place").execute();
  }

  /** Gateways by place, from behind `after`. */
  items(id: string, limit: number, after = -1, status?: ItemStatus): Promise<ItemRow[]> {
    let select = this.db.selectFrom("rollout_item").selectAll().where("rollout_id", "=", id)
      .where("place", ">", after).orderBy("place").limit(limit);
    if (status !== undefined) select = select.where("status", "=", status);
    return select.execute();
  }

  /** Every gateway on which it succeeded, a page at a time. */
  async *succeeded(id: string): AsyncGenerator<ItemRow[]> {
    for (let after = -1;;) {
      const rows = await this.items(id, PAGE, after, "succeeded");
      if (rows.length === 0) return;
      yield rows;
      after = rows.at(-1)!.place;
      await nextTurn();
    }
  }

  /**
   * Changes the brakes of a rollout that is in one of the statuses `from`; undefined where it is not, or there is none.
   * One that was approved waits for approval afterwards.
   * @throws {ProblemError} 412 where its brakes are not as `seen`
   */
  async brake(
    id: string,
    from: readonly RolloutStatus[],
    { stages = [], ...brakes }: NewBrakes,
    seen?: string,
  ): Promise<RolloutRow | undefined> {
    return await this.db.transaction().execute(async (tx) => {
      const held = tx.selectFrom("rollout").selectAll().where("id", "=", id);
      const before = await (onServer(tx) ? held.forUpdate() : held).executeTakeFirst();
      if (before) await mustBe(tx, before, seen);
      const row = await tx.updateTable("rollout").set((e) => ({
        ...brakes,
        status: e.case().when("approved_at", "is not", null).then<RolloutStatus>("approval").else(
          e.ref("status"),
        )
          .end(),
        approved_at: null,
        approved_by: null,
      })).where("id", "=", id).where("status", "in", from).returningAll().executeTakeFirst();
      if (!row) return undefined;
      if (row.status !== before?.status) await this.#noteMoved(tx, row);
      for (const [no, { successThreshold, errorThreshold }] of stages.entries()) {
        if (successThreshold === undefined && errorThreshold === undefined) continue;
        await tx.updateTable("rollout_stage").set({
          ...(successThreshold === undefined ? {} : { success_threshold: successThreshold }),
          ...(errorThreshold === undefined ? {} : { error_threshold: errorThreshold }),
        }).where("rollout_id", "=", id).where("no", "=", no).execute();
      }
      return row;
    });
  }

  /** Changes a gateway's place; resolves when that is on disk. */
  update(rollout: string, mac: string, change: ItemChange): Promise<void> {
    return this.#writes.write({ rollout, mac, change });
  }

  /**
   * Marks gateways as begun with, in one transaction: the ids of their commands are known before these are made. Fails
   * as a whole where one of them no longer waits. False, and nothing is done, where the rollout does not run any more:
   * whoever paused it may rely on that.
   */
  async issue(
    rollout: string,
    items: readonly { readonly mac: string; readonly change: ItemChange }[],
  ): Promise<boolean> {
    return await this.db.transaction().execute(async (tx) => {
      await this.guard?.(tx);
      // Setting what is there already holds the row, on either database, until this is through.
      const { numUpdatedRows: running } = await tx.updateTable("rollout").set({ status: "running" })
        .where("id", "=", rollout).where("status", "=", "running").executeTakeFirst();
      if (running !== 1n) return false;
      for (const { mac, change } of items) {
        const { numUpdatedRows } = await tx.updateTable("rollout_item").set(change)
          .where("rollout_id", "=", rollout).where("mac", "=", mac).where("status", "=", "waiting")
          .executeTakeFirst();
        if (numUpdatedRows !== 1n) throw new Error(`gateway ${mac} was begun with already`);
      }
      return true;
    });
  }

  /** Lets failed gateways wait for another try; answers how many. */
  retryFailed(id: string): Promise<number> {
    return this.#sweep(id, "failed", {
      status: "waiting",
      command_id: null,
      error_code: null,
      error: null,
      finished_at: null,
      attempt: 0,
    });
  }

  /** Gives up what still waits; answers how many. */
  skipWaiting(id: string, reason: string): Promise<number> {
    return this.#sweep(id, "waiting", { status: "skipped", error: reason, finished_at: this.clock.now() });
  }

  /** Changes every gateway of a rollout that is in a status, a page at a time; answers how many. */
  async #sweep(id: string, status: ItemStatus, change: ItemChange): Promise<number> {
    const { last } = await this.db.selectFrom("rollout_item")
      .select((e) => e.fn.max<number | null>("place").as("last"))
      .where("rollout_id", "=", id).executeTakeFirstOrThrow();
    let all = 0;
    for (let from = 0; from <= Number(last ?? -1); from += PAGE) {
      if (from > 0) await nextTurn();
      const { numUpdatedRows } = await this.db.updateTable("rollout_item").set(change)
        .where("rollout_id", "=", id).where("place", ">=", from).where("place", "<", from + PAGE)
        .where("status", "=", status).executeTakeFirst();
      all += Number(numUpdatedRows);
    }
    return all;
  }

  /** The versions of a plug-in that were last seen on these gateways. */
  async versionsOf(plugin: string, macs: readonly string[]): Promise<Map<string, string>> {
    if (macs.length === 0) return new Map();
    const rows = await this.db.selectFrom("gateway_plugin").select(["mac", "version"])
      .where("name", "=", plugin).where("mac", "in", macs).execute();
    return new Map(rows.map(({ mac, version }) => [mac, version]));
  }

  /** Which of these gateways are still preset. */
  async present(macs: readonly string[]): Promise<Set<string>> {
    if (macs.length === 0) return new Set();
    const rows = await this.db.selectFrom("gateway").select("mac").where("mac", "in", macs)
      .where("deleted_at", "is", null).execute();
    return new Set(rows.map(({ mac }) => mac));
  }

  flush(): Promise<void> {
    return this.#writes.flush();
  }
}

/**
 * Commands as durable rows: what was asked of a gateway, how far it is, and how it ended.
 *
 * @module
 */
import { type Compilable, type Kysely, sql } from "kysely";
import { onServer, Statement, WriteBatch } from "../../storage/mod.ts";
import type { Outbox } from "../outbox/mod.ts";
import type { GatewayCondition } from "./gateways.ts";
import type { CommandEventRow, CommandKind, CommandRow, CommandStatus, RegistryTables } from "./schema.ts";

/** A change of a command. Only what is given is written. */
export type CommandChange = Partial<
  Pick<
    CommandRow,
    | "status"
    | "result"
    | "reply"
    | "error_code"
    | "error"
    | "progress"
    | "attempt"
    | "sent_at"
    | "acked_at"
    | "finished_at"
  >
>;

/** Which commands a search is for: all that is given must hold. Times are milliseconds since 1970. */
export interface CommandFilter {
  readonly macs?: readonly string[] | undefined;
  readonly statuses?: readonly CommandStatus[] | undefined;
  readonly kinds?: readonly CommandKind[] | undefined;
  readonly plugin?: string | undefined;
  readonly actor?: string | undefined;
  readonly errorCode?: string | undefined;
  /** Made from then on, and before then. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Only of gateways that are there and fit. */
  readonly gateways?: GatewayCondition | undefined;
}

/** Statuses that a command can still leave. */
export const OPEN_STATUSES: readonly CommandStatus[] = ["queued", "sent", "acked"];

/** Why a command that waited was cancelled with its gateway, by its `error_code`. */
export const ORPHANED = {
  gateway_removed: "its gateway was removed before it was sent",
  gateway_reassigned: "its gateway got another LOID before it was sent",
} as const;

/** Cancels what waits for a gateway that is not whom it was for any more, in a transaction. */
export async function orphanCommands(
  tx: Kysely<RegistryTables>,
  mac: string,
  why: keyof typeof ORPHANED,
  now: number,
  outbox?: Outbox,
): Promise<void> {
  const status = "cancelled";
  const ended = await tx.updateTable("command")
    .set({ status, error_code: why, error: ORPHANED[why], finished_at: now })
    .where("mac", "=", mac).where("status", "=", "queued").returning("id").execute();
  for (const { id } of ended) await outbox?.put(tx, "command.changed", { id, mac, status });
}

/** Whether `status` is final. */
export function isFinal(status: CommandStatus): boolean {
  return !OPEN_STATUSES.includes(status);
}

/** Kinds that do the same when done twice: these may be sent again where it is unknown whether they arrived. */
export function isRepeatable(kind: CommandKind): boolean {
  return kind !== "post";
}

/** The number of PostgreSQL's advisory lock under which commands are taken over. */
const TAKE_OVER_LOCK = 6_041_947;

/** Writes that may wait for the database; past that they are refused, and whoever asked asks again. */
const MAX_WAITING = 100_000;

/** A node in one of its lives, as a command's row names it. */
export interface CommandOwner {
  readonly node: string;
  readonly epoch: number;
}

interface Change {
  readonly id: string;
  readonly change: CommandChange;
  readonly owner: CommandOwner | undefined;
  /** Set where it was not written, since another node has the command. */
  lost?: boolean;
}

type Write = { readonly insert: CommandRow } | Change;

/**
 * Commands as rows. Writes of many callers share transactions; a promise of {@linkcode CommandStore.insert} or
 * {@linkcode CommandStore.update} that has resolved means that the row is on disk.
 */
export class CommandStore {
  readonly #writes: WriteBatch<Write>;
  /** By the columns that they set: there are a handful of them. */
  readonly #statements = new Map<string, Statement<unknown>>();

  /** `outbox`: where it is written that a command has ended, together with its end. */
  constructor(private readonly db: Kysely<RegistryTables>, private readonly outbox?: Outbox) {
    this.#writes = new WriteBatch((writes) => this.#writeAll(writes), undefined, MAX_WAITING);
  }

  /** Writes that wait for the database. */
  get waiting(): number {
    return this.#writes.pending;
  }

  insert(row: CommandRow): Promise<void> {
    return this.#writes.write({ insert: { ...row } });
  }

  /**
   * Changes a command. Where an `owner` is named it is changed only if that one still has it: false where another
   * node does by now, or nobody knows the command.
   */
  async update(id: string, change: CommandChange, owner?: CommandOwner): Promise<boolean> {
    const write: Write = { id, change, owner };
    await this.#writes.write(write);
    return !write.lost;
  }

  /**
   * Takes up to `limit` open commands over whose node has left or was given up; answers them as they are. A command
   * that another node is taking at the same moment is left to it.
   */
  async takeOver({ node, epoch }: CommandOwner, limit: number): Promise<CommandRow[]> {
    const rows = await this.db.transaction().execute(async (tx) => {
      // One after the other: a row that another node took a moment ago would pass the test below once more, since
      // PostgreSQL looks at the changed row again, but not at the rows that it found missing beside it.
      await sql`select pg_advisory_xact_lock(${TAKE_OVER_LOCK})`.execute(tx);
      return (await sql<CommandRow>`
      update command set node = ${node}, epoch = ${epoch} where id in (
        select c.id from command c where c.status in ('queued', 'sent', 'acked') and not exists (
          select 1 from cluster_node n where n.node = c.node and n.epoch = c.epoch
        ) order by c.id limit ${limit} for update skip locked
      ) and exists (select 1 from cluster_node n where n.node = ${node} and n.epoch = ${epoch})
      returning *`.execute(tx)).rows;
    });
    return rows.sort((a, b) => a.id < b.id ? -1 : 1);
  }

  /** Waits until nothing is left to write. */
  flush(): Promise<void> {
    return this.#writes.flush();
  }

  find(id: string): Promise<CommandRow | undefined> {
    return this.db.selectFrom("command").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** Commands of a gateway, newest first. `before` is the last id of the page before. */
  list(mac: string, limit: number, before?: string): Promise<CommandRow[]> {
    let select = this.db.selectFrom("command").selectAll().where("mac", "=", mac).orderBy("id", "desc").limit(
      limit,
    );
    if (before !== undefined) select = select.where("id", "<", before);
    return select.execute();
  }

  /** Commands of the whole fleet, newest first. `before` is the last id of the page before. */
  search(filter: CommandFilter, limit: number, before?: string): Promise<CommandRow[]> {
    let select = this.db.selectFrom("command").selectAll().orderBy("id", "desc").limit(limit);
    const { macs, statuses, kinds, gateways } = filter;
    if (before !== undefined) select = select.where("id", "<", before);
    if (macs) select = select.where("mac", "in", macs);
    if (statuses) select = select.where("status", "in", statuses);
    if (kinds) select = select.where("kind", "in", kinds);
    if (filter.plugin !== undefined) select = select.where("plugin", "=", filter.plugin);
    if (filter.actor !== undefined) select = select.where("actor", "=", filter.actor);
    if (filter.errorCode !== undefined) select = select.where("error_code", "=", filter.errorCode);
    if (filter.since !== undefined) select = select.where("created_at", ">=", filter.since);
    if (filter.until !== undefined) select = select.where("created_at", "<", filter.until);
    if (gateways) {
      select = select.where(
        "mac",
        "in",
        (eb) =>
          eb.selectFrom("gateway").select("gateway.mac").where("gateway.deleted_at", "is", null)
            // What it needs beyond the gateway's own row is in tables of the same database.
            .where((inner) => gateways(inner as Parameters<GatewayCondition>[0])),
      );
    }
    return select.execute();
  }

  /** Notes why a command is sent once more. */
  async note(event: CommandEventRow): Promise<void> {
    await this.db.insertInto("command_event").values(event).execute();
  }

  /** Why a command was sent more than once, the oldest first. */
  events(id: string): Promise<CommandEventRow[]> {
    return this.db.selectFrom("command_event").selectAll().where("command_id", "=", id).orderBy("at")
      .orderBy("attempt").execute();
  }

  /** Commands that have not ended, oldest first: what a starting platform has to see to. */
  open(): Promise<CommandRow[]> {
    return this.db.selectFrom("command").selectAll().where("status", "in", [...OPEN_STATUSES]).orderBy("id")
      .execute();
  }

  /** Removes up to `limit` ended commands that were made before `time` (milliseconds since 1970); answers how many. */
  async forgetBefore(time: number, limit: number): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("command").where(
      "id",
      "in",
      (eb) =>
        eb.selectFrom("command").select("id").where("created_at", "<", time)
          .where("status", "not in", [...OPEN_STATUSES]).limit(limit),
    ).executeTakeFirst();
    return Number(numDeletedRows);
  }

  async #writeAll(writes: readonly Write[]): Promise<void> {
    if (writes.length === 1 && !this.#isHeardOf(writes[0]!)) return await this.#write(this.db, writes[0]!);
    await this.db.transaction().execute(async (tx) => {
      for (const write of writes) {
        const ends = this.#isHeardOf(write) && await this.#openOne(tx, write.id);
        await this.#write(tx, write);
        if (ends && !write.lost) {
          const { id, change: { status } } = write;
          await this.outbox!.put(tx, "command.changed", { id, mac: ends.mac, status: status! });
        }
      }
    });
  }

  /** Whether a write ends a command, and somebody is to hear of that. */
  #isHeardOf(write: Write): write is Change {
    if ("insert" in write) return false;
    const { id, change: { status } } = write;
    return status !== undefined && isFinal(status) &&
      this.outbox?.wants("command.changed", { id, mac: "", status }) === true;
  }

  /** A command that has not ended, held until `tx` is through. One that has is not told of twice. */
  #openOne(tx: Kysely<RegistryTables>, id: string): Promise<{ mac: string } | undefined> {
    const select = tx.selectFrom("command").select("mac").where("id", "=", id)
      .where("status", "in", [...OPEN_STATUSES]);
    return (onServer(tx) ? select.forUpdate() : select).executeTakeFirst();
  }

  async #write(db: Kysely<RegistryTables>, write: Write): Promise<void> {
    if ("insert" in write) {
      const statement = this.#statement(
        "insert",
        write.insert,
        () => db.insertInto("command").values(write.insert),
      );
      await statement.run(db, Object.values(write.insert));
    } else if (write.owner) {
      const { id, change, owner } = write;
      const statement = this.#statement(
        "update of an owner",
        change,
        () =>
          db.updateTable("command").set(change).where("id", "=", id)
            .where("node", "=", owner.node).where("epoch", "=", owner.epoch).returning("id"),
      );
      const rows = await statement.run(db, [...Object.values(change), id, owner.node, owner.epoch]);
      write.lost = rows.length === 0;
    } else {
      const statement = this.#statement(
        "update",
        write.change,
        () => db.updateTable("command").set(write.change).where("id", "=", write.id),
      );
      await statement.run(db, [...Object.values(write.change), write.id]);
    }
  }

  #statement(kind: string, columns: object, build: () => Compilable<unknown>): Statement<unknown> {
    const key = `${kind} ${Object.keys(columns).join()}`;
    let statement = this.#statements.get(key);
    if (!statement) this.#statements.set(key, statement = new Statement(build));
    return statement;
  }
}

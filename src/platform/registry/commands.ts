/**
 * Commands as durable rows: what was asked of a gateway, how far it is, and how it ended.
 *
 * @module
 */
import type { Compilable, Kysely } from "kysely";
import { Statement, WriteBatch } from "../../storage/mod.ts";
import type { CommandKind, CommandRow, CommandStatus, RegistryTables } from "./schema.ts";

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

/** Statuses that a command can still leave. */
export const OPEN_STATUSES: readonly CommandStatus[] = ["queued", "sent", "acked"];

/** Whether `status` is final. */
export function isFinal(status: CommandStatus): boolean {
  return !OPEN_STATUSES.includes(status);
}

/** Kinds that do the same when done twice: these may be sent again where it is unknown whether they arrived. */
export function isRepeatable(kind: CommandKind): boolean {
  return kind !== "post";
}

type Write = { insert: CommandRow } | { id: string; change: CommandChange };

/**
 * Commands as rows. Writes of many callers share transactions; a promise of {@linkcode CommandStore.insert} or
 * {@linkcode CommandStore.update} that has resolved means that the row is on disk.
 */
export class CommandStore {
  readonly #writes: WriteBatch<Write>;
  /** By the columns that they set: there are a handful of them. */
  readonly #statements = new Map<string, Statement<unknown>>();

  constructor(private readonly db: Kysely<RegistryTables>) {
    this.#writes = new WriteBatch((writes) => this.#writeAll(writes));
  }

  insert(row: CommandRow): Promise<void> {
    return this.#writes.write({ insert: { ...row } });
  }

  update(id: string, change: CommandChange): Promise<void> {
    return this.#writes.write({ id, change });
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

  /** Commands that have not ended, oldest first: what a starting platform has to see to. */
  open(): Promise<CommandRow[]> {
    return this.db.selectFrom("command").selectAll().where("status", "in", [...OPEN_STATUSES]).orderBy("id")
      .execute();
  }

  /** Removes ended commands that were made before `time` (milliseconds since 1970); answers how many. */
  async forgetBefore(time: number): Promise<number> {
    const { numDeletedRows } = await this.db.deleteFrom("command")
      .where("created_at", "<", time).where("status", "not in", [...OPEN_STATUSES]).executeTakeFirst();
    return Number(numDeletedRows);
  }

  async #writeAll(writes: readonly Write[]): Promise<void> {
    if (writes.length === 1) return await this.#write(this.db, writes[0]!);
    await this.db.transaction().execute(async (tx) => {
      for (const write of writes) await this.#write(tx, write);
    });
  }

  async #write(db: Kysely<RegistryTables>, write: Write): Promise<void> {
    if ("insert" in write) {
      const statement = this.#statement(
        "insert",
        write.insert,
        () => db.insertInto("command").values(write.insert),
      );
      await statement.run(db, Object.values(write.insert));
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

/**
 * Looking at the rules now and then: raising, clearing, and telling.
 *
 * An alarm is raised once its value has been at the rule's height for as long as the rule says, and cleared once it has
 * been below the lower mark for as long: what swings between the two changes nothing. Alarms are rows: they are there
 * after a restart, and among several nodes each is raised once.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, messageOf, newId, type Timer } from "../../base/mod.ts";
import { stillIs } from "../../storage/mod.ts";
import type { Outbox } from "../outbox/mod.ts";
import type { PlatformBus, PlatformEvents } from "../subjects.ts";
import {
  type AlarmKind,
  type AlarmRow,
  type AlarmRuleRow,
  type AlarmTables,
  SEVERITIES,
  type Severity,
} from "./schema.ts";

/** What a rule sees of one thing. */
export interface Observation {
  readonly subject: string;
  readonly value: number;
  /** One sentence for people. */
  readonly detail: string;
}

/** Looks at what one kind of rule is about. What it does not name has the value 0. */
export interface Source {
  /** Of which subjects it can tell that all is well; others are another node's to clear. Default: of all. */
  readonly tells?: (subject: string) => boolean;
  observe(rule: AlarmRuleRow): Promise<readonly Observation[]> | readonly Observation[];
}

/** What looking for alarms leans on. */
export interface AlarmsDeps extends Pick<Deps, "clock" | "log" | "metrics"> {
  readonly sql: Kysely<AlarmTables>;
  readonly bus: Pick<PlatformBus, "publish">;
  /** Where it is written what becomes of alarms, together with that. */
  readonly outbox?: Outbox;
  readonly sources: Readonly<Partial<Record<AlarmKind, Source>>>;
}

/** How often the rules are looked at, in milliseconds. */
export const LOOK_MS = 15_000;
/** How long alarms that are over are kept, and how often old ones are removed. */
const KEEP_MS = 90 * 86_400_000, TIDY_MS = 3_600_000;
/** Things that one rule can be about at once. */
const MAX_SUBJECTS = 1000;

/** The alarms. Dispose of it to stop looking. */
export class Alarms implements AsyncDisposable {
  /** Since when (monotonic) something has been on the other side of its rule's mark. */
  readonly #since = new Map<string, number>();
  readonly #raised = new Map<Severity, number>();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #tidiedAt = -Infinity;
  #stopped = false;

  constructor(private readonly deps: AlarmsDeps) {
    for (const severity of SEVERITIES) {
      const read = () => this.#raised.get(severity) ?? 0;
      deps.metrics.gauge("gatehouse_alarms", "Alarms that are raised, by severity", read, { severity });
    }
    this.#schedule();
  }

  /** Looks at all rules now. */
  look(): Promise<void> {
    return this.#looking = this.#looking.then(() => this.#look()).catch((error) =>
      this.deps.log.warn("alarms were not looked for", { error: messageOf(error) })
    );
  }

  rules(): Promise<AlarmRuleRow[]> {
    return this.deps.sql.selectFrom("alarm_rule").selectAll().orderBy("id").execute();
  }

  rule(id: string): Promise<AlarmRuleRow | undefined> {
    return this.deps.sql.selectFrom("alarm_rule").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /**
   * Writes a rule. Where it is about something else now, what it had raised is over. `only`: if it still is that row,
   * or if there is none yet; undefined where it is otherwise.
   */
  async setRule(
    rule: Omit<AlarmRuleRow, "updated_at">,
    only?: Partial<AlarmRuleRow> | "absent",
  ): Promise<AlarmRuleRow | undefined> {
    const row = { ...rule, updated_at: this.deps.clock.now() }, { sql } = this.deps;
    const before = await this.rule(row.id);
    if (only === undefined || only === "absent") {
      const { numInsertedOrUpdatedRows } = await sql.insertInto("alarm_rule").values(row)
        .onConflict((conflict) =>
          only ? conflict.column("id").doNothing() : conflict.column("id").doUpdateSet(row)
        )
        .executeTakeFirst();
      if (only && !numInsertedOrUpdatedRows) return undefined;
    } else {
      const { numUpdatedRows } = await sql.updateTable("alarm_rule").set(row).where("id", "=", row.id)
        .where(stillIs(only)).executeTakeFirst();
      if (numUpdatedRows === 0n) return undefined;
    }
    const same = before?.kind === row.kind && before.group_name === row.group_name && row.enabled === 1;
    if (before && !same) await this.#clearAll(row.id);
    return row;
  }

  /** Removes a rule, and with it what it had raised; false where there is none, or not as `was` says any more. */
  async removeRule(id: string, was?: Partial<AlarmRuleRow>): Promise<boolean> {
    const { numDeletedRows } = await this.deps.sql.deleteFrom("alarm_rule").where("id", "=", id)
      .where(stillIs(was)).executeTakeFirst();
    if (numDeletedRows === 0n) return false;
    await this.#clearAll(id);
    return true;
  }

  find(id: string): Promise<AlarmRow | undefined> {
    return this.deps.sql.selectFrom("alarm").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** Alarms, newest first. `groups`: only those of these groups. `before` is the last id of the page before. */
  list(
    query: {
      readonly state?: "raised" | "cleared" | undefined;
      readonly severity?: Severity | undefined;
      readonly rule?: string | undefined;
      readonly groups?: readonly string[] | undefined;
    },
    limit: number,
    before?: string,
  ): Promise<AlarmRow[]> {
    let select = this.deps.sql.selectFrom("alarm").selectAll().orderBy("id", "desc").limit(limit);
    if (query.state) select = select.where("cleared_at", query.state === "raised" ? "is" : "is not", null);
    if (query.severity) select = select.where("severity", "=", query.severity);
    if (query.rule !== undefined) select = select.where("rule_id", "=", query.rule);
    if (query.groups) {
      select = select.where("group_name", "in", query.groups.length > 0 ? query.groups : [""]);
    }
    if (before !== undefined) select = select.where("id", "<", before);
    return select.execute();
  }

  /** Notes that somebody sees to an alarm; undefined where there is none, or somebody did before. */
  async acknowledge(id: string, by: string, note: string | null): Promise<AlarmRow | undefined> {
    return await this.#changeAndTell("acknowledged", (tx) =>
      tx.updateTable("alarm")
        .set({ acknowledged_at: this.deps.clock.now(), acknowledged_by: by, note })
        .where("id", "=", id).where("acknowledged_at", "is", null).returningAll().executeTakeFirst());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.deps.clock.setTimer(() => void this.look().then(() => this.#schedule()), LOOK_MS);
  }

  async #look(): Promise<void> {
    const active = await this.#active(), seen = new Set<string>();
    for (const rule of await this.rules()) {
      const source = rule.enabled ? this.deps.sources[rule.kind] : undefined;
      if (!source) continue;
      const raised = new Map(
        active.filter((row) => row.rule_id === rule.id).map((row) => [row.subject, row]),
      );
      try {
        const found = (await source.observe(rule)).slice(0, MAX_SUBJECTS);
        for (const observation of found) {
          const key = `${rule.id}\0${observation.subject}`, alarm = raised.get(observation.subject);
          seen.add(key);
          raised.delete(observation.subject);
          if (alarm) await this.#mayClear(key, rule, alarm, observation.value);
          else await this.#mayRaise(key, rule, observation);
        }
        for (const [subject, alarm] of raised) {
          if (source.tells && !source.tells(subject)) continue;
          const key = `${rule.id}\0${subject}`;
          seen.add(key);
          await this.#mayClear(key, rule, alarm, 0);
        }
      } catch (error) {
        // What can't be looked at is neither raised nor cleared.
        for (const key of this.#since.keys()) if (key.startsWith(`${rule.id}\0`)) seen.add(key);
        this.deps.log.warn("an alarm rule could not be looked at", {
          rule: rule.id,
          error: messageOf(error),
        });
      }
    }
    for (const key of this.#since.keys()) if (!seen.has(key)) this.#since.delete(key);
    await this.#count();
    await this.#tidy();
  }

  async #mayRaise(key: string, rule: AlarmRuleRow, { subject, value, detail }: Observation): Promise<void> {
    if (!this.#heldFor(key, value >= rule.raise_at, rule.hold_ms)) return;
    const { kind, severity, group_name } = rule, raised_at = this.deps.clock.now();
    const row: AlarmRow = {
      ...{ id: newId(), rule_id: rule.id, kind, subject, severity, group_name, detail, value, raised_at },
      ...{ cleared_at: null, acknowledged_at: null, acknowledged_by: null, note: null },
    };
    const raised = await this.#changeAndTell(
      "raised",
      (tx) =>
        tx.insertInto("alarm").values(row).onConflict((conflict) => conflict.doNothing())
          .returningAll().executeTakeFirst(),
    );
    if (!raised) return; // another node was quicker
    this.deps.log.warn("alarm raised", { alarm: row.id, rule: rule.id, subject, severity, detail });
  }

  async #mayClear(key: string, rule: AlarmRuleRow, alarm: AlarmRow, value: number): Promise<void> {
    if (this.#heldFor(key, value < rule.clear_below, rule.hold_ms)) await this.#clear(alarm);
  }

  /** Whether something has been so for `ms`; forgets it where it is not, or was for long enough. */
  #heldFor(key: string, so: boolean, ms: number): boolean {
    const now = this.deps.clock.monotonic();
    if (!so) {
      this.#since.delete(key);
      return false;
    }
    const since = this.#since.get(key) ?? now;
    if (now - since < ms) {
      this.#since.set(key, since);
      return false;
    }
    this.#since.delete(key);
    return true;
  }

  async #clear(alarm: AlarmRow): Promise<void> {
    const cleared_at = this.deps.clock.now();
    const cleared = await this.#changeAndTell("cleared", (tx) =>
      tx.updateTable("alarm").set({ cleared_at })
        .where("id", "=", alarm.id).where("cleared_at", "is", null).returningAll().executeTakeFirst());
    if (!cleared) return;
    this.deps.log.info("alarm cleared", { alarm: alarm.id, rule: alarm.rule_id, subject: alarm.subject });
  }

  /** Changes one alarm in a transaction, if `change` finds it, and tells of it: on the bus once it is on disk. */
  async #changeAndTell(
    state: AlarmState,
    change: (tx: Kysely<AlarmTables>) => Promise<AlarmRow | undefined>,
  ): Promise<AlarmRow | undefined> {
    const { sql, outbox, bus } = this.deps;
    const row = await sql.transaction().execute(async (tx) => {
      const row = await change(tx);
      if (row) await outbox?.put(tx, "alarm.changed", tellingOf(row, state));
      return row;
    });
    if (row) bus.publish("alarm.changed", tellingOf(row, state));
    return row;
  }

  async #clearAll(rule: string): Promise<void> {
    for (const alarm of await this.#active()) if (alarm.rule_id === rule) await this.#clear(alarm);
  }

  #active(): Promise<AlarmRow[]> {
    return this.deps.sql.selectFrom("alarm").selectAll().where("cleared_at", "is", null).orderBy("id")
      .execute();
  }

  async #count(): Promise<void> {
    const active = await this.#active();
    for (const severity of SEVERITIES) {
      this.#raised.set(severity, active.filter((row) => row.severity === severity).length);
    }
  }

  async #tidy(): Promise<void> {
    const now = this.deps.clock.monotonic();
    if (now - this.#tidiedAt < TIDY_MS) return;
    this.#tidiedAt = now;
    await this.deps.sql.deleteFrom("alarm").where("cleared_at", "<", this.deps.clock.now() - KEEP_MS)
      .execute();
  }
}

function tellingOf(row: AlarmRow, state: AlarmState): PlatformEvents["alarm.changed"] {
  const { id, rule_id: rule, kind, subject, severity, group_name: group, detail } = row;
  return { id, rule, kind, subject, severity, group, detail, state };
}

/** What became of an alarm. */
export type AlarmState = "raised" | "cleared" | "acknowledged";

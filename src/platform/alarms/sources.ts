/**
 * What the rules look at: the fleet in the database, counters of this process, rollouts, services, short messages.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";
import type { Clock, Metrics, Service } from "../../base/mod.ts";
import type { Fleet, FleetTables } from "../fleet/mod.ts";
import type { RolloutTables } from "../rollouts/mod.ts";
import type { SmsAlarm } from "../sms/mod.ts";
import type { WebhookTables } from "../webhooks/mod.ts";
import type { Observation, Source } from "./alarms.ts";
import type { AlarmKind, AlarmRuleRow } from "./schema.ts";

/** What is looked at. */
export interface SourceParts {
  readonly sql: Kysely<FleetTables & RolloutTables & WebhookTables>;
  readonly clock: Pick<Clock, "now">;
  readonly metrics: Pick<Metrics, "total">;
  readonly fleet: Pick<Fleet, "groups">;
  /** This node's name among several; "" where there is one. */
  readonly node: string;
  /** Those of this node. */
  services(): readonly Service[];
  /** The short-message service's alarms that are raised. */
  shortMessages?: (() => readonly SmsAlarm[]) | undefined;
}

/** One source a kind of rule. */
export function platformSources(parts: SourceParts): Readonly<Record<AlarmKind, Source>> {
  const { node } = parts, ours = (subject: string) => subject === node || subject.startsWith(`${node}/`);
  const named = (name: string) => node === "" ? name : `${node}/${name}`;
  // What one process counts or runs, only that process can say is over.
  const local = node === "" ? {} : { tells: ours };
  return {
    offline_share: { observe: (rule) => offlineShare(parts, rule) },
    registration_failures: { ...local, observe: registrationFailures(parts) },
    queue_age: { observe: (rule) => queueAge(parts, rule) },
    rollout_paused: { observe: () => pausedRollouts(parts) },
    service: {
      ...local,
      observe: () =>
        parts.services().flatMap((service): Observation[] => {
          const { status, detail } = service.health();
          if (status === "up") return [];
          return [{
            subject: named(service.name),
            value: status === "down" ? 2 : 1,
            detail: `${service.name} is ${status}${detail === undefined ? "" : `: ${detail}`}`,
          }];
        }),
    },
    short_messages: {
      ...local,
      observe: () =>
        (parts.shortMessages?.() ?? []).map(({ kind, subject, detail }) => ({
          subject: named(subject === "" ? kind : `${kind} ${subject}`),
          value: 1,
          detail,
        })),
    },
    webhooks: { observe: () => failingWebhooks(parts) },
  };
}

/** Of a rule's group as a whole, or of every region. */
async function offlineShare(
  { sql: db, fleet }: SourceParts,
  { group_name, least }: AlarmRuleRow,
): Promise<Observation[]> {
  const within = group_name === null ? undefined : await fleet.groups.membersOf([group_name]);
  const select = db.selectFrom("gateway").where("deleted_at", "is", null)
    .where("registered_at", "is not", null)
    .select((e) => [e.fn.countAll<number>().as("total"), sql<number>`sum(online)`.as("online")]);
  if (within) {
    const { total, online } = await select.where((eb) => within(eb)).executeTakeFirstOrThrow();
    return share(group_name!, `group "${group_name}"`, Number(total), Number(online ?? 0), least);
  }
  const rows = await select.select("region").groupBy("region").execute();
  return rows.flatMap(({ region, total, online }) =>
    share(
      region ?? "",
      region === null ? "gateways without a region" : `region "${region}"`,
      Number(total),
      Number(online ?? 0),
      least,
    )
  );
}

function share(subject: string, name: string, total: number, online: number, least: number): Observation[] {
  if (total < least) return [];
  const offline = total - online;
  return [{ subject, value: offline / total * 100, detail: `${offline} of ${total} of ${name} are offline` }];
}

function registrationFailures({ metrics, node }: SourceParts): Source["observe"] {
  // Each rule compares with its own last look.
  const before = new Map<string, { all: number; failed: number }>();
  return ({ id, least }) => {
    const all = metrics.total("gatehouse_registers_total");
    const failed = metrics.total("gatehouse_registers_failed_total");
    const last = before.get(id);
    // Too few for a share are added to the next look's.
    if (last && all - last.all < least && all > last.all) return [];
    before.set(id, { all, failed });
    if (!last || all === last.all) return [];
    const some = all - last.all, bad = failed - last.failed;
    return [{
      subject: node,
      value: bad / some * 100,
      detail: `${bad} of the last ${some} Registers failed`,
    }];
  };
}

async function queueAge(
  { sql: db, clock, fleet }: SourceParts,
  { group_name }: AlarmRuleRow,
): Promise<Observation[]> {
  const within = group_name === null ? undefined : await fleet.groups.membersOf([group_name]);
  let select = db.selectFrom("command").innerJoin("gateway", "gateway.mac", "command.mac")
    .select((e) => e.fn.min("command.created_at").as("oldest"))
    .where("command.status", "=", "queued").where("gateway.online", "=", 1)
    .where("gateway.deleted_at", "is", null);
  if (within) {
    select = select.where(
      "command.mac",
      "in",
      (eb) => eb.selectFrom("gateway").select("gateway.mac").where((inner) => within(inner)),
    );
  }
  const row = await select.executeTakeFirst();
  if (row?.oldest === undefined || row.oldest === null) return [];
  const value = Math.round((clock.now() - Number(row.oldest)) / 1000);
  return [{
    subject: group_name ?? "",
    value,
    detail: `a command has waited for ${value} s although its gateway is online`,
  }];
}

async function pausedRollouts({ sql: db }: SourceParts): Promise<Observation[]> {
  const rows = await db.selectFrom("rollout").select(["id", "name", "reason"]).where("status", "=", "paused")
    .orderBy("id").limit(100).execute();
  return rows.map(({ id, name, reason }) => ({
    subject: id,
    value: 1,
    detail: `rollout "${name}" has paused${reason === null ? "" : `: ${reason}`}`,
  }));
}

/** For how long nothing is delivered until it counts, in milliseconds. */
const WEBHOOK_FAILS_MS = 3_600_000;

async function failingWebhooks({ sql: db, clock }: SourceParts): Promise<Observation[]> {
  const rows = await db.selectFrom("webhook").select(["id", "url", "disabled_reason", "failing_since"])
    .where((eb) =>
      eb.or([
        eb("disabled_reason", "is not", null),
        eb.and([eb("enabled", "=", 1), eb("failing_since", "<=", clock.now() - WEBHOOK_FAILS_MS)]),
      ])
    ).orderBy("id").execute();
  return rows.map(({ id, url, disabled_reason }) => {
    // A path or a query may hold what opens the receiver's door.
    const receiver = new URL(url).host;
    const detail = disabled_reason === null
      ? `${receiver} has taken nothing for an hour or more`
      : disabled_reason === "gone"
      ? `${receiver} answered 410, and its webhook was disabled`
      : `${receiver} has taken nothing for days, and its webhook was disabled`;
    return { subject: id, value: disabled_reason === null ? 1 : 2, detail };
  });
}

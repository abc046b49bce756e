/**
 * Looking for what is an alarm: at the outlets, the queues, the providers and the answers.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";
import { Result } from "../../protocol/cmpp/mod.ts";
import type { AlarmLimits, Finding } from "./alarms.ts";
import type { Outlet } from "./outlet.ts";
import type { SmsStore } from "./store.ts";

/** What is looked at. */
export interface Watched {
  readonly outlets: readonly Outlet[];
  readonly store: Pick<SmsStore, "outboxSizes">;
  /** When the longest waiting message became due. */
  readonly oldestWaiting: () => number | undefined;
  /** Whether a provider has a connection. */
  readonly present: (spId: string) => boolean;
  /** SUBMITs answered so far, by their Result. */
  readonly results: () => ReadonlyMap<number, { readonly value: number }>;
  /** Seconds that Msg_Ids are ahead of the clock. */
  readonly idsAhead: () => number;
  /** How much of what was kept could not be read. */
  readonly unreadable: () => number;
}

/** Gives what finds all that is so now; remembers how many SUBMITs there were the last time. */
export function watch(clock: Clock, limits: AlarmLimits, watched: Watched): () => Promise<Finding[]> {
  let submits = 0, refused = 0;
  const flowControl = (): Finding[] => {
    const results = watched.results(), before = { submits, refused };
    submits = [...results.values()].reduce((sum, { value }) => sum + value, 0);
    refused = results.get(Result.flowControl)?.value ?? 0;
    const all = submits - before.submits, eights = refused - before.refused;
    if (all < limits.flowControlLeast || eights / all <= limits.flowControlShare) return [];
    const detail = `${eights} of the last ${all} SUBMITs were answered 8: see rates, windows and the backlog`;
    return [{ kind: "flow_control", subject: "", detail }];
  };
  return async () => {
    const now = clock.now();
    return [
      ...outletsDown(now, limits, watched),
      ...queueAge(now, limits, watched),
      ...await providersAway(now, limits, watched),
      ...flowControl(),
      ...idsAhead(limits, watched),
      ...unreadable(watched),
    ];
  };
}

function outletsDown(now: number, { outletDownMs }: AlarmLimits, { outlets }: Watched): Finding[] {
  return outlets.flatMap((outlet): Finding[] => {
    const { name, connected, since, lastError } = outlet.status();
    if (connected || now - since < outletDownMs) return [];
    const detail = `not connected for ${seconds(now - since)}${
      lastError === undefined ? "" : `: ${lastError}`
    }`;
    return [{ kind: "outlet_down", subject: name, detail }];
  });
}

function queueAge(now: number, { queueAgeMs }: AlarmLimits, { oldestWaiting }: Watched): Finding[] {
  const oldest = oldestWaiting();
  if (oldest === undefined || now - oldest < queueAgeMs) return [];
  const detail = `a message has waited for the centre for ${seconds(now - oldest)}`;
  return [{ kind: "queue_age", subject: "", detail }];
}

function idsAhead({ idsAheadS }: AlarmLimits, watched: Watched): Finding[] {
  const ahead = watched.idsAhead();
  if (ahead < idsAheadS) return [];
  const detail =
    `Msg_Ids are ${ahead} s ahead of the clock: it was put back, or more than 65,536 a second are taken`;
  return [{ kind: "ids_ahead", subject: "", detail }];
}

function unreadable(watched: Watched): Finding[] {
  const count = watched.unreadable();
  if (count === 0) return [];
  const detail =
    `${count} kept messages and reports can't be read: sms.key is another one, or the rows were changed`;
  return [{ kind: "unreadable", subject: "", detail }];
}

async function providersAway(
  now: number,
  { awayItems, awayMs }: AlarmLimits,
  { store, present }: Watched,
): Promise<Finding[]> {
  const waiting = new Map<string, { count: number; oldest: number }>();
  for (const { sp_id, count, oldest_at } of await store.outboxSizes()) {
    const before = waiting.get(sp_id) ?? { count: 0, oldest: Infinity };
    waiting.set(sp_id, { count: before.count + count, oldest: Math.min(before.oldest, oldest_at) });
  }
  return [...waiting].flatMap(([subject, { count, oldest }]): Finding[] => {
    if (present(subject) || (count < awayItems && now - oldest < awayMs)) return [];
    const detail = `${count} reports and messages wait, the oldest for ${seconds(now - oldest)}`;
    return [{ kind: "provider_away", subject, detail }];
  });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

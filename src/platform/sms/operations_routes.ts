/**
 * The service's traffic and state over HTTP, for whoever keeps it running.
 *
 * @module
 */
import * as v from "valibot";
import { isoTime, problem, Routes, timeSchema } from "../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "./access.ts";
import { ALARM_KINDS, type SmsAlarms } from "./alarms.ts";
import { addUp } from "./change.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { Day, SpId, versionText } from "./fields.ts";
import type { Ismg } from "./ismg.ts";
import type { Outlet } from "./outlet.ts";
import type { SmsStore } from "./store.ts";

const ConnectionView = v.object({
  id: v.string(),
  spId: v.nullable(v.string()),
  address: v.string(),
  kind: v.picklist(["long", "short"]),
  version: v.nullable(v.string()),
  connectedAt: timeSchema,
  submitted: v.number(),
  delivered: v.number(),
  working: v.number(),
  unanswered: v.number(),
});

const TrafficView = v.object({
  day: v.string(),
  spId: v.string(),
  /** null where all services are added up. */
  serviceId: v.nullable(v.string()),
  /** SUBMITs, and the phones they were for; what is neither sent nor failed waits. */
  mtMessages: v.number(),
  mtUsers: v.number(),
  mtSent: v.number(),
  mtFailed: v.number(),
  moTaken: v.number(),
  moDelivered: v.number(),
  moFailed: v.number(),
});

const LiveView = v.object({
  /** When the span began. */
  at: timeSchema,
  /** Messages taken from providers, each number counted; messages that ended, delivered or not. */
  submitted: v.number(),
  delivered: v.number(),
  failed: v.number(),
  /** Messages from phones that providers took. */
  mo: v.number(),
});

const OutletView = v.object({
  name: v.string(),
  connected: v.boolean(),
  since: timeSchema,
  unanswered: v.number(),
  unreported: v.number(),
  lastError: v.nullable(v.string()),
});

const AlarmView = v.object({
  id: v.number(),
  kind: v.picklist(ALARM_KINDS),
  subject: v.string(),
  detail: v.string(),
  raisedAt: timeSchema,
  clearedAt: v.nullable(timeSchema),
});

/** What these routes lean on. */
export interface OperationsParts {
  readonly ismg: Ismg;
  readonly store: SmsStore;
  readonly dispatcher: Pick<Dispatcher, "backlog" | "oldestWaiting">;
  readonly outlets: readonly Outlet[];
  readonly alarms: Pick<SmsAlarms, "list">;
}

/** The routes. */
export function operationsRoutes(parts: OperationsParts): Routes {
  const routes = new Routes();
  connectionRoutes(routes, parts);
  trafficRoute(routes, parts);
  liveRoute(routes, parts);
  queueRoutes(routes, parts);
  outletRoute(routes, parts);
  alarmRoute(routes, parts);
  return routes;
}

function connectionRoutes(routes: Routes, { ismg }: OperationsParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/connections",
    summary: "Connections that are there now",
    tags: ["short messages"],
    auth: MAY_READ,
    responses: { 200: { description: "All", schema: v.object({ items: v.array(ConnectionView) }) } },
  }).handle(() => ({
    status: 200,
    body: {
      items: [...ismg.sessions].map((session) => ({
        id: session.id,
        spId: session.account?.spId ?? null,
        address: session.connection.remote.host,
        kind: session.kind,
        version: session.account ? versionText(session.version) : null,
        connectedAt: isoTime(session.connectedAt),
        submitted: session.submitted,
        delivered: session.delivered,
        working: session.working,
        unanswered: session.unanswered,
      })),
    },
  }));
  routes.route({
    method: "DELETE",
    path: "/api/v1/sms/connections/{id}",
    summary: "End a connection: its provider may come again",
    tags: ["short messages"],
    auth: MAY_WRITE,
    params: v.object({ id: v.string() }),
    responses: { 204: { description: "Told to go" }, 404: { description: "No such connection" } },
  }).handle(({ params: { id }, log, changed }) => {
    const session = [...ismg.sessions].find((one) => one.id === id);
    if (!session) throw problem(404, "connection_not_found", `no connection "${id}"`);
    const spId = session.account?.spId;
    if (spId === undefined) session.connection.close("local", "ended by an operator");
    else session.terminate();
    changed({ id, spId: spId ?? null }, undefined);
    log.info("connection ended by an operator", { id, spId });
    return { status: 204 };
  });
}

function trafficRoute(routes: Routes, { store }: OperationsParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/traffic",
    summary: "What QUERY counts, by day and provider",
    description: "Days are those of the gateway's local time. 10,000 rows at most: ask for fewer days then.",
    tags: ["short messages"],
    auth: MAY_READ,
    query: v.object({
      from: Day,
      to: v.optional(Day),
      spId: v.optional(SpId),
      by: v.optional(v.picklist(["provider", "service"]), "provider"),
    }),
    responses: {
      200: { description: "In the order of days", schema: v.object({ items: v.array(TrafficView) }) },
    },
  }).handle(async ({ query: { from, to = from, spId, by } }) => {
    const rows = await store.traffic(from, to, spId);
    const counts = by === "service" ? rows : addUp(rows.map((row) => ({ ...row, service_id: "" })));
    return {
      status: 200,
      body: {
        items: counts.map((row) => ({
          day: row.day,
          spId: row.sp_id,
          serviceId: by === "service" ? row.service_id : null,
          mtMessages: row.mt_messages,
          mtUsers: row.mt_users,
          mtSent: row.mt_sent,
          mtFailed: row.mt_failed,
          moTaken: row.mo_taken,
          moDelivered: row.mo_delivered,
          moFailed: row.mo_failed,
        })),
      },
    };
  });
}

function liveRoute(routes: Routes, { ismg }: OperationsParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/traffic/live",
    summary: "What passed in the last 120 minutes or 48 hours",
    description: "Kept in memory: it begins anew with the program. The last span is not over yet.",
    tags: ["short messages"],
    auth: MAY_READ,
    query: v.object({ by: v.optional(v.picklist(["minute", "hour"]), "minute") }),
    responses: {
      200: { description: "The oldest first", schema: v.object({ items: v.array(LiveView) }) },
    },
  }).handle(({ query: { by } }) => ({
    status: 200,
    body: { items: ismg.meters.series(by).map(({ at, passed }) => ({ at: isoTime(at), ...passed })) },
  }));
}

function queueRoutes(routes: Routes, { store, dispatcher, ismg }: OperationsParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/queues",
    summary: "What waits for each provider",
    tags: ["short messages"],
    auth: MAY_READ,
    responses: {
      200: {
        description: "By provider and kind",
        schema: v.object({
          items: v.array(
            v.object({ spId: v.string(), kind: v.string(), count: v.number(), oldestAt: timeSchema }),
          ),
        }),
      },
    },
  }).handle(async () => ({
    status: 200,
    body: {
      items: (await store.outboxSizes()).map(({ sp_id, kind, count, oldest_at }) => ({
        spId: sp_id,
        kind,
        count,
        oldestAt: isoTime(oldest_at),
      })),
    },
  }));
  routes.route({
    method: "GET",
    path: "/api/v1/sms/status",
    summary: "How much is under way",
    tags: ["short messages"],
    auth: MAY_READ,
    responses: {
      200: {
        description: "Now",
        schema: v.object({
          connections: v.number(),
          /** Messages that wait for the centre or its receipt, and since when the first waits for the centre. */
          backlog: v.number(),
          oldestWaitingAt: v.nullable(timeSchema),
          /** Changes that wait for the disk. */
          writesWaiting: v.number(),
          /** SUBMITs answered since the start, by their Result. */
          results: v.record(v.string(), v.number()),
          /** The gateway's local time: minutes east of Greenwich. */
          utcOffsetMinutes: v.number(),
        }),
      },
    },
  }).handle(() => {
    const oldest = dispatcher.oldestWaiting();
    return {
      status: 200,
      body: {
        connections: ismg.sessions.size,
        backlog: dispatcher.backlog,
        oldestWaitingAt: oldest === undefined ? null : isoTime(oldest),
        writesWaiting: store.pending,
        utcOffsetMinutes: ismg.settings.utcOffsetMinutes,
        results: Object.fromEntries([...ismg.results].map(([result, { value }]) => [String(result), value])),
      },
    };
  });
}

function outletRoute(routes: Routes, { outlets }: OperationsParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/outlets",
    summary: "The ways to short-message centres, and how they are",
    tags: ["short messages"],
    auth: MAY_READ,
    responses: { 200: { description: "All", schema: v.object({ items: v.array(OutletView) }) } },
  }).handle(() => ({
    status: 200,
    body: {
      items: outlets.map((outlet) => {
        const { since, lastError = null, ...status } = outlet.status();
        return { ...status, since: isoTime(since), lastError };
      }),
    },
  }));
}

function alarmRoute(routes: Routes, { alarms }: OperationsParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/alarms",
    summary: "Alarms: those that are raised, then the last ones that are over",
    tags: ["short messages"],
    auth: MAY_READ,
    query: v.object({ state: v.optional(v.picklist(["raised", "cleared"])) }),
    responses: {
      200: { description: "The newest first", schema: v.object({ items: v.array(AlarmView) }) },
    },
  }).handle(({ query: { state } }) => ({
    status: 200,
    body: {
      items: alarms.list()
        .filter(({ clearedAt }) => state === undefined || (state === "raised") === (clearedAt === undefined))
        .map(({ raisedAt, clearedAt, ...alarm }) => ({
          ...alarm,
          raisedAt: isoTime(raisedAt),
          clearedAt: clearedAt === undefined ? null : isoTime(clearedAt),
        })),
    },
  }));
}

/**
 * `/api/v1/rollouts`.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  answerWith,
  type Call,
  decodeCursor,
  etagOf,
  EventStreams,
  ifMatch,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
} from "../../control/mod.ts";
import { type Deps, sleep } from "../../base/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { Rollouts } from "./rollouts.ts";
import type { ItemRow, RolloutKind, RolloutRow } from "./schema.ts";
import { brakesText } from "./brakes.ts";
import { Brakes, NewRolloutBody } from "./requests.ts";
import type { RolloutStore } from "./store.ts";
import { ItemView, itemView, RolloutView, rolloutView } from "./views.ts";

/** What somebody needs beside `rollouts:write`: a rollout is no way around what one may not do to a single gateway. */
const NEEDED = {
  install: "plugins:install",
  uninstall: "plugins:install",
  configure: "commands:run",
  post: "commands:run",
  redistribute: "gateways:write",
} as const satisfies Record<RolloutKind, string>;

function mustBeAllowed({ permissions }: Principal, kind: RolloutKind): void {
  if (permissions.includes(NEEDED[kind])) return;
  throw problem(403, "forbidden", `"${NEEDED[kind]}" is needed for this`);
}

/** Milliseconds between events of a stream at least, and until it looks unasked: word of another node may be lost. */
const EVENT_MS = 1000;
const LOOK_MS = 5000;

const IdParams = v.object({ id: v.pipe(v.string(), v.maxLength(64)) });
const Reason = v.strictObject({ reason: v.optional(v.pipe(v.string(), v.maxLength(500)), "") });

/** What the routes lean on. */
export interface RolloutRouteParts {
  readonly deps: Pick<Deps, "clock" | "log" | "metrics">;
  readonly rollouts: Rollouts;
  readonly store: RolloutStore;
  readonly fleet: Fleet;
  readonly bus: Pick<PlatformBus, "subscribe">;
}

/** The routes of rollouts. */
export function rolloutRoutes({ deps, rollouts, store, fleet, bus }: RolloutRouteParts): Routes {
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "rollouts", maxPerPrincipal: 50 });

  const view = async (row: RolloutRow) => {
    const [stages, counts] = await Promise.all([store.stages(row.id), store.counts(row.id)]);
    return rolloutView(row, stages, counts);
  };
  const brakes = async (row: RolloutRow) => brakesText(row, await store.stages(row.id));
  /** The brakes that somebody looked at, where If-Match says so. */
  const seenBy = async (request: Request, row: RolloutRow) => {
    const text = await brakes(row);
    return ifMatch(request, text) ? text : undefined;
  };
  /** Rollouts reach over groups: whoever is confined to groups sees the ones that they made. */
  const found = async (principal: Principal, id: string): Promise<RolloutRow> => {
    const row = await store.find(id);
    if (!row || (principal.groups && row.created_by !== actorOf(principal))) {
      throw problem(404, "rollout_not_found", `there is no rollout "${id}"`);
    }
    return row;
  };

  routes.route({
    method: "POST",
    path: "/api/v1/rollouts",
    summary: "Make a rollout: one action on many gateways, stage by stage",
    description: "The gateways are those that filter and group find now. It is a draft until it is started.",
    tags: ["rollouts"],
    auth: ["rollouts:write"],
    body: { json: NewRolloutBody },
    responses: {
      201: { description: "The rollout", schema: RolloutView },
      403: { description: "Its action is not allowed to whoever asks" },
      422: {
        description: "The filter can't be used, or finds nothing; or the repository lacks what it installs",
      },
    },
  }).handle(async ({ body, principal, changed }) => {
    const { action } = body;
    mustBeAllowed(principal, action.kind);
    const row = await rollouts.create({
      name: body.name,
      description: body.description,
      kind: action.kind,
      plugin: "plugin" in action ? action.plugin : "",
      version: action.kind === "install" ? action.version : "",
      parameter: "parameter" in action
        ? action.parameter
        : action.kind === "redistribute"
        ? { mode: action.mode, address: action.address }
        : {},
      filter: body.filter,
      group: body.group,
      scope: await fleet.scopeOf(principal),
      stages: body.stages.map((stage, no) => ({ ...stage, name: stage.name || String(no + 1) })),
      maxInFlight: body.maxInFlight,
      perMinute: body.perMinute,
      commandTimeoutMs: body.commandTimeoutMs,
      maxAttempts: body.maxAttempts,
      window: body.window,
      needsApproval: body.needsApproval,
      startAt: body.startAt === undefined ? undefined : Date.parse(body.startAt),
      actor: actorOf(principal),
    });
    const made = await view(row);
    changed(undefined, made);
    return { status: 201, body: made, headers: { location: `/api/v1/rollouts/${row.id}` } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/rollouts",
    summary: "List rollouts, the newest first",
    tags: ["rollouts"],
    auth: ["rollouts:read"],
    query: v.object({ status: v.optional(RolloutView.entries.status), ...pageQuery(20, 100) }),
    responses: { 200: { description: "A page of rollouts", schema: pageSchema(RolloutView) } },
  }).handle(async ({ query: { cursor, limit, status }, principal }) => {
    const before = decodeCursor(cursor, v.string());
    const by = principal.groups ? actorOf(principal) : undefined;
    const rows = await store.list(limit + 1, { before, status, by });
    const { items, ...next } = pageOf(rows, limit, (row) => row.id, (row) => row);
    return { status: 200, body: { items: await Promise.all(items.map(view)), ...next } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/rollouts/{id}",
    summary: "One rollout, and how far it is",
    tags: ["rollouts"],
    auth: ["rollouts:read"],
    params: IdParams,
    etag: true,
    responses: {
      200: { description: "The rollout", schema: RolloutView },
      404: { description: "There is none" },
    },
  }).handle(async ({ params: { id }, principal, request }) => {
    const row = await found(principal, id), body = await view(row);
    return answerWith(request, etagOf(await brakes(row), body), body);
  });

  routes.route({
    method: "GET",
    path: "/api/v1/rollouts/{id}/gateways",
    summary: "The gateways of a rollout, and how each ended",
    tags: ["rollouts"],
    auth: ["rollouts:read"],
    params: IdParams,
    query: v.object({ status: v.optional(ItemView.entries.status), ...pageQuery() }),
    responses: {
      200: {
        description: "A page of gateways, in the order in which they come",
        schema: pageSchema(ItemView),
      },
      404: { description: "There is none" },
    },
  }).handle(async ({ params: { id }, query: { cursor, limit, status }, principal }) => {
    await found(principal, id);
    const after = decodeCursor(cursor, v.number());
    const rows = await store.items(id, limit + 1, after, status);
    return { status: 200, body: pageOf(rows, limit, (row: ItemRow) => row.place, itemView) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/rollouts/{id}/events",
    summary: "How a rollout goes on, as server-sent events",
    description: "A `rollout` event with the whole rollout at once and after changes, at most one a second.",
    tags: ["rollouts"],
    auth: ["rollouts:read"],
    params: IdParams,
    responses: {
      200: { description: "Events", mediaType: "text/event-stream" },
      404: { description: "There is none" },
    },
  }).handle(async (call) => {
    const { id } = call.params;
    await found(call.principal, id);
    return streams.open(call, async (reader) => {
      let changed = Promise.withResolvers<void>();
      const wake = () => changed.resolve();
      using _ = bus.subscribe("rollout.changed", (event) => {
        if (event.id === id) wake();
      });
      reader.signal.addEventListener("abort", wake);
      const look = async () => {
        const row = await store.find(id);
        return row && await view(row);
      };
      let told: string | undefined;
      while (!reader.signal.aborted) {
        changed = Promise.withResolvers();
        const data = await look().catch((error) => {
          if (told === undefined) throw error;
          return null; // the next look makes up for it
        });
        if (data === undefined) return;
        const shown = JSON.stringify(data);
        if (data && shown !== told) {
          if (!await reader.send({ event: "rollout", data })) return;
          told = shown;
        }
        const timer = deps.clock.setTimer(wake, LOOK_MS);
        await changed.promise;
        timer.cancel();
        await sleep(deps.clock, EVENT_MS, reader.signal).catch(() => {});
      }
    });
  });

  routes.route({
    method: "PATCH",
    path: "/api/v1/rollouts/{id}",
    summary: "Give a rollout that does not run other brakes: its rate, its window, its thresholds",
    description:
      "Pause one that runs before. One that was approved waits for approval again, and goes on with that.",
    tags: ["rollouts"],
    auth: ["rollouts:write"],
    params: IdParams,
    body: { json: Brakes },
    etag: true,
    responses: {
      200: { description: "The rollout", schema: RolloutView },
      403: { description: "Its action is not allowed to whoever asks" },
      404: { description: "There is none" },
      409: { description: "It runs, or is over" },
      422: { description: "It has another number of stages" },
    },
  }).handle(async ({ params, body, principal, request, changed }) => {
    const row = await found(principal, params.id);
    mustBeAllowed(principal, row.kind);
    const before = await view(row), seen = await seenBy(request, row);
    const { maxInFlight, perMinute, window, stages } = body;
    const edited = await rollouts.edit(row.id, {
      ...(maxInFlight === undefined ? {} : { max_in_flight: maxInFlight }),
      ...(perMinute === undefined ? {} : { per_minute: perMinute }),
      ...(window === undefined ? {} : { window: window && JSON.stringify(window) }),
      ...(stages ? { stages } : {}),
    }, seen);
    const after = await view(edited);
    changed(brakesOf(before), brakesOf(after));
    return { status: 200, body: after, headers: { etag: etagOf(await brakes(edited), after) } };
  });

  /**
   * A change of state: `act` does it, the answer is the rollout afterwards. What lets gateways be changed needs what its
   * action needs.
   */
  const change = (
    path: string,
    summary: string,
    act: (
      id: string,
      call: Pick<Call<readonly string[], typeof IdParams, never, never>, "principal" | "request">,
      reason: string,
    ) => Promise<RolloutRow>,
    { permission = "rollouts:write", etag = false, description = "" }: {
      readonly permission?: "rollouts:write" | "rollouts:approve";
      readonly etag?: boolean;
      readonly description?: string;
    } = {},
    acts = ["start", "resume", "retry", "rollback"].includes(path),
  ) =>
    routes.route({
      method: "POST",
      path: `/api/v1/rollouts/{id}/${path}`,
      summary,
      description,
      tags: ["rollouts"],
      auth: [permission],
      etag,
      params: IdParams,
      body: { json: Reason, optional: true },
      responses: {
        200: { description: "The rollout", schema: RolloutView },
        403: { description: "Its action is not allowed to whoever asks" },
        404: { description: "There is none" },
        409: { description: "It is not in a state for this" },
        422: { description: "The repository lacks what it installs" },
      },
    }).handle(async (call) => {
      const before = await found(call.principal, call.params.id);
      if (acts) mustBeAllowed(call.principal, before.kind);
      const after = await view(await act(before.id, call, call.body?.reason ?? ""));
      call.changed({ status: before.status }, { status: after.status, reason: after.reason });
      return { status: 200, body: after };
    });
  change("start", "Start a draft: at once, at its time, or when it is approved", (id) => rollouts.submit(id));
  change(
    "approve",
    "Approve a rollout that somebody else made",
    async (id, { principal, request }) =>
      rollouts.approve(id, actorOf(principal), await seenBy(request, await found(principal, id))),
    {
      permission: "rollouts:approve",
      etag: true,
      description: "With the ETag of the rollout in If-Match only if its brakes are still those.",
    },
  );
  change(
    "pause",
    "Begin with no more gateways for now",
    (id, { principal }, reason) => rollouts.pause(id, reason || `paused by ${principal.name}`),
  );
  change("resume", "Go on with a paused rollout", (id) => rollouts.resume(id));
  change(
    "abort",
    "End a rollout for good",
    (id, { principal }, reason) => rollouts.abort(id, reason || `aborted by ${principal.name}`),
  );
  change(
    "retry",
    "Try the gateways again on which it failed",
    async (id) => (await rollouts.retry(id)).rollout,
  );
  change(
    "rollback",
    "Make the rollout that takes back what this one did where it succeeded; it is a draft",
    (id, { principal }) => rollouts.rollBack(id, actorOf(principal)),
  );

  routes.route({
    method: "POST",
    path: "/api/v1/rollouts/stop",
    summary: "Emergency stop: pause every rollout",
    tags: ["rollouts"],
    auth: ["rollouts:write"],
    unconfined: true,
    body: { json: Reason, optional: true },
    responses: {
      200: {
        description: "The rollouts that were paused",
        schema: v.object({ paused: v.array(v.string()) }),
      },
    },
  }).handle(async ({ body, principal, changed }) => {
    const paused = await rollouts.stopAll(body?.reason || `emergency stop by ${principal.name}`);
    changed(undefined, { paused });
    return { status: 200, body: { paused } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/rollouts/{id}",
    summary: "Remove a rollout that is not under way",
    tags: ["rollouts"],
    auth: ["rollouts:write"],
    params: IdParams,
    responses: {
      204: { description: "Removed; its commands stay" },
      404: { description: "There is none" },
      409: { description: "It is under way" },
    },
  }).handle(async ({ params: { id }, principal, changed }) => {
    const row = await found(principal, id);
    changed(await view(row), undefined);
    await rollouts.remove(id);
    return { status: 204 };
  });
  return routes;
}

/** What a change of brakes is about, for the audit. */
function brakesOf({ status, maxInFlight, perMinute, window, stages }: v.InferOutput<typeof RolloutView>) {
  const thresholds = stages.map(({ successThreshold, errorThreshold }) => ({
    successThreshold,
    errorThreshold,
  }));
  return { status, maxInFlight, perMinute, window, stages: thresholds };
}

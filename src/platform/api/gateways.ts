/**
 * `/api/v1/gateways`: presetting, finding, changing and removing gateways.
 *
 * @module
 */
import * as v from "valibot";
import { parseHostPort } from "../../base/mod.ts";
import {
  actorOf,
  answerWith,
  changedMeanwhile,
  decodeCursor,
  documented,
  etagOf,
  ifMatch,
  macSchema,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  queryBoolean,
  Routes,
} from "../../control/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import type { GatewayRow } from "../registry/mod.ts";
import { type Filter, MAX_FILTER } from "../fleet/mod.ts";
import { presetAll, PresetReport, reportCsv } from "./preset_report.ts";
import {
  exportCsv,
  type LineFault,
  MAX_PRESETS,
  type PresetLine,
  PresetSchema,
  readCsv,
  Word,
} from "./presets.ts";
import { GatewayView, gatewayView } from "./views.ts";

/** The path parameter of one gateway. */
export const MacParams = v.object({ mac: macSchema });

/** Rows of an export that are read at once: heartbeats get their turn in between. */
const CHUNK = 500;
const CSV_BYTES = 32 * 1024 * 1024;

const hostPort = v.pipe(
  documented(v.string(), { type: "string", examples: ["ops1.example:12113"] }),
  v.check((text) => parseHostPort(text) !== undefined, 'must be "host:port"'),
);

const Change = v.partial(v.strictObject({
  loid: PresetSchema.entries.loid,
  vendor: v.nullable(Word),
  model: v.nullable(Word),
  region: v.nullable(Word),
  pinnedOperations: v.nullable(hostPort),
  renew: v.boolean(),
}));

/** The routes of gateways. */
export function gatewayRoutes(deps: PlatformDeps): Routes {
  const routes = new Routes();
  const view = (row: GatewayRow, tags: readonly string[] = []) =>
    gatewayView(row, deps.presence.get(row.mac), deps.clock, tags);
  const withTags = async (row: GatewayRow) => view(row, (await deps.fleet.tags.of([row.mac])).get(row.mac));
  const shown = async (principal: Principal, mac: string) =>
    await withTags(await deps.fleet.gateway(principal, mac));
  /** The report of many, as JSON, or as CSV for whoever wants it. */
  const report = async (
    { request, changed }: {
      readonly request: Request;
      readonly changed: (before: unknown, after: unknown) => void;
    },
    presets: readonly PresetLine[],
    faults: readonly LineFault[] = [],
  ) => {
    const body = await presetAll(deps.gateways, presets, faults), { created, unchanged, refused } = body;
    changed(undefined, { created, unchanged, refused });
    if (!wantsCsv(request)) return { status: 200, body } as const;
    return {
      response: new Response(reportCsv(body.lines), {
        headers: { "content-type": "text/csv; charset=utf-8", "x-content-type-options": "nosniff" },
      }),
    };
  };

  routes.route({
    method: "POST",
    path: "/api/v1/gateways",
    summary: "Preset one gateway, or many",
    description:
      "One object answers with the gateway; an array, or CSV with a header line, answers with a report of what became " +
      "of every line: as JSON, or as CSV where `Accept` is `text/csv`.",
    tags: ["gateways"],
    auth: ["gateways:write"],
    unconfined: true, // what they made they could not see
    body: {
      json: v.union([PresetSchema, v.pipe(v.array(PresetSchema), v.maxLength(MAX_PRESETS))]),
      text: ["text/csv"],
      maxBytes: CSV_BYTES,
    },
    responses: {
      201: { description: "The gateway", schema: GatewayView },
      200: { description: "What was done with each", schema: PresetReport },
      409: { description: "The MAC or the SN is there already" },
    },
  }).handle(async (call) => {
    const { body, principal, changed } = call;
    if ("text" in body) {
      const { presets, faults } = await readCsv(body.text);
      return await report(call, presets, faults);
    }
    if (Array.isArray(body)) {
      return await report(call, body.map((preset, index) => ({ line: index + 1, preset })));
    }
    const { there } = await deps.gateways.preset([body]);
    if (there.size > 0) {
      throw problem(
        409,
        "gateway_exists",
        `a gateway with MAC ${body.mac} or SN "${body.sn}" is preset already`,
      );
    }
    const made = await shown(principal, body.mac);
    changed(undefined, made);
    return { status: 201, body: made };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways",
    summary: "List gateways",
    tags: ["gateways"],
    auth: ["gateways:read"],
    query: v.object({
      vendor: v.optional(v.string()),
      model: v.optional(v.string()),
      region: v.optional(v.string()),
      loid: v.optional(v.string()),
      /** As of the last flush of presence, a few seconds ago. */
      online: v.optional(queryBoolean()),
      /** The beginning of a MAC, SN or LOID, or a whole tag. */
      search: v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,80}$/), v.regex(/^[^%_\\]*$/))),
      /** RSQL over the fields of a gateway, such as `region==north;tag==pilot;lastSeen=gt=-7d`. */
      filter: v.optional(v.pipe(v.string(), v.maxLength(MAX_FILTER))),
      group: v.optional(v.pipe(v.string(), v.maxLength(64))),
      /** Those that were removed and can be restored, instead of those that are there. */
      removed: v.optional(queryBoolean()),
      ...pageQuery(),
    }),
    responses: {
      200: { description: "A page of gateways, by MAC", schema: pageSchema(GatewayView) },
      422: { description: "The filter can't be used" },
    },
  }).handle(async ({ query: { cursor, limit, filter, group, search, ...plain }, principal }) => {
    const after = decodeCursor(cursor, v.string());
    const where = both(
      both(
        await deps.fleet.find(principal, filter),
        group === undefined ? undefined : await deps.fleet.groups.membersOf([group]),
      ),
      search === undefined ? undefined : await deps.fleet.beginning(search),
    );
    const rows = await deps.gateways.list({ ...plain, where, after, limit: limit + 1 });
    const tags = await deps.fleet.tags.of(rows.map(({ mac }) => mac));
    return {
      status: 200,
      body: pageOf(rows, limit, (row) => row.mac, (row) => view(row, tags.get(row.mac))),
    };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/count",
    summary: "How many gateways a filter and a group find",
    tags: ["gateways"],
    auth: ["gateways:read"],
    query: v.object({
      filter: v.optional(v.pipe(v.string(), v.maxLength(MAX_FILTER))),
      group: v.optional(v.pipe(v.string(), v.maxLength(64))),
    }),
    responses: {
      200: { description: "The number", schema: v.object({ gateways: v.number() }) },
      422: { description: "The filter can't be used" },
    },
  }).handle(async ({ query: { filter, group }, principal }) => {
    const where = both(
      await deps.fleet.find(principal, filter),
      group === undefined ? undefined : await deps.fleet.groups.membersOf([group]),
    );
    return { status: 200, body: { gateways: await deps.fleet.count(where) } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/export",
    summary: "Every gateway that a filter finds, as CSV that can be imported again",
    tags: ["gateways"],
    auth: ["gateways:read"],
    audited: true,
    query: v.object({ filter: v.optional(v.pipe(v.string(), v.maxLength(MAX_FILTER))) }),
    responses: {
      200: { description: "CSV with a header line", mediaType: "text/csv" },
      422: { description: "The filter can't be used" },
    },
  }).handle(async ({ query, principal }) => {
    const where = await deps.fleet.find(principal, query.filter);
    return {
      response: new Response(exportCsv((after) => deps.gateways.list({ where, after, limit: CHUNK })), {
        headers: {
          "content-type": "text/csv; charset=utf-8",
          "content-disposition": 'attachment; filename="gateways.csv"',
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
        },
      }),
    };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/gateways/{mac}/restore",
    summary: "Take a gateway's removal back",
    description: "It has to register anew. What was removed is kept for 30 days.",
    tags: ["gateways"],
    auth: ["gateways:write"],
    params: MacParams,
    responses: {
      200: { description: "The gateway", schema: GatewayView },
      404: { description: "None of that MAC was removed" },
    },
  }).handle(async ({ params: { mac }, principal, changed }) => {
    if (principal.groups || !await deps.gateways.restore(mac)) {
      throw problem(404, "gateway_not_found", `no gateway with MAC ${mac} was removed`);
    }
    const made = await shown(principal, mac);
    changed(undefined, made);
    deps.fleet.note(mac, "restored", { by: actorOf(principal) });
    return { status: 200, body: made };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}",
    summary: "One gateway",
    tags: ["gateways"],
    auth: ["gateways:read"],
    params: MacParams,
    etag: true,
    responses: {
      200: { description: "The gateway", schema: GatewayView },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, principal, request }) => {
    const row = await deps.fleet.gateway(principal, mac), body = await withTags(row);
    return answerWith(request, etagOf(entryOf(row), body), body);
  });

  routes.route({
    method: "PATCH",
    path: "/api/v1/gateways/{mac}",
    summary: "Change a gateway's entry",
    description:
      "A new LOID ends its registration, and cancels what waits for it. `renew` answers its next Boot with result 3. " +
      "`pinnedOperations` (host:port) goes before every distribution policy.",
    tags: ["gateways"],
    auth: ["gateways:write"],
    params: MacParams,
    body: { json: Change },
    etag: true,
    responses: {
      200: { description: "The gateway", schema: GatewayView },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, body, principal, request, changed }) => {
    const before = await deps.fleet.gateway(principal, mac), entry = entryOf(before);
    const was = ifMatch(request, entry) ? entry : undefined;
    const { pinnedOperations, renew, ...plain } = body;
    const change = {
      ...plain,
      ...(pinnedOperations === undefined ? {} : { pinned_operations: pinnedOperations }),
      ...(renew === undefined ? {} : { renew: renew ? 1 : 0 }),
    };
    const reassigned = body.loid !== undefined && body.loid !== before.loid;
    const done = reassigned
      ? await deps.gateways.reassign(mac, change, was)
      : await deps.gateways.update(mac, change, was);
    if (!done && was) throw changedMeanwhile();
    if (reassigned) deps.bus.publish("gateway.changed", { mac, removed: false, reassigned });
    const row = await deps.fleet.gateway(principal, mac), after = await withTags(row);
    changed(view(before), after);
    deps.fleet.note(mac, "changed", { by: actorOf(principal), ...body });
    return { status: 200, body: after, headers: { etag: etagOf(entryOf(row), after) } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/gateways/{mac}",
    summary: "Remove a gateway's preset",
    tags: ["gateways"],
    auth: ["gateways:write"],
    params: MacParams,
    etag: true,
    responses: { 204: { description: "Removed" }, 404: { description: "Not preset" } },
  }).handle(async ({ params: { mac }, principal, request, changed }) => {
    const before = await deps.fleet.gateway(principal, mac), entry = entryOf(before);
    const was = ifMatch(request, entry) ? entry : undefined;
    changed(await withTags(before), undefined);
    if (!await deps.gateways.remove(mac, was)) {
      await deps.fleet.gateway(principal, mac);
      if (was) throw changedMeanwhile();
    }
    deps.fleet.note(mac, "removed", { by: actorOf(principal) });
    deps.bus.publish("gateway.changed", { mac, removed: true });
    return { status: 204 };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/gateways/{mac}/redistribute",
    summary: "Send a gateway to another platform (RequestDistri)",
    description: "Mode 0: the address becomes its distribution platform. Mode 1: its operations platform.",
    tags: ["gateways"],
    auth: ["gateways:write"],
    params: MacParams,
    body: { json: v.strictObject({ mode: v.picklist([0, 1]), address: hostPort }) },
    responses: {
      204: { description: "The gateway has taken it and moves" },
      404: { description: "Not preset" },
      409: { description: "Offline, or it refused" },
      504: { description: "No answer" },
    },
  }).handle(async ({ params: { mac }, body, principal, changed }) => {
    await deps.fleet.gateway(principal, mac);
    changed(undefined, body);
    const { host, port } = parseHostPort(body.address)!;
    const outcome = await deps.bus.request(
      "access.trigger",
      { mac, trigger: { kind: "redistribute", mode: body.mode, host, port } },
      30_000,
    );
    switch (outcome) {
      case "accepted":
        return { status: 204 };
      case "offline":
        throw problem(409, "gateway_offline", "the gateway is offline");
      case "unanswered":
        throw problem(504, "gateway_silent", "the gateway did not answer");
      default:
        throw problem(409, "gateway_refused", `the gateway did not take it: ${outcome.replaceAll("_", " ")}`);
    }
  });
  return routes;
}

/** What operators edit of a gateway; the rest is what it does. */
function entryOf({ loid, vendor, model, region, pinned_operations, renew }: GatewayRow) {
  return { loid, vendor, model, region, pinned_operations, renew };
}

/** Both conditions; undefined where there is neither. */
function both(one: Filter | undefined, other: Filter | undefined): Filter | undefined {
  return one && other ? (eb) => eb.and([one(eb), other(eb)]) : one ?? other;
}

/** Whether a caller asks for CSV, and not for anything or JSON as well. */
function wantsCsv(request: Request): boolean {
  return /^\s*text\/csv\s*(;|$)/i.test(request.headers.get("accept") ?? "");
}

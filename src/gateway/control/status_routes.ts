/**
 * The control API's part about the gateway as a whole: how it is, and who used the local port.
 *
 * @module
 */
import * as v from "valibot";
import { formatHostPort, type HostPort } from "../../base/mod.ts";
import { queryInteger, Routes } from "../../control/mod.ts";
import type { ChannelStatus } from "../channel/mod.ts";
import type { Identity } from "../identity.ts";
import { AUDIT_OUTCOMES, type LocalAudit, type LocalServer } from "../local/mod.ts";
import {
  NEXT_TRIES,
  QUESTION_METHODS,
  REGISTRATION_STATES,
  type RegistrationStatus,
} from "../registration/mod.ts";

const AUTH = ["admin"] as const;

const text = v.string(), count = v.number(), flag = v.boolean();
const time = v.pipe(v.number(), v.description("Milliseconds since 1970"));
const address = v.object({ host: text, port: count });

const registrationSchema = v.object({
  state: v.picklist(REGISTRATION_STATES),
  since: time,
  intervalSeconds: count,
  operations: v.optional(address),
  messageServer: v.optional(address),
  lastResult: v.optional(count),
  lastAnswerAt: v.optional(time),
  answers: v.pipe(
    v.array(v.object({ method: v.picklist(QUESTION_METHODS), result: count, from: address, at: time })),
    v.description("The last answer to each question, the youngest first"),
  ),
  nextTryAt: v.optional(time),
  nextTry: v.optional(v.pipe(v.picklist(NEXT_TRIES), v.description("What the next try is, or why it waits"))),
  counts: v.object({
    registrations: count,
    heartbeats: count,
    heartbeatsUnanswered: count,
    distributionRounds: count,
    operationsRounds: count,
    failedRounds: v.pipe(count, v.description("In a row until now")),
    addressChanges: count,
    clockGaps: count,
  }),
});

const statusSchema = v.object({
  identity: v.record(text, text),
  driver: v.picklist(["linux", "simulated"]),
  registration: registrationSchema,
  channel: v.object({
    state: v.picklist(["closed", "connecting", "open"]),
    platform: v.optional(address),
    since: v.optional(time),
    lastEnd: v.optional(text),
  }),
  local: v.object({ address: text, open: flag, connections: count, http: v.optional(text) }),
  passwords: v.object({ user: flag, admin: flag }),
  plugins: v.array(v.object({ name: text, version: v.optional(text), state: text })),
  uptimeSeconds: count,
});

const entrySchema = v.object({
  at: time,
  times: v.pipe(count, v.description("How often in a row")),
  from: text,
  via: v.picklist(["tcp", "http"]),
  outcome: v.picklist(AUDIT_OUTCOMES),
  command: v.optional(text),
  plugin: v.optional(text),
  result: v.optional(count),
  reason: v.optional(text),
});

/** How a gateway is, as `GET /api/v1/status` tells it. */
export interface GatewayStatus {
  readonly identity: Identity;
  readonly driver: "linux" | "simulated";
  readonly registration: RegistrationStatus;
  readonly channel: ChannelStatus;
  readonly local: {
    readonly address: string;
    readonly open: boolean;
    readonly connections: number;
    readonly http?: string;
  };
  readonly passwords: { readonly user: boolean; readonly admin: boolean };
  readonly plugins: readonly {
    readonly name: string;
    readonly version?: string | undefined;
    readonly state: string;
  }[];
  readonly uptimeSeconds: number;
}

/** The local port's part of the status. */
export function localStatus(
  local: Pick<LocalServer, "address" | "isOpen" | "connections" | "httpAddress">,
): GatewayStatus["local"] {
  const written = (at: HostPort) => formatHostPort(at);
  return {
    address: written(local.address),
    open: local.isOpen,
    connections: local.connections,
    ...(local.httpAddress && { http: written(local.httpAddress) }),
  };
}

/** The routes. */
export function statusRoutes(status: () => GatewayStatus, audit: Pick<LocalAudit, "entries">): Routes {
  const routes = new Routes();
  routes.route({
    method: "GET",
    path: "/api/v1/status",
    summary: "Identity, registration, plug-in channel and local port",
    description:
      "Registration's `state` with the moment since which it holds; the last answer to each question with who gave " +
      "it and when; what the next try is and when it comes.",
    auth: AUTH,
    responses: { 200: { description: "How the gateway is", schema: statusSchema } },
  }).handle(() => ({ status: 200, body: written(status()) }));

  routes.route({
    method: "GET",
    path: "/api/v1/local/audit",
    summary: "Who asked what at the local port, and what came of it",
    description: "The last 500 events since the start, the youngest first; the log has all of them.",
    auth: AUTH,
    query: v.object({ limit: v.optional(queryInteger(1, 500), "100") }),
    responses: { 200: { description: "The events", schema: v.object({ items: v.array(entrySchema) }) } },
  }).handle(({ query: { limit } }) => ({
    status: 200,
    body: { items: audit.entries(limit).map((entry) => ({ ...entry })) },
  }));
  return routes;
}

/** A copy that the schema takes: it knows no read-only values. */
function written(status: GatewayStatus): v.InferOutput<typeof statusSchema> {
  return structuredClone(status) as unknown as v.InferOutput<typeof statusSchema>;
}

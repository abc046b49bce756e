/**
 * The short-message service over HTTP: providers, their connections, messages without their contents, simulated phones.
 *
 * @module
 */
import * as v from "valibot";
import type { Deps } from "../../base/mod.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema, problem, Routes } from "../../control/mod.ts";
import { type Account, AccountError, type AccountStore } from "./accounts.ts";
import type { Ismg } from "./ismg.ts";
import { operationsRoutes } from "./operations_routes.ts";
import type { Outlet } from "./outlet.ts";
import type { Simulator } from "./simulator.ts";
import type { MessageFacts, SmsStore } from "./store.ts";

const Time = v.pipe(v.string(), v.isoTimestamp());
const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const SpId = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,6}$/, "Invalid SP_Id: Expected 1 to 6 visible characters"),
);
const Number_ = v.pipe(v.string(), v.regex(/^\+?\d{1,20}$/, "Invalid number: Expected 1 to 20 digits"));
const Secret = v.pipe(
  v.string(),
  v.regex(/^[\x20-\x7e]{6,64}$/, "Invalid secret: Expected 6 to 64 characters of ASCII"),
);
const ServiceId = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,10}$/, "Invalid Service_Id: Expected 1 to 10 visible characters"),
);

const AccountBody = v.strictObject({
  spId: SpId,
  secret: Secret,
  spCode: v.pipe(v.string(), v.regex(/^\d{1,20}$/, "Invalid SP_Code: Expected 1 to 20 digits")),
  serviceIds: v.optional(v.pipe(v.array(ServiceId), v.maxLength(500))),
  addresses: v.optional(v.pipe(v.array(v.pipe(v.string(), v.ip())), v.maxLength(100))),
  /** "2.0", "2.1" or "3.0". */
  version: v.optional(v.picklist(["2.0", "2.1", "3.0"])),
  maxConnections: v.optional(whole(1, 1000)),
  ratePerSecond: v.optional(whole(1, 1_000_000)),
  window: v.optional(whole(1, 10_000)),
});

const AccountView = v.object({
  spId: v.string(),
  spCode: v.string(),
  serviceIds: v.array(v.string()),
  addresses: v.array(v.string()),
  version: v.string(),
  maxConnections: v.number(),
  ratePerSecond: v.number(),
  window: v.number(),
  connections: v.number(),
  createdAt: Time,
  updatedAt: Time,
});

const ConnectionView = v.object({
  spId: v.nullable(v.string()),
  address: v.string(),
  kind: v.picklist(["long", "short"]),
  version: v.nullable(v.string()),
  connectedAt: Time,
  submitted: v.number(),
  delivered: v.number(),
  working: v.number(),
  unanswered: v.number(),
});

const STATES = ["scheduled", "waiting", "sent", "delivered", "failed", "cancelled"] as const;
const MessageView = v.object({
  msgId: v.string(),
  spId: v.string(),
  serviceId: v.string(),
  destination: v.string(),
  state: v.picklist(STATES),
  stat: v.nullable(v.string()),
  submittedAt: Time,
  dueAt: Time,
  expiresAt: Time,
  doneAt: v.nullable(Time),
});

/** What the routes lean on. */
export interface RouteParts {
  readonly accounts: AccountStore;
  readonly ismg: Ismg;
  readonly store: SmsStore;
  readonly outlets: readonly Outlet[];
  /** Where the centre is played. */
  readonly simulator: Simulator | undefined;
}

/** The routes of the service. */
export function smsRoutes(_deps: Pick<Deps, "clock">, parts: RouteParts): Routes {
  const routes = new Routes();
  accountRoutes(routes, parts);
  listRoutes(routes, parts);
  simulatorRoutes(routes, parts);
  routes.mount("", operationsRoutes(parts));
  return routes;
}

function accountRoutes(routes: Routes, { accounts, ismg }: RouteParts): void {
  const view = (account: Account) => accountView(account, ismg.sessionsOf(account.spId).length);
  routes.route({
    method: "POST",
    path: "/api/v1/sms/accounts",
    summary: "Create a service provider, or change it",
    description: "The secret is taken and never shown.",
    tags: ["short messages"],
    auth: ["admin"],
    body: { json: AccountBody },
    responses: {
      200: { description: "The provider, changed", schema: AccountView },
      201: { description: "The new provider", schema: AccountView },
      409: { description: "Another provider has this SP_Code" },
    },
  }).handle(async ({ body, log }) => {
    const { version = "3.0", ...rest } = body;
    try {
      const { account, created } = await accounts.put({
        ...withoutUndefined(rest),
        version: versionOctet(version),
      });
      log.info(created ? "provider created" : "provider changed", { spId: account.spId });
      return { status: created ? 201 : 200, body: view(account) };
    } catch (error) {
      if (error instanceof AccountError) throw problem(409, error.code, error.message);
      throw error;
    }
  });
  routes.route({
    method: "GET",
    path: "/api/v1/sms/accounts",
    summary: "All service providers",
    tags: ["short messages"],
    auth: ["admin"],
    responses: { 200: { description: "By SP_Id", schema: v.object({ items: v.array(AccountView) }) } },
  }).handle(() => ({ status: 200, body: { items: accounts.list().map(view) } }));
  routes.route({
    method: "DELETE",
    path: "/api/v1/sms/accounts/{spId}",
    summary: "Remove a service provider and end its connections",
    tags: ["short messages"],
    auth: ["admin"],
    params: v.object({ spId: v.string() }),
    responses: { 204: { description: "Removed" }, 404: { description: "No such provider" } },
  }).handle(async ({ params: { spId }, log }) => {
    if (!await accounts.remove(spId)) throw problem(404, "account_not_found", `no provider "${spId}"`);
    for (const session of ismg.sessionsOf(spId)) session.terminate();
    log.info("provider removed", { spId });
    return { status: 204 };
  });
}

function listRoutes(routes: Routes, { ismg, store }: RouteParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/connections",
    summary: "Connections that are there now",
    tags: ["short messages"],
    auth: ["admin"],
    responses: { 200: { description: "All", schema: v.object({ items: v.array(ConnectionView) }) } },
  }).handle(() => ({
    status: 200,
    body: {
      items: [...ismg.sessions].map((session) => ({
        spId: session.account?.spId ?? null,
        address: session.connection.remote.host,
        kind: session.kind,
        version: session.account ? versionText(session.version) : null,
        connectedAt: new Date(session.connectedAt).toISOString(),
        submitted: session.submitted,
        delivered: session.delivered,
        working: session.working,
        unanswered: session.unanswered,
      })),
    },
  }));
  routes.route({
    method: "GET",
    path: "/api/v1/sms/messages",
    summary: "Messages to phones, the newest first, without their contents",
    tags: ["short messages"],
    auth: ["admin"],
    query: v.object({ ...pageQuery(), spId: v.optional(SpId), state: v.optional(v.picklist(STATES)) }),
    responses: { 200: { description: "A page", schema: pageSchema(MessageView) } },
  }).handle(async ({ query: { cursor, limit, spId, state } }) => {
    const before = cursor === undefined
      ? undefined
      : decodeCursor(cursor, v.strictObject({ submittedAt: v.number(), msgId: v.string() }));
    const rows = await store.list({ spId, state }, limit + 1, before);
    const key = (row: MessageFacts) => ({ submittedAt: row.submitted_at, msgId: row.msg_id });
    return { status: 200, body: pageOf(rows, limit, key, messageView) };
  });
  routes.route({
    method: "GET",
    path: "/api/v1/sms/queues",
    summary: "What waits for each provider",
    tags: ["short messages"],
    auth: ["admin"],
    responses: {
      200: {
        description: "By provider and kind",
        schema: v.object({
          items: v.array(v.object({ spId: v.string(), kind: v.string(), count: v.number() })),
        }),
      },
    },
  }).handle(async () => {
    const sizes = await store.outboxSizes();
    return {
      status: 200,
      body: { items: sizes.map(({ sp_id, kind, count }) => ({ spId: sp_id, kind, count })) },
    };
  });
}

function simulatorRoutes(routes: Routes, { accounts, simulator }: RouteParts): void {
  routes.route({
    method: "POST",
    path: "/api/v1/sms/simulator/mo",
    summary: "A simulated phone writes to a provider",
    tags: ["short messages"],
    auth: ["admin"],
    body: {
      json: v.strictObject({
        from: Number_,
        to: v.pipe(v.string(), v.regex(/^\d{1,21}$/, "Invalid number: Expected 1 to 21 digits")),
        text: v.pipe(v.string(), v.maxLength(10_000)),
      }),
    },
    responses: {
      202: { description: "On its way, in so many parts", schema: v.object({ parts: v.number() }) },
      404: { description: "No provider has this number" },
      409: { description: "The centre is not simulated here" },
    },
  }).handle(({ body: { from, to, text } }) => {
    if (!simulator) throw problem(409, "not_simulated", "a real short-message centre is connected");
    if (!accounts.byNumber(to)) throw problem(404, "no_provider", `no provider has the number "${to}"`);
    return { status: 202, body: { parts: simulator.injectMo(from, to, text) } };
  });
}

function accountView(account: Account, connections: number): v.InferInput<typeof AccountView> {
  const { spId, spCode, maxConnections, ratePerSecond, window } = account;
  return {
    spId,
    spCode,
    serviceIds: [...account.serviceIds],
    addresses: [...account.addresses],
    version: versionText(account.version),
    maxConnections,
    ratePerSecond,
    window,
    connections,
    createdAt: new Date(account.createdAt).toISOString(),
    updatedAt: new Date(account.updatedAt).toISOString(),
  };
}

function messageView(row: MessageFacts): v.InferInput<typeof MessageView> {
  return {
    msgId: row.msg_id,
    spId: row.sp_id,
    serviceId: row.service_id,
    destination: row.destination,
    state: row.state,
    stat: row.stat,
    submittedAt: new Date(row.submitted_at).toISOString(),
    dueAt: new Date(row.due_at).toISOString(),
    expiresAt: new Date(row.expires_at).toISOString(),
    doneAt: row.done_at === null ? null : new Date(row.done_at).toISOString(),
  };
}

function versionText(octet: number): string {
  return `${octet >> 4}.${octet & 15}`;
}

function versionOctet(text: string): number {
  const [major, minor] = text.split(".").map(Number);
  return major! << 4 | minor!;
}

/** Without what was left out: an optional field is absent, not undefined. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

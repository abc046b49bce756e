/**
 * Service providers over HTTP.
 *
 * @module
 */
import * as v from "valibot";
import {
  answerWith,
  changedMeanwhile,
  etagOf,
  ifMatch,
  isoTime,
  problem,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "./access.ts";
import { type Account, AccountError, type AccountInput, type AccountStore } from "./accounts.ts";
import { noProvider, Secret, SpId, versionOctet, versionText, whole } from "./fields.ts";
import type { Ismg } from "./ismg.ts";
import { ownTimes, TimesField, timesView } from "./link_times.ts";

const ServiceId = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,10}$/, "Invalid Service_Id: Expected 1 to 10 visible characters"),
);
const SpCode = v.pipe(v.string(), v.regex(/^\d{1,20}$/, "Invalid SP_Code: Expected 1 to 20 digits"));

const LIMITS = {
  serviceIds: v.optional(v.pipe(v.array(ServiceId), v.maxLength(500))),
  addresses: v.optional(v.pipe(v.array(v.pipe(v.string(), v.ip())), v.maxLength(100))),
  /** The highest that it may speak. */
  version: v.optional(v.picklist(["2.0", "2.1", "3.0"])),
  maxConnections: v.optional(whole(1, 1000)),
  ratePerSecond: v.optional(whole(1, 1_000_000)),
  window: v.optional(whole(1, 10_000)),
  /** Its own T (response), N (attempts) and C (active test); null: the service's. */
  times: v.optional(TimesField),
} as const;
const AccountBody = v.strictObject({ spId: SpId, secret: Secret, spCode: SpCode, ...LIMITS });
const AccountChanges = v.strictObject({
  secret: v.optional(Secret),
  spCode: v.optional(SpCode),
  ...LIMITS,
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
  times: TimesField,
  connections: v.number(),
  createdAt: timeSchema,
  updatedAt: timeSchema,
});

/** What these routes lean on. */
export interface AccountParts {
  readonly accounts: AccountStore;
  readonly ismg: Ismg;
}

/** The routes. */
export function accountRoutes(parts: AccountParts): Routes {
  const routes = new Routes();
  putRoute(routes, parts);
  changeRoute(routes, parts);
  readRoutes(routes, parts);
  removeRoute(routes, parts);
  return routes;
}

function putRoute(routes: Routes, { accounts, ismg }: AccountParts): void {
  routes.route({
    method: "POST",
    path: "/api/v1/sms/accounts",
    summary: "Create a service provider, or set it anew",
    description: "The secret is taken and never shown. What is left out is as for a new provider.",
    tags: ["short messages"],
    auth: MAY_WRITE,
    body: { json: AccountBody },
    responses: {
      200: { description: "The provider, set anew", schema: AccountView },
      201: { description: "The new provider", schema: AccountView },
      409: { description: "Another provider has this SP_Code" },
    },
  }).handle(async ({ body, log, changed }) => {
    const before = accounts.find(body.spId);
    const { account, created } = await taken(accounts.put({ ...inputOf(body), ...ids(body) }));
    settle(ismg, before, account);
    changed(before && audited(before), audited(account));
    log.info(created ? "provider created" : "provider changed", { spId: account.spId });
    return { status: created ? 201 : 200, body: view(account, ismg) };
  });
}

function changeRoute(routes: Routes, { accounts, ismg }: AccountParts): void {
  routes.route({
    method: "PATCH",
    path: "/api/v1/sms/accounts/{spId}",
    summary: "Change a service provider",
    description:
      "What is left out stays. Its connections go by the new limits at once; they end where secret, " +
      "addresses or version changed, and have to prove themselves again.",
    tags: ["short messages"],
    auth: MAY_WRITE,
    params: v.object({ spId: v.string() }),
    body: { json: AccountChanges },
    etag: true,
    responses: {
      200: { description: "The provider, changed", schema: AccountView },
      404: { description: "No such provider" },
      409: { description: "Another provider has this SP_Code" },
    },
  }).handle(async ({ params: { spId }, body, log, request, changed }) => {
    const before = accounts.find(spId);
    const seen = before && ifMatch(request, before.updatedAt) ? before.updatedAt : undefined;
    const account = await taken(accounts.change(spId, inputOf(body), seen));
    if (!account && seen !== undefined && accounts.find(spId)) throw changedMeanwhile();
    if (!before || !account) throw noProvider(spId);
    settle(ismg, before, account);
    changed(audited(before), audited(account));
    log.info("provider changed", { spId });
    const now = view(account, ismg);
    return { status: 200, body: now, headers: { etag: etagOf(account.updatedAt, now) } };
  });
}

function readRoutes(routes: Routes, { accounts, ismg }: AccountParts): void {
  routes.route({
    method: "GET",
    path: "/api/v1/sms/accounts",
    summary: "All service providers",
    tags: ["short messages"],
    auth: MAY_READ,
    responses: { 200: { description: "By SP_Id", schema: v.object({ items: v.array(AccountView) }) } },
  }).handle(() => ({ status: 200, body: { items: accounts.list().map((account) => view(account, ismg)) } }));
  routes.route({
    method: "GET",
    path: "/api/v1/sms/accounts/{spId}",
    summary: "A service provider",
    tags: ["short messages"],
    auth: MAY_READ,
    params: v.object({ spId: v.string() }),
    etag: true,
    responses: {
      200: { description: "The provider", schema: AccountView },
      404: { description: "No such provider" },
    },
  }).handle(({ params: { spId }, request }) => {
    const account = accounts.find(spId);
    if (!account) throw noProvider(spId);
    const body = view(account, ismg);
    return answerWith(request, etagOf(account.updatedAt, body), body);
  });
}

function removeRoute(routes: Routes, { accounts, ismg }: AccountParts): void {
  routes.route({
    method: "DELETE",
    path: "/api/v1/sms/accounts/{spId}",
    summary: "Remove a service provider and end its connections",
    tags: ["short messages"],
    auth: MAY_WRITE,
    params: v.object({ spId: v.string() }),
    etag: true,
    responses: { 204: { description: "Removed" }, 404: { description: "No such provider" } },
  }).handle(async ({ params: { spId }, log, request, changed }) => {
    const before = accounts.find(spId);
    const seen = before && ifMatch(request, before.updatedAt) ? before.updatedAt : undefined;
    if (!before || !await accounts.remove(spId, seen)) {
      throw seen !== undefined && accounts.find(spId) ? changedMeanwhile() : noProvider(spId);
    }
    for (const session of ismg.sessionsOf(spId)) session.terminate();
    changed(audited(before), undefined);
    log.info("provider removed", { spId });
    return { status: 204 };
  });
}

/** Has the provider's connections go by what holds now. */
function settle(ismg: Ismg, before: Account | undefined, now: Account): void {
  if (!before) return;
  const same = before.secret === now.secret && before.version === now.version &&
    before.addresses.join() === now.addresses.join();
  ismg.changed(now, !same);
}

async function taken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AccountError) throw problem(409, error.code, error.message);
    throw error;
  }
}

function ids({ spId, spCode, secret }: v.InferOutput<typeof AccountBody>) {
  return { spId, spCode, secret };
}

/** What was given, without what was left out: an optional field is absent, not undefined. */
function inputOf(body: v.InferOutput<typeof AccountChanges>): Partial<Omit<AccountInput, "spId">> {
  const { version, times, ...rest } = body;
  const read = {
    version: version && versionOctet(version),
    times: times === undefined ? undefined : ownTimes(times),
  };
  const given = Object.entries({ ...rest, ...read })
    .filter(([name, value]) => value !== undefined && name !== "spId");
  return Object.fromEntries(given);
}

function view(account: Account, ismg: Ismg): v.InferInput<typeof AccountView> {
  return { ...shown(account), connections: ismg.sessionsOf(account.spId).length };
}

/** For the audit: without the secret. */
function audited(account: Account) {
  const { createdAt: _, updatedAt: __, ...rest } = shown(account);
  return rest;
}

function shown(account: Account) {
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
    times: timesView(account.times),
    createdAt: isoTime(account.createdAt),
    updatedAt: isoTime(account.updatedAt),
  };
}

/**
 * `/api/v1/webhooks`: where the platform tells others what happens.
 *
 * @module
 */
import * as v from "valibot";
import type { Clock } from "../../base/mod.ts";
import {
  actorOf,
  answerWith,
  changedMeanwhile,
  decodeCursor,
  etagOf,
  ifMatch,
  isoTime,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
} from "../../control/mod.ts";
import { beyondRights } from "../people/mod.ts";
import type { DeliveryStore } from "./deliveries.ts";
import { deliveryRoutes } from "./delivery_routes.ts";
import { EVENT_TYPES, EVENTS, type EventType, permissionsFor } from "./events.ts";
import { absent, AUTH, beyond, Description, Events, Groups, IdParams, TAGS, Url } from "./fields.ts";
import type { Hooks } from "./hooks.ts";
import type { WebhookRow } from "./schema.ts";
import { MAX_WEBHOOKS, type WebhookStore } from "./store.ts";
import type { Targets } from "./target.ts";
import { edited, eventsOf, groupsOf, WebhookView, webhookView } from "./views.ts";

const MAX_BYTES = 16_384;
/** How long the secret before signs too: where nobody says, and at most. */
const GRACE_S = 86_400, MAX_GRACE_S = 7 * 86_400;

const refused = { description: "The URL leads where webhooks may not" } as const;

/** What the routes lean on. */
export interface WebhookRouteParts {
  readonly clock: Pick<Clock, "now">;
  readonly store: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly hooks: Hooks;
  readonly targets: Targets;
  /** Something waits for a webhook. */
  queued(id: string): void;
}

/**
 * The routes. A webhook carries off what it tells: whoever makes, changes or looks into one must be allowed to read all
 * of that themselves. Who is confined to groups sees the webhooks that are confined to some of these.
 */
export function webhookRoutes(parts: WebhookRouteParts): Routes {
  const routes = new Routes();
  const { clock, store, deliveries, hooks, targets } = parts;
  const view = async (row: WebhookRow) =>
    webhookView(row, (await deliveries.waiting()).get(row.id) ?? 0, clock.now());
  /** For the audit: what people set. */
  const audited = (row: WebhookRow) => {
    const { id, url, description, events, groups, enabled } = webhookView(row, 0, clock.now());
    return { id, url, description, events, groups, enabled };
  };
  const sees = ({ groups: own }: Principal, row: WebhookRow) => {
    const groups = groupsOf(row);
    return !own || (groups !== null && groups.every((group) => own.includes(group)));
  };
  const within = (principal: Principal, events: readonly EventType[], groups: readonly string[] | null) => {
    const more = beyondRights(principal, permissionsFor(events), groups);
    if (more) {
      throw problem(403, "beyond_own_rights", `the webhook would tell more than you may see: ${more}`);
    }
  };
  const found = async (principal: Principal, id: string): Promise<WebhookRow> => {
    const row = await store.find(id);
    if (!row || !sees(principal, row)) throw problem(404, "webhook_not_found", `there is no webhook "${id}"`);
    within(principal, eventsOf(row), groupsOf(row));
    return row;
  };
  const acceptable = (url: string) => {
    const fault = targets.fault(url);
    if (fault) throw problem(422, "url_refused", `the URL is not taken: ${fault}`);
  };

  routes.route({
    method: "GET",
    path: "/api/v1/webhook-events",
    summary: "What webhooks can hear of, and the permission that each needs",
    tags: TAGS,
    auth: AUTH,
    responses: {
      200: {
        description: "Types of events",
        schema: v.object({
          items: v.array(v.object({ type: v.string(), summary: v.string(), permission: v.string() })),
        }),
      },
    },
  }).handle(() => ({
    status: 200,
    body: {
      items: EVENT_TYPES.map((type) => {
        const { summary, permission } = EVENTS[type];
        return { type, summary, permission };
      }),
    },
  }));

  routes.route({
    method: "GET",
    path: "/api/v1/webhooks",
    summary: "List webhooks",
    tags: TAGS,
    auth: AUTH,
    query: v.object(pageQuery()),
    responses: {
      200: { description: "A page of webhooks, the oldest first", schema: pageSchema(WebhookView) },
    },
  }).handle(async ({ principal, query: { cursor, limit } }) => {
    const after = decodeCursor(cursor, v.string()) ?? "";
    // There are never many.
    const [all, waiting] = await Promise.all([store.all(), deliveries.waiting()]);
    const rows = all.filter((row) =>
      row.id > after && sees(principal, row) &&
      beyondRights(principal, permissionsFor(eventsOf(row)), groupsOf(row)) === undefined
    );
    return {
      status: 200,
      body: pageOf(
        rows.slice(0, limit + 1),
        limit,
        ({ id }) => id,
        (row) => webhookView(row, waiting.get(row.id) ?? 0, clock.now()),
      ),
    };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/webhooks",
    summary: "Add a webhook",
    description:
      "The secret that it signs with is shown this once. `groups` confines it to what happens to " +
      "gateways of these groups. How to check what it sends is in docs/webhooks.md.",
    keyed: false, // the secret is shown once
    tags: TAGS,
    auth: AUTH,
    body: {
      json: v.strictObject({
        url: Url,
        events: Events,
        description: v.optional(Description, ""),
        groups: v.optional(Groups, null),
        enabled: v.optional(v.boolean(), true),
      }),
      maxBytes: MAX_BYTES,
    },
    responses: {
      201: { description: "The webhook", schema: v.object({ secret: v.string(), ...WebhookView.entries }) },
      403: beyond,
      409: { description: `There are ${MAX_WEBHOOKS} already` },
      422: refused,
    },
  }).handle(async ({ body, principal, changed }) => {
    within(principal, body.events, body.groups);
    acceptable(body.url);
    const made = await store.create({ ...body, events: [...new Set(body.events)] }, actorOf(principal));
    if (!made) throw problem(409, "too_many_webhooks", `there are ${MAX_WEBHOOKS} webhooks already`);
    await hooks.changed(made.row.id);
    changed(undefined, audited(made.row));
    return { status: 201, body: { secret: made.secret, ...await view(made.row) } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/webhooks/{id}",
    summary: "One webhook",
    tags: TAGS,
    auth: AUTH,
    params: IdParams,
    etag: true,
    responses: {
      200: { description: "The webhook", schema: WebhookView },
      403: beyond,
      404: absent,
    },
  }).handle(async ({ principal, params: { id }, request }) => {
    const row = await found(principal, id), body = await view(row);
    return answerWith(request, etagOf(edited(row), body), body);
  });

  routes.route({
    method: "PATCH",
    path: "/api/v1/webhooks/{id}",
    summary: "Change a webhook, or have it go on after the platform disabled it",
    description: "What waits for it goes to the new URL.",
    tags: TAGS,
    auth: AUTH,
    params: IdParams,
    body: {
      json: v.strictObject({
        url: v.optional(Url),
        events: v.optional(Events),
        description: v.optional(Description),
        groups: v.optional(Groups),
        enabled: v.optional(v.boolean()),
      }),
      maxBytes: MAX_BYTES,
    },
    etag: true,
    responses: {
      200: { description: "The webhook", schema: WebhookView },
      403: beyond,
      404: absent,
      422: refused,
    },
  }).handle(
    async ({ principal, params: { id }, body, request, changed }) => {
      const { url, events, description, groups, enabled } = body;
      const before = await found(principal, id);
      const was = ifMatch(request, edited(before)) ? edited(before) : undefined;
      within(principal, events ?? eventsOf(before), groups === undefined ? groupsOf(before) : groups);
      if (url !== undefined) acceptable(url);
      const after = await store.update(id, {
        ...(url === undefined ? {} : { url }),
        ...(events === undefined ? {} : { events: [...new Set(events)] }),
        ...(description === undefined ? {} : { description }),
        ...(groups === undefined ? {} : { groups }),
        ...(enabled === undefined ? {} : { enabled }),
      }, was);
      if (!after && was && await store.find(id)) throw changedMeanwhile();
      if (!after) throw problem(404, "webhook_not_found", `there is no webhook "${id}"`);
      await hooks.changed(id);
      changed(audited(before), audited(after));
      const shown = await view(after);
      return { status: 200, body: shown, headers: { etag: etagOf(edited(after), shown) } };
    },
  );

  routes.route({
    method: "DELETE",
    path: "/api/v1/webhooks/{id}",
    summary: "Remove a webhook, and what waits for it",
    tags: TAGS,
    auth: AUTH,
    params: IdParams,
    etag: true,
    responses: { 204: { description: "Removed" }, 403: beyond, 404: absent },
  }).handle(async ({ principal, params: { id }, request, changed }) => {
    const before = await found(principal, id);
    const was = ifMatch(request, edited(before)) ? edited(before) : undefined;
    if (!await store.remove(id, was) && was) throw changedMeanwhile();
    await hooks.changed(id);
    changed(audited(before), undefined);
    return { status: 204 };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/webhooks/{id}/secret",
    summary: "Give a webhook a new secret",
    description:
      `It is shown this once. For \`graceSeconds\` (${GRACE_S} where nothing is said) the one before ` +
      "signs too, so that the receiver can change over.",
    keyed: false, // the secret is shown once
    tags: TAGS,
    auth: AUTH,
    params: IdParams,
    body: {
      json: v.strictObject({
        graceSeconds: v.optional(
          v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_GRACE_S)),
          GRACE_S,
        ),
      }),
      optional: true,
      maxBytes: MAX_BYTES,
    },
    responses: {
      200: {
        description: "The secret",
        schema: v.object({ secret: v.string(), oldSecretUntil: WebhookView.entries.oldSecretUntil }),
      },
      403: beyond,
      404: absent,
    },
  }).handle(async ({ principal, params: { id }, body, changed }) => {
    const row = await found(principal, id);
    const { secret, until } = await store.rotate(row, (body?.graceSeconds ?? GRACE_S) * 1000);
    await hooks.changed(id);
    const oldSecretUntil = isoTime(until);
    changed(audited(row), { ...audited(row), secret: "changed", oldSecretUntil });
    return { status: 200, body: { secret, oldSecretUntil } };
  });

  routes.mount("", deliveryRoutes(parts, found));
  return routes;
}

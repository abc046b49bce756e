/**
 * `/api/v1/webhooks/{id}/deliveries`: what a webhook was told or is to be told, and telling it again.
 *
 * @module
 */
import * as v from "valibot";
import { newId } from "../../base/mod.ts";
import {
  decodeCursor,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
} from "../../control/mod.ts";
import { MAX_WAITING } from "./deliveries.ts";
import { EVENT_TYPES, payloadOf, TEST_EVENT } from "./events.ts";
import { absent, AUTH, beyond, Id, IdParams, TAGS } from "./fields.ts";
import type { WebhookRouteParts } from "./routes.ts";
import { DELIVERY_STATES, type WebhookRow } from "./schema.ts";
import { DeliveryView, deliveryView } from "./views.ts";

const DeliveryParams = v.object({ id: Id, delivery: Id });
const disabled = { description: "It is disabled" } as const;

/** The routes. `found` gives a webhook to whoever may see all that it tells. */
export function deliveryRoutes(
  { clock, deliveries, queued }: Pick<WebhookRouteParts, "clock" | "deliveries" | "queued">,
  found: (principal: Principal, id: string) => Promise<WebhookRow>,
): Routes {
  const routes = new Routes();
  const active = ({ enabled, id }: WebhookRow) => {
    if (enabled !== 1) throw problem(409, "webhook_disabled", `webhook "${id}" is disabled: enable it first`);
  };
  const noDelivery = (id: string) => problem(404, "delivery_not_found", `there is no delivery "${id}"`);

  routes.route({
    method: "POST",
    path: "/api/v1/webhooks/{id}/test",
    summary: "Send a webhook an event that means nothing",
    description:
      `Its type is \`${TEST_EVENT}\`. It goes the way that all go: how it went, its delivery says.`,
    tags: TAGS,
    auth: AUTH,
    params: IdParams,
    responses: {
      202: { description: "It is on its way", schema: DeliveryView },
      403: beyond,
      404: absent,
      409: disabled,
    },
  }).handle(async ({ principal, params: { id } }) => {
    active(await found(principal, id));
    const now = clock.now(), body = payloadOf(TEST_EVENT, now, { webhook: id });
    const row = await deliveries.add({ webhookId: id, eventId: newId(), type: TEST_EVENT, body }, now);
    if (!row) {
      throw problem(429, "queue_full", `${MAX_WAITING} deliveries wait for webhook "${id}"`, {
        retryAfterSeconds: 60,
      });
    }
    queued(id);
    return { status: 202, body: deliveryView(row) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/webhooks/{id}/deliveries",
    summary: "What a webhook was told or is to be told, newest first",
    description: "Ended ones are kept for 7 days, of one webhook the newest 10,000.",
    tags: TAGS,
    auth: AUTH,
    params: IdParams,
    query: v.object({
      state: v.optional(v.picklist(DELIVERY_STATES)),
      type: v.optional(v.picklist([...EVENT_TYPES, TEST_EVENT])),
      ...pageQuery(),
    }),
    responses: {
      200: { description: "A page of deliveries", schema: pageSchema(DeliveryView) },
      403: beyond,
      404: absent,
    },
  }).handle(async ({ principal, params: { id }, query: { cursor, limit, ...filter } }) => {
    await found(principal, id);
    const before = decodeCursor(cursor, v.string());
    const rows = await deliveries.list(id, filter, limit + 1, before);
    return { status: 200, body: pageOf(rows, limit, (row) => row.id, deliveryView) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/webhooks/{id}/deliveries/{delivery}",
    summary: "One delivery",
    tags: TAGS,
    auth: AUTH,
    params: DeliveryParams,
    responses: { 200: { description: "The delivery", schema: DeliveryView }, 403: beyond, 404: absent },
  }).handle(async ({ principal, params: { id, delivery } }) => {
    await found(principal, id);
    const row = await deliveries.find(id, delivery);
    if (!row) throw noDelivery(delivery);
    return { status: 200, body: deliveryView(row) };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
    summary: "Tell it again, or at once: the same event under the same id",
    tags: TAGS,
    auth: AUTH,
    params: DeliveryParams,
    responses: {
      202: { description: "It is on its way", schema: DeliveryView },
      403: beyond,
      404: absent,
      409: disabled,
    },
  }).handle(async ({ principal, params: { id, delivery } }) => {
    active(await found(principal, id));
    const row = await deliveries.redeliver(id, delivery, clock.now());
    if (!row) throw noDelivery(delivery);
    queued(id);
    return { status: 202, body: deliveryView(row) };
  });
  return routes;
}

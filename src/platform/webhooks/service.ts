/**
 * Webhooks as one part of the platform.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import type { Kysely } from "kysely";
import { type Deps, messageOf } from "../../base/mod.ts";
import type { Routes } from "../../control/mod.ts";
import { Seal } from "../credentials/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import type { Outbox, OutboxTables } from "../outbox/mod.ts";
import type { AuditEntry } from "../people/mod.ts";
import { DeliveryStore } from "./deliveries.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type Hook, Hooks } from "./hooks.ts";
import { Intake } from "./intake.ts";
import { webhookRoutes } from "./routes.ts";
import type { DeliveryRow, DisabledReason, WebhookTables } from "./schema.ts";
import { type Attempt, send, type SenderParts } from "./sender.ts";
import { signatures } from "./signature.ts";
import { WebhookStore } from "./store.ts";
import { Targets } from "./target.ts";

/** The running part. It listens nowhere itself: mount its routes. */
export interface Webhooks extends AsyncDisposable {
  readonly routes: Routes;
  /** Waits until everything that happened on this node so far is in the queues. For tests. */
  settled(): Promise<void>;
}

/** What it leans on besides what all do. */
export interface WebhookParts {
  readonly sql: Kysely<WebhookTables>;
  /** Where what happens is written together with what changes. */
  readonly outbox: Outbox;
  readonly dataDir: string;
  /** Where it says that it disabled a webhook. */
  readonly audit: (entry: AuditEntry) => Promise<void>;
  /** Among several nodes: whether this one delivers for all. */
  readonly duty?: (() => Promise<boolean>) | undefined;
}

/** What is set. */
export interface WebhookSettings {
  /** What may be called besides the internet: host names, addresses, networks. */
  readonly allow?: readonly string[] | undefined;
  /** The text that secrets are sealed under; undefined: a key in `<data>/webhook.key`. */
  readonly key?: string | undefined;
}

/** Starts the part. @throws {SealError} where the key's file is none */
export async function startWebhooks(
  platform: PlatformDeps,
  { sql, outbox, dataDir, audit, duty }: WebhookParts,
  { allow, key }: WebhookSettings = {},
): Promise<Webhooks> {
  const deps: Deps = { ...platform, log: platform.log.with({ service: "webhooks" }) };
  const { bus, network, fleet } = platform, { clock, log, random } = deps;
  await using starting = new AsyncDisposableStack();
  const seal = key === undefined
    ? await Seal.open(join(dataDir, "webhook.key"), random)
    : new Seal(createHash("sha256").update(`gatehouse webhooks ${key}`).digest(), random);
  const store = new WebhookStore(sql, deps, seal);
  const deliveries = new DeliveryStore(sql, outbox);
  const targets = new Targets(allow);
  const hooks = starting.use(await Hooks.open({ deps, bus, store, shared: duty !== undefined }));
  const disable = async ({ row }: Hook, reason: DisabledReason) => {
    if (!await store.disable(row, reason)) return;
    log.warn("a webhook was disabled", { webhook: row.id, reason });
    await hooks.changed(row.id);
    await audit({
      actor: "platform",
      actor_name: "platform",
      action: "webhook.disabled",
      target: `/api/v1/webhooks/${row.id}`,
      status: 200,
      address: "",
      request_id: "",
      before: { enabled: true },
      after: { enabled: false, reason },
    });
  };
  const waiting = sql as unknown as Kysely<OutboxTables>; // the same database: its migrations made this table too
  const intake = starting.use(new Intake({ deps, bus, hooks, deliveries, fleet, outbox, sql: waiting }));
  starting.use(
    new Dispatcher({
      ...{ deps, bus, hooks, deliveries, duty, disable },
      send: (hook, row, signal) => sendSigned({ clock, network, targets }, store, hook, row, signal),
      async failing({ row }, since) {
        await store.setFailing(row.id, since);
        await hooks.changed(row.id);
      },
      overlooked: () => intake.drain(),
    }),
  );
  const routes = webhookRoutes({
    ...{ clock, store, deliveries, hooks, targets },
    queued: (id) => bus.publish("webhook.queued", { ids: [id] }),
  });
  const stack = starting.move();
  return {
    routes,
    settled: () => intake.settled(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Sends a delivery once, with the headers that Standard Webhooks asks for ("Webhook headers"). */
async function sendSigned(
  parts: SenderParts,
  store: Pick<WebhookStore, "secretsOf">,
  { row }: Hook,
  { event_id: id, body }: DeliveryRow,
  signal: AbortSignal,
): Promise<Attempt> {
  const timestamp = Math.floor(parts.clock.now() / 1000);
  let secrets: readonly string[];
  try {
    secrets = store.secretsOf(row);
  } catch (error) {
    return { error: `its secret can't be used: ${messageOf(error)}`, ms: 0 };
  }
  const headers = {
    "content-type": "application/json",
    "user-agent": "Gatehouse-Webhooks/1",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures(secrets, { id, timestamp, body }),
  };
  return await send(parts, row.url, headers, body, signal);
}

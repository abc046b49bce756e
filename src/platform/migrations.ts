/**
 * The migrations of everything that keeps something in the platform's database.
 *
 * @module
 */
import type { Migrations } from "../storage/mod.ts";
import { alarmMigrations } from "./alarms/mod.ts";
import { appMigrations } from "./app/mod.ts";
import { distributionMigrations } from "./distribution/mod.ts";
import { fleetMigrations } from "./fleet/mod.ts";
import { idempotencyMigrations } from "./idempotency/mod.ts";
import { nodeMigrations } from "./nodes/mod.ts";
import { outboxMigrations } from "./outbox/mod.ts";
import { peopleMigrations } from "./people/mod.ts";
import { pushMigrations } from "./push/mod.ts";
import { registryMigrations } from "./registry/mod.ts";
import { rolloutMigrations } from "./rollouts/mod.ts";
import { smsMigrations } from "./sms/mod.ts";
import { webhookMigrations } from "./webhooks/mod.ts";

/** All of them by name: what a database may have been through that this program opens. */
export const platformMigrations: Migrations = {
  ...registryMigrations,
  ...appMigrations,
  ...pushMigrations,
  ...smsMigrations,
  ...peopleMigrations,
  ...fleetMigrations,
  ...rolloutMigrations,
  ...distributionMigrations,
  ...nodeMigrations,
  ...alarmMigrations,
  ...webhookMigrations,
  ...outboxMigrations,
  ...idempotencyMigrations,
};

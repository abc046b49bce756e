/**
 * What the platform's services stand on: the database, the nodes beside this one, the bus, what is known of gateways.
 *
 * @module
 */
import { join } from "@std/path";
import type { Deps } from "../base/mod.ts";
import { LocalBus } from "../cluster/mod.ts";
import type { Network } from "../net/mod.ts";
import { type Database, openDatabase, writesWaiting } from "../storage/mod.ts";
import type { PlatformDeps } from "./deps.ts";
import { Fleet, type FleetTables } from "./fleet/mod.ts";
import { platformMigrations } from "./migrations.ts";
import { type Cluster, MISSED_HEARTBEATS, type NodeTables, startCluster } from "./nodes/mod.ts";
import { Outbox } from "./outbox/mod.ts";
import {
  CommandStore,
  DocumentStore,
  GatewayStore,
  PresenceTable,
  type RegistryTables,
} from "./registry/mod.ts";
import type { PlatformSettings } from "./settings.ts";
import type { PlatformBus, PlatformEvents, PlatformRequests } from "./subjects.ts";

/** What a platform without others knows is in its memory: nobody else may change it in the tables. */
const USERS = {
  name: "platform",
  number: 7_890_7931,
  refusal:
    "another platform uses this database: stop it, or start each of them as a node of one cluster with " +
    "--nats and --node (docs/cluster.md), or name another --database",
};

/** Opened before any service, closed after all of them. */
export interface Foundation {
  readonly database: Database<RegistryTables>;
  /** The embedded database's file; undefined: it has none, or is a server's. */
  readonly databaseFile: string | undefined;
  /** undefined: this node is alone. */
  readonly cluster: Cluster | undefined;
  /** What happened, for webhooks and whoever else must hear of it. */
  readonly outbox: Outbox;
  /** What each service is given. */
  readonly shared: PlatformDeps;
}

/**
 * Opens it; what is opened is put on `stack`.
 *
 * @throws {StorageError} where the database can't be used; {@link HoldError} where another platform uses it
 */
export async function openFoundation(
  deps: Deps,
  settings: PlatformSettings,
  network: Network,
  stack: AsyncDisposableStack,
): Promise<Foundation> {
  const databaseUrl = settings.database ?? `sqlite:${join(settings.dataDir, "platform.db")}`;
  const database = stack.use(
    await openDatabase<RegistryTables>(
      databaseUrl,
      platformMigrations,
      {
        deps,
        hold: { ...USERS, shared: settings.cluster !== undefined, dataDir: settings.dataDir },
        ...(settings.databaseSync ? { sync: settings.databaseSync } : {}),
      },
    ),
  );
  const cluster = settings.cluster && stack.use(
    await startCluster(deps, database.tables<NodeTables>(), {
      ...settings.cluster,
      silenceMs: settings.heartbeatSeconds * 1000 * MISSED_HEARTBEATS,
    }),
  );
  const bus: PlatformBus = cluster?.bus ??
    new LocalBus<PlatformEvents, PlatformRequests>(deps.clock, deps.log);
  const outbox = new Outbox(deps.clock);
  const gateways = new GatewayStore(database.sql, deps.clock, outbox);
  const commands = new CommandStore(database.sql, outbox);
  const documents = new DocumentStore(database.sql, deps.clock);
  const presence = stack.use(
    new PresenceTable(deps, gateways, {
      heartbeatSeconds: settings.heartbeatSeconds,
      onChange: (mac, online) => bus.publish("presence.changed", { mac, online }),
      told: () => outbox.told(),
      owned: cluster?.presence,
    }),
  );
  await presence.load();
  cluster?.attach(presence);
  const fleet = stack.use(
    new Fleet({ ...deps, bus, gateways, commands, sql: database.tables<FleetTables>() }),
  );
  deps.metrics.gauge(...writesWaiting("commands", () => commands.waiting));
  deps.metrics.gauge(
    "gatehouse_history_waiting",
    "Entries of histories that wait to be written",
    () => fleet.history.waiting,
  );
  deps.metrics.gauge(
    "gatehouse_history_dropped",
    "Entries of histories that were dropped since too many waited",
    () => fleet.history.dropped,
  );
  const shared: PlatformDeps = {
    ...{ ...deps, network, bus, gateways, presence, commands, documents, fleet },
    owners: cluster?.owners,
  };
  const databaseFile = /^sqlite:(?!:memory:)(.+)$/.exec(databaseUrl)?.[1];
  return { database, databaseFile, cluster, outbox, shared };
}

/**
 * The role `platform`: opens what the services share, starts the services that were asked for, serves the API.
 *
 * @module
 */
import { join } from "@std/path";
import type { Kysely } from "kysely";
import { type Deps, formatHostPort, type Health, type HostPort, type Service } from "../base/mod.ts";
import { Api, type HttpService, loadAdminToken, serveHttp } from "../control/mod.ts";
import { type Network, systemNetwork } from "../net/mod.ts";
import { TrustStore } from "../sandbox/package/mod.ts";
import { startAccess } from "./access/mod.ts";
import { Alarms, type AlarmTables, platformSources } from "./alarms/mod.ts";
import { downloadPath, downloadRoutes } from "./api/mod.ts";
import { startApp } from "./app/mod.ts";
import { Commander, keepCommands } from "./commands/mod.ts";
import {
  type DistributionTables,
  PolicyScripts,
  PolicyStore,
  startDistribution,
} from "./distribution/mod.ts";
import type { FleetTables } from "./fleet/mod.ts";
import { openFoundation } from "./foundation.ts";
import { API_VERSION, platformApi } from "./http_api.ts";
import { IdempotencyKeys, type IdempotencyTables } from "./idempotency/mod.ts";
import { FilesOfNodes, type NodeTables } from "./nodes/mod.ts";
import { Overview, Recorder, TotalsOfNodes } from "./overview/mod.ts";
import { type PeopleTables, startPeople } from "./people/mod.ts";
import { startPluginCenter } from "./plugin_center/mod.ts";
import { PluginRepository, RepositoryError } from "./plugins/mod.ts";
import { PushedMessages, type PushTables, startPush } from "./push/mod.ts";
import { Rollouts, RolloutStore, type RolloutTables } from "./rollouts/mod.ts";
import type { PlatformSettings, ServiceName } from "./settings.ts";
import { startShortMessages } from "./short_messages.ts";
import { Backups } from "./system/mod.ts";
import { startWebhooks, type WebhookTables } from "./webhooks/mod.ts";

/** A running platform. */
export interface Platform extends Service {
  /** The HTTP API's address. */
  readonly http: HostPort;
  readonly services: readonly Service[];
}

/** What one node does for all, where there are several. */
const ROLLOUTS = "rollouts", WEBHOOKS = "webhooks";

/** Counters whose growth the overview shows, of all nodes. */
const HEARTBEATS = "gatehouse_heartbeats_total", COMMANDS = "gatehouse_commands_total";

/** For how long a node that stops tells balancers so before it closes: longer than they take to ask it once. */
const NOTICE_MS = 1500;

/**
 * Starts the platform.
 *
 * @throws {StorageError} where the database can't be used; {@link NetError} where a port can't be had
 */
export async function startPlatform(
  deps: Deps,
  settings: PlatformSettings,
  network: Network = systemNetwork(deps),
): Promise<Platform> {
  // What was started is stopped in the reverse order, also where a later part fails to start.
  await using starting = new AsyncDisposableStack();
  await Deno.mkdir(settings.dataDir, { recursive: true });
  const adminToken = await loadAdminToken(deps, settings.dataDir, settings.adminToken);
  const { database, databaseFile, cluster, outbox, shared } = await openFoundation(
    deps,
    settings,
    network,
    starting,
  );
  const { bus, presence, commands, fleet } = shared;
  const people = starting.use(
    startPeople(deps, database.tables<PeopleTables>(), { auditDays: settings.auditDays }),
  );
  // Before all that anything happens in, so that it also hears how that ends.
  const webhooks = starting.use(
    await startWebhooks(shared, {
      sql: database.tables<WebhookTables>(),
      outbox,
      dataDir: settings.dataDir,
      audit: (entry) => people.audit.add(entry),
      duty: cluster && (() => cluster.membership.holds(WEBHOOKS)),
    }, settings.webhooks),
  );
  const trust = starting.use(
    await TrustStore.open(deps, {
      path: join(settings.dataDir, "trust.json"),
      requireSigned: settings.requireSigned ?? "none",
    }),
  );
  const pluginsDir = join(settings.dataDir, "plugins");
  const repository = await PluginRepository.open(
    deps,
    database.sql,
    trust,
    pluginsDir,
    cluster && new FilesOfNodes(database.tables<NodeTables>()),
    outbox,
  );

  const advertised = (address: HostPort): HostPort => ({ host: settings.advertise, port: address.port });
  const services: Service[] = [{
    name: "database",
    addresses: [],
    health: () => database.health(),
    [Symbol.asyncDispose]: () => Promise.resolve(), // it is closed when all others are
  }, ...cluster ? [cluster] : []];
  const wanted = (name: ServiceName) => settings.services.includes(name);
  const run = <S extends Service>(service: S): S => {
    services.push(service);
    return starting.use(service);
  };

  const messages = starting.use(new PushedMessages(shared, database.tables<PushTables>()));
  // From the inside out: whoever is told to go somewhere finds it open.
  const push = wanted("push")
    ? run(startPush(shared, { sql: database.tables<PushTables>(), messages, outbox }, {
      listen: settings.push,
      ...settings.pushLimits,
    }))
    : undefined;
  let pluginCenter = advertised(settings.pluginCenter), access = advertised(settings.access);
  if (wanted("plugin_center")) {
    const service = run(startPluginCenter(shared, {
      listen: settings.pluginCenter,
      signInsPerSecond: settings.registrationsPerSecond,
    }));
    pluginCenter = advertised(service.address);
  }
  if (wanted("access")) {
    const service = run(
      await startAccess(shared, {
        listen: settings.access,
        receiver: settings.receiver,
        advertise: settings.advertise,
        pluginCenter,
        messageServer: push && advertised(push.address),
        heartbeatSeconds: settings.heartbeatSeconds,
        registrationsPerSecond: settings.registrationsPerSecond,
      }),
    );
    access = advertised(service.address);
  }
  const policy = await PolicyStore.open(database.tables<DistributionTables>(), deps.clock, access);
  const scripts = starting.use(new PolicyScripts(deps));
  if (wanted("distribution")) {
    run(
      await startDistribution(shared, policy, scripts, {
        listen: settings.distribution,
        receiver: settings.receiver,
        heartbeatSeconds: settings.heartbeatSeconds,
        registrationsPerSecond: settings.registrationsPerSecond,
      }),
    );
  }
  // Commands of an earlier run may want a download address before the API is open.
  const listening = Promise.withResolvers<string>();
  const commander = starting.use(
    await Commander.start(deps, {
      store: commands,
      bus,
      cluster: cluster?.membership,
      async packageOf(plugin, version) {
        try {
          const row = await repository.handOut(plugin, version);
          const path = downloadPath(row), base = await listening.promise;
          return { url: base + path, size: row.size, sha256: row.sha256 };
        } catch (error) {
          if (!(error instanceof RepositoryError)) throw error;
          return error.code === "absent" ? undefined : { refused: error.message };
        }
      },
    }),
  );

  starting.use(keepCommands(deps, commands, (settings.commandDays ?? 90) * 86_400_000));
  const rolloutStore = new RolloutStore(
    database.tables<RolloutTables>(),
    deps.clock,
    cluster && ((tx) => cluster.membership.guard(tx as unknown as Kysely<NodeTables>, ROLLOUTS)),
    outbox,
  );
  const rollouts = starting.use(
    await Rollouts.start({
      ...{ deps, store: rolloutStore, fleet, commander, bus },
      personOf: (actor) => people.personOf(actor),
      withheld: (plugin, version) =>
        repository.handOut(plugin, version).then(() => undefined, (error) => {
          if (error instanceof RepositoryError) return error.message;
          throw error;
        }),
      duty: cluster && (() => cluster.membership.holds(ROLLOUTS)),
    }),
  );
  const app = wanted("app")
    ? run(
      startApp(shared, {
        sql: database.sql,
        commander,
        messages,
        visible: (principal, mac) => fleet.gateway(principal, mac),
      }),
    )
    : undefined;
  const { sms, gns } = await startShortMessages(shared, database, settings, run);
  const alarms = starting.use(
    new Alarms({
      ...{ ...deps, bus, outbox },
      sql: database.tables<AlarmTables>(),
      sources: platformSources({
        ...deps,
        fleet,
        sql: database.tables<FleetTables & RolloutTables & WebhookTables>(),
        node: settings.cluster?.node ?? "",
        services: () => services,
        shortMessages: sms && (() => sms.alarms.list().filter(({ clearedAt }) => clearedAt === undefined)),
      }),
    }),
  );
  const idempotency = starting.use(
    await IdempotencyKeys.open(database.tables<IdempotencyTables>(), deps, settings.cluster?.node ?? ""),
  );
  const totals = cluster && starting.use(new TotalsOfNodes(deps, bus, [HEARTBEATS, COMMANDS]));
  const totalOf = (name: string) => totals?.read(name) ?? deps.metrics.total(name);
  const recorder = starting.use(
    new Recorder(deps.clock, [
      { name: "online", kind: "level", read: () => presence.onlineCount },
      { name: "heartbeats", kind: "total", read: () => totalOf(HEARTBEATS) },
      { name: "commands", kind: "total", read: () => totalOf(COMMANDS) },
    ]),
  );
  const api = platformApi({
    ...{ settings, adminToken, shared, services, people, idempotency, recorder, alarms, commander },
    ...{
      rollouts,
      rolloutStore,
      messages,
      repository,
      webhooks,
      trust,
      policy,
      scripts,
      push,
      app,
      sms,
      gns,
    },
    overview: new Overview(database.tables<FleetTables>(), deps.clock),
    backups: new Backups(deps, join(settings.dataDir, "backups"), databaseFile),
  });
  const { tls, trustedProxies } = settings;
  const http: HttpService = run(serveHttp(deps, api, settings.http, {
    ...{ tls, trustedProxies },
    ...(cluster ? { noticeMs: NOTICE_MS } : {}),
  }));
  // Gateways that can't do TLS fetch without it: what they get is known by its digest, and signed.
  const bare = new Api(deps, { title: "Gatehouse downloads", version: API_VERSION, authenticators: [] })
    .mount("", downloadRoutes(repository));
  const downloads = settings.downloads &&
    run(serveHttp(deps, bare, settings.downloads, { name: "downloads", trustedProxies }));
  const scheme = tls && !downloads ? "https" : "http";
  listening.resolve(`${scheme}://${formatHostPort(advertised((downloads ?? http).address))}`);

  const stack = starting.move();
  return {
    name: "platform",
    addresses: services.flatMap((service) =>
      service.addresses.map((address) => `${service.name} ${address}`)
    ),
    http: http.address,
    services,
    health: () => worst(services),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function worst(services: readonly Service[]): Health {
  const all = services.map((service) => service.health());
  return all.find(({ status }) => status === "down") ?? all.find(({ status }) => status === "degraded") ??
    { status: "up" };
}

/**
 * The role `platform`: opens what the services share, starts the services that were asked for, serves the API.
 *
 * @module
 */
import { join } from "@std/path";
import type { Kysely } from "kysely";
import { type Deps, formatHostPort, type Health, type HostPort, type Service } from "../base/mod.ts";
import { LocalBus } from "../cluster/mod.ts";
import {
  Api,
  type HttpService,
  loadAdminToken,
  nothingAt,
  serveHttp,
  serviceRoutes,
  tokenAuthenticator,
} from "../control/mod.ts";
import { type Network, systemNetwork } from "../net/mod.ts";
import { TrustStore } from "../sandbox/package/mod.ts";
import { openDatabase, writesWaiting } from "../storage/mod.ts";
import { trustProblem, trustRoutes } from "../trust/mod.ts";
import { startAccess } from "./access/mod.ts";
import { alarmRoutes, Alarms, type AlarmTables, platformSources } from "./alarms/mod.ts";
import { startApp } from "./app/mod.ts";
import {
  aboutRoutes,
  commandRoutes,
  downloadPath,
  downloadRoutes,
  gatewayRoutes,
  pluginRoutes,
  policyRoutes,
  problemOf,
  timelineRoutes,
} from "./api/mod.ts";
import { Commander, keepCommands } from "./commands/mod.ts";
import type { PlatformDeps } from "./deps.ts";
import { Console } from "./console/mod.ts";
import {
  type DistributionTables,
  PolicyScripts,
  PolicyStore,
  startDistribution,
} from "./distribution/mod.ts";
import { FilesOfNodes, MISSED_HEARTBEATS, type NodeTables, startCluster } from "./nodes/mod.ts";
import { IdempotencyKeys, type IdempotencyTables } from "./idempotency/mod.ts";
import { platformMigrations } from "./migrations.ts";
import { startPluginCenter } from "./plugin_center/mod.ts";
import { Fleet, fleetRoutes, type FleetTables } from "./fleet/mod.ts";
import { Overview, overviewRoutes, Recorder, TotalsOfNodes } from "./overview/mod.ts";
import { rolloutRoutes, Rollouts, RolloutStore, type RolloutTables } from "./rollouts/mod.ts";
import { type PeopleTables, ROOT, startPeople } from "./people/mod.ts";
import { Outbox, type OutboxTables } from "./outbox/mod.ts";
import { PluginRepository, RepositoryError } from "./plugins/mod.ts";
import { PushedMessages, type PushTables, startPush } from "./push/mod.ts";
import {
  CommandStore,
  DocumentStore,
  GatewayStore,
  PresenceTable,
  type RegistryTables,
} from "./registry/mod.ts";
import {
  DEFAULT_SMS,
  type PlatformSettings,
  type ServiceName,
  type SmsPlatformSettings,
} from "./settings.ts";
import { type GnsTables, openOutlet, type SmsTables, startGns, startSms } from "./sms/mod.ts";
import type { PlatformBus, PlatformEvents, PlatformRequests } from "./subjects.ts";
import { Backups, systemRoutes } from "./system/mod.ts";
import { startWebhooks, webhookSpecs, type WebhookTables } from "./webhooks/mod.ts";

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

/** The version in the OpenAPI document. */
const API_VERSION = "1";

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
  const databaseUrl = settings.database ?? `sqlite:${join(settings.dataDir, "platform.db")}`;
  const database = starting.use(
    await openDatabase<RegistryTables>(
      databaseUrl,
      platformMigrations,
      { deps, ...(settings.databaseSync ? { sync: settings.databaseSync } : {}) },
    ),
  );
  const cluster = settings.cluster && starting.use(
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
  const presence = starting.use(
    new PresenceTable(deps, gateways, {
      heartbeatSeconds: settings.heartbeatSeconds,
      onChange: (mac, online) => bus.publish("presence.changed", { mac, online }),
      told: () => outbox.told(),
      owned: cluster?.presence,
    }),
  );
  await presence.load();
  cluster?.attach(presence);
  const sql = database.tables<FleetTables>();
  const fleet = starting.use(new Fleet({ ...deps, bus, gateways, commands, sql }));
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
  const people = starting.use(
    startPeople(deps, database.tables<PeopleTables>(), { auditDays: settings.auditDays }),
  );
  // Before all that anything happens in, so that it also hears how that ends.
  const webhooks = starting.use(
    await startWebhooks(shared, {
      sql: database.tables<WebhookTables & OutboxTables>(),
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
  const {
    outlet: centre = { url: "simulator" },
    gns: gnsPort,
    gnsServer,
    gnsTakesUpdates = true,
    ...ports
  }: SmsPlatformSettings = settings.sms ?? DEFAULT_SMS;
  const sms = wanted("sms")
    ? run(
      await startSms(
        shared,
        {
          sql: database.tables<SmsTables>(),
          dataDir: settings.dataDir,
          outlet: await openOutlet(shared, centre),
        },
        {
          ...ports,
          ...(gnsServer ? { gnsServer } : {}),
          // The name server of the same process takes what is told to this gateway on its own port.
          ...(gnsPort && !wanted("gns") ? { gns: gnsPort } : {}),
        },
      ),
    )
    : undefined;
  const gns = wanted("gns")
    ? run(
      await startGns(
        shared,
        {
          sql: database.tables<GnsTables>(),
          dataDir: settings.dataDir,
          besides: () => sms?.answering,
        },
        { ...ports, listen: gnsPort ?? DEFAULT_SMS.gns, takesUpdates: gnsTakesUpdates },
      ),
    )
    : undefined;
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
  const api = new Api(deps, {
    title: "Gatehouse platform",
    version: API_VERSION,
    authenticators: [
      tokenAuthenticator(adminToken, ROOT),
      ...people.authenticators,
      ...(app ? [app.authenticator] : []),
    ],
    audit: (call) => people.record(call),
    idempotency,
    rate: settings.rateLimit === undefined ? undefined : { perMinute: settings.rateLimit },
    corsOrigins: settings.corsOrigins,
    webhooks: webhookSpecs,
    mapError: (error) => problemOf(error) ?? trustProblem(error),
  });
  api.mount("", serviceRoutes(deps.metrics, () => services));
  api.mount("", aboutRoutes(settings));
  api.mount("", people.routes);
  const totals = cluster && starting.use(new TotalsOfNodes(deps, bus, [HEARTBEATS, COMMANDS]));
  const totalOf = (name: string) => totals?.read(name) ?? deps.metrics.total(name);
  const recorder = starting.use(
    new Recorder(deps.clock, [
      { name: "online", kind: "level", read: () => presence.onlineCount },
      { name: "heartbeats", kind: "total", read: () => totalOf(HEARTBEATS) },
      { name: "commands", kind: "total", read: () => totalOf(COMMANDS) },
    ]),
  );
  api.mount("", overviewRoutes(new Overview(sql, deps.clock), recorder, fleet));
  const databaseFile = /^sqlite:(?!:memory:)(.+)$/.exec(databaseUrl)?.[1];
  const backups = new Backups(deps, join(settings.dataDir, "backups"), databaseFile);
  api.mount("", systemRoutes({ backups }));
  api.mount("", alarmRoutes({ ...deps, bus, alarms }));
  api.mount("", fleetRoutes(fleet, () => deps.clock.now()));
  api.mount("", rolloutRoutes({ deps, rollouts, store: rolloutStore, fleet, bus }));
  api.mount("", gatewayRoutes(shared));
  api.mount("", timelineRoutes({ fleet, commands, messages }));
  api.mount("", commandRoutes(shared, commander, repository));
  api.mount("", webhooks.routes);
  api.mount("", pluginRoutes(repository, bus));
  api.mount("", downloadRoutes(repository));
  api.mount("", trustRoutes(trust, ["trust:write"]));
  if (wanted("distribution")) api.mount("", policyRoutes({ policy, scripts, gateways, fleet }));
  if (push) api.mount("", push.routes);
  if (app) api.mount("", app.routes);
  if (sms) api.mount("", sms.routes);
  if (gns) api.mount("", gns.routes);
  const console = new Console({ ...deps, api, people, services: settings.services });
  api.raw("/*", (request, info) => {
    const { pathname } = new URL(request.url);
    // Programs get problems, people pages.
    if (/^\/(api|app)(\/|$)/.test(pathname)) throw nothingAt(pathname);
    return console.fetch(request, info);
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

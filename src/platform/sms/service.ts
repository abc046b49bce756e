/**
 * The short-message service: listens for providers, and stops in good order.
 *
 * @module
 */
import { join } from "@std/path";
import type { Kysely } from "kysely";
import { formatHostPort, type HostPort, hourly, messageOf, type Service } from "../../base/mod.ts";
import type { Routes } from "../../control/mod.ts";
import { FramedServer, type Framing } from "../../net/mod.ts";
import { hold } from "../../storage/mod.ts";
import { PduDecoder } from "../../protocol/cmpp/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { AccountStore } from "./accounts.ts";
import { SmsAlarms } from "./alarms.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Elsewheres } from "./elsewhere.ts";
import { type Answering, serveShort } from "./gns/mod.ts";
import { Ismg } from "./ismg.ts";
import { MsgIds } from "./msg_ids.ts";
import type { Outlet } from "./outlet.ts";
import type { PeerLink } from "./peer/mod.ts";
import type { RoutingTables } from "./routing/mod.ts";
import { smsRoutes } from "./routes.ts";
import type { SmsTables } from "./schema.ts";
import { Seal } from "../credentials/mod.ts";
import { Session } from "./session.ts";
import { DEFAULT_SMS_SETTINGS, type SmsSettings } from "./settings.ts";
import { Simulator } from "./simulator.ts";
import { KeptBehaviour } from "./simulator_settings.ts";
import { SmsStore } from "./store.ts";
import { Unreadable } from "./unreadable.ts";
import { watch } from "./watch.ts";

/** What the service leans on beside the platform's dependencies. */
export interface SmsParts {
  /** The database, with `smsMigrations` applied. */
  readonly sql: Kysely<SmsTables>;
  /** Where the key of contents lies. */
  readonly dataDir: string;
  /** The way to the centre; undefined: a {@linkcode Simulator}. */
  readonly outlet?: Outlet;
}

/** The running service. Mount its routes. */
export interface Sms extends Service {
  readonly routes: Routes;
  /** What an operator should hear of. */
  readonly alarms: Pick<SmsAlarms, "list" | "listen">;
  readonly long: HostPort;
  readonly short: HostPort;
  /** Where other gateways connect; undefined where they can't. */
  readonly peer: HostPort | undefined;
  /** Where the name server tells of changes; undefined where it can't, or does so on its own port. */
  readonly updates: HostPort | undefined;
  /** What takes these changes, for a name server in the same process. */
  readonly answering: Answering | undefined;
}

/** PDUs carry their own length: a frame is a whole PDU, and what is sent is one already. */
export const CMPP_FRAMING: Framing = { decoder: () => new PduDecoder(), encode: (pdu) => pdu };

/** What is decided is in memory before it is in the tables, and ids are counted there: one process does that. */
const ALONE = {
  name: "sms",
  number: 7_890_7930,
  refusal: 'another process runs short messages on this database: stop it, or leave "sms" out of --services',
};
/** Connections of other gateways at once: there are some hundreds of gateways in a country. */
const MOST_PEER_CONNECTIONS = 4_000;

type SmsDeps = Pick<PlatformDeps, "clock" | "random" | "log" | "metrics" | "network">;

/** Starts the service. @throws {NetError} where a port can't be had, {@link SealError} where the key is no key, {@link HoldError} */
export async function startSms(
  platform: SmsDeps,
  { sql, dataDir, ...parts }: SmsParts,
  given: Partial<SmsSettings> & Pick<SmsSettings, "listen" | "short" | "gatewayCode">,
): Promise<Sms> {
  const settings: SmsSettings = { ...DEFAULT_SMS_SETTINGS, ...given };
  const deps = { ...platform, log: platform.log.with({ service: "sms" }) };
  await using starting = new AsyncDisposableStack();
  const seal = await Seal.open(join(dataDir, "sms.key"), deps.random), unreadable = new Unreadable(deps);
  const alone = starting.use(await hold(deps, sql, { ...ALONE, dataDir }));
  const store = await SmsStore.open(sql, seal, () => alone.held);
  starting.defer(() =>
    store.flush().catch((error) =>
      deps.log.warn("the tables stay behind the journal: the next start brings them up to date", {
        error: messageOf(error),
      })
    )
  );
  const accounts = await AccountStore.open(sql, seal, deps.clock);
  const last = await store.lastUsed();
  const ids = await MsgIds.open(deps, {
    ...settings,
    lastUsedAt: last.submittedAt,
    reserved: last.reservedSecond,
    reserve: (second) => store.reserveIds(second),
  });
  const ismg = new Ismg(deps, settings, {
    ...{ accounts, store, seal, ids, unreadable },
    lastOutboxId: last.outboxId,
  });
  starting.defer(() => ismg.stop());
  const outlet = starting.use(parts.outlet ?? new Simulator(deps.clock, deps.random));
  const simulator = outlet instanceof Simulator ? await KeptBehaviour.open(sql, outlet) : undefined;
  const elsewhere = starting.use(
    await Elsewheres.open(deps, {
      sql: sql as unknown as Kysely<RoutingTables>, // the same database: its migrations made these tables too
      settings,
      framing: CMPP_FRAMING,
      network: deps.network,
      seal,
      unreadable,
      store,
      ids,
      accounts,
      ismg,
      outlet,
    }),
  );
  ismg.elsewhere = elsewhere;
  const dispatcher = starting.use(
    new Dispatcher(deps, {
      store,
      unreadable,
      outlet: starting.use(elsewhere.outlet),
      settings,
      end: (mt, stat, sequence) => ismg.end(mt, stat, sequence),
    }),
  );
  ismg.dispatcher = dispatcher;
  dispatcher.onMobileOriginated = (mo) =>
    ismg.mobileOriginated(mo).catch((error) => {
      deps.log.error("a message from a phone was not kept", { error: messageOf(error) });
      throw error; // a real centre sends it again
    });
  await dispatcher.start();
  starting.use(forgetting(deps, { store, ismg, elsewhere }, settings));
  const long = starting.use(listen(deps, ismg, settings, "long"));
  const short = starting.use(listen(deps, ismg, settings, "short"));
  const peer = settings.peer && starting.use(listenForPeers(deps, elsewhere, settings, settings.peer));
  const updates = settings.gns && elsewhere.nameServer &&
    starting.use(serveShort(deps, deps.network, settings.gns, settings, elsewhere.nameServer));
  elsewhere.start();
  const outlets = [outlet];
  const alarms = starting.use(
    new SmsAlarms(
      deps,
      watch(deps.clock, settings.alarms, {
        outlets,
        store: { outboxSizes: async () => ismg.meters.queues(await store.outboxSizes()) },
        oldestWaiting: () => dispatcher.oldestWaiting(),
        present: (spId) => ismg.sessionsOf(spId).length > 0,
        results: () => ismg.results,
        idsAhead: () => ids.ahead,
        unreadable: () => unreadable.size,
      }),
    ),
  );
  const { metrics } = deps;
  metrics.gauge(
    "gatehouse_sms_backlog",
    "Messages that wait for the centre or another gateway",
    () => dispatcher.backlog,
  );
  metrics.gauge(
    "gatehouse_sms_unreported",
    "Messages that the centre or another gateway has, and that were not reported on",
    () => dispatcher.unreported,
  );
  metrics.gauge(
    "gatehouse_sms_ids_ahead_seconds",
    "Seconds that the time in Msg_Ids is ahead of the clock",
    () => ids.ahead,
  );
  metrics.gauge("gatehouse_sms_connections", "Connections of providers", () => ismg.sessions.size);
  metrics.gauge(
    "gatehouse_sms_outlet_connected",
    "Whether the centre is connected: 1 or 0",
    () => outlet.connected ? 1 : 0,
    { outlet: outlet.name },
  );
  metrics.gauge(
    "gatehouse_sms_tables_behind",
    "Records of the journal that are not in the tables yet",
    () => store.behind,
  );
  metrics.gauge(
    "gatehouse_sms_forwards_waiting",
    "Messages to phones that wait for other gateways",
    () => elsewhere.hub.waiting,
  );
  metrics.gauge("gatehouse_sms_writes_waiting", "Changes that wait to be written", () => store.pending);

  const stack = starting.move();
  return {
    name: "sms",
    addresses: [
      `tcp ${formatHostPort(long.address)}`,
      `tcp ${formatHostPort(short.address)} (short connections)`,
      ...(peer ? [`tcp ${formatHostPort(peer.address)} (other gateways)`] : []),
      ...(updates ? [`tcp ${formatHostPort(updates.address)} (updates of the name server)`] : []),
    ],
    long: long.address,
    short: short.address,
    alarms,
    peer: peer?.address,
    updates: updates?.address,
    answering: elsewhere.nameServer,
    routes: smsRoutes(deps, {
      elsewhere,
      accounts,
      ismg,
      store,
      outlets,
      alarms,
      dispatcher,
      simulator,
    }),
    health() {
      if (!alone.held) {
        return { status: "degraded", detail: "another process may have the database: nothing is taken" };
      }
      return outlet.connected
        ? { status: "up" }
        : { status: "degraded", detail: `${outlet.name} is not connected` };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function listen(deps: SmsDeps, ismg: Ismg, settings: SmsSettings, kind: "long" | "short"): FramedServer {
  const sessions = new Map<unknown, Session>();
  return new FramedServer(deps.network.listen(kind === "long" ? settings.listen : settings.short), {
    framing: CMPP_FRAMING,
    clock: deps.clock,
    log: deps.log,
    maxConnections: settings.maxConnections,
    maxPerAddress: settings.maxPerAddress,
    // A PDU may come in pieces with long gaps: as long as a response may take.
    limits: { idleMs: settings.connectMs, frameMs: settings.responseMs, maxQueuedBytes: 4 * 1024 * 1024 },
    admit: ({ host }) => ismg.welcome(host),
    onConnection(connection) {
      const session = new Session(connection, kind, ismg);
      sessions.set(connection, session);
      ismg.came(session);
      return (frame) => session.handle(frame);
    },
    onClosed(connection) {
      const session = sessions.get(connection);
      if (!session) return;
      sessions.delete(connection);
      ismg.gone(session);
    },
  });
}

function listenForPeers(
  deps: SmsDeps,
  elsewhere: Elsewheres,
  settings: SmsSettings,
  at: HostPort,
): FramedServer {
  const links = new Map<unknown, PeerLink>();
  return new FramedServer(deps.network.listen(at), {
    framing: CMPP_FRAMING,
    clock: deps.clock,
    log: deps.log,
    maxConnections: MOST_PEER_CONNECTIONS,
    limits: { idleMs: settings.connectMs, frameMs: settings.responseMs, maxQueuedBytes: 4 * 1024 * 1024 },
    admit: ({ host }) => elsewhere.hub.welcome(host),
    onConnection(connection) {
      const link = elsewhere.accept(connection);
      links.set(connection, link);
      return (frame) => link.handle(frame);
    },
    onClosed(connection) {
      const link = links.get(connection);
      if (!link) return;
      links.delete(connection);
      elsewhere.hub.gone(link);
    },
  });
}

/** Forgets what is older than it need be, every hour, until it is disposed of. */
function forgetting(
  { clock, log }: SmsDeps,
  { store, ismg, elsewhere }: { store: SmsStore; ismg: Ismg; elsewhere: Elsewheres },
  { retentionMs }: SmsSettings,
): AsyncDisposable {
  const work = () => {
    const before = clock.now() - retentionMs;
    return Promise.all([store.forget(before), elsewhere.ledger.forget(before), ismg.giveUpStale()]);
  };
  return hourly(
    clock,
    work,
    (error) => log.warn("old messages were not removed", { error: messageOf(error) }),
  );
}

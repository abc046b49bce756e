/**
 * The gateway role as a whole: what is started, in which order, and how the parts are joined.
 *
 * @module
 */
import { join } from "@std/path";
import { type Deps, formatHostPort, seededRandom } from "../base/mod.ts";
import { type Network, systemNetwork } from "../net/mod.ts";
import { createPluginManager, type PluginManager } from "../sandbox/mod.ts";
import { TrustStore } from "../sandbox/package/mod.ts";
import { alarmConditions, AlarmWatch } from "./alarms.ts";
import { Dispatcher, hostFunctions, rightsFunctions } from "./capability/mod.ts";
import { Channel, channelHandler, DEFAULT_CHANNEL_TIMING, Installs } from "./channel/mod.ts";
import { type Driver, LinuxDriver, SimulatedDriver } from "./driver/mod.ts";
import { FACTORY_SOURCES, FactoryPlugins } from "./factory_plugins.ts";
import { House } from "./house/mod.ts";
import { identityOf } from "./identity.ts";
import { lanAddresses, LOCAL_LOCKOUT, LocalServer, PasswordLock } from "./local/mod.ts";
import { platformFetcher } from "./outbound.ts";
import {
  bindDevice,
  bindNetwork,
  Mgt,
  type MgtParts,
  mgtPresets,
  openParameters,
  ParameterFeed,
  parameterFunctions,
} from "./parameters/mod.ts";
import { PluginEvents } from "./plugin_events.ts";
import { DEFAULT_TIMING, Registration, type Trigger, Triggers } from "./registration/mod.ts";
import { AgentMessages, MessagePush, pushFunctions } from "./push/mod.ts";
import { type Gateway, RunningGateway } from "./running.ts";
import type { GatewaySettings } from "./settings.ts";
import {
  applyPasswordsFile,
  GUARD_LOCKOUT,
  LockoutFile,
  PasswordGuard,
  Passwords,
  StateStore,
} from "./state/mod.ts";

/** What stands in for the world, for tests. */
export interface GatewayPorts {
  readonly network?: Network;
  readonly driver?: Driver;
}

/**
 * Starts a gateway. Registration begins at once and goes on behind; this resolves when everything listens and the
 * plug-ins were loaded. Throws where an address can't be had, or a file can't be used.
 */
export async function startGateway(
  deps: Deps,
  settings: GatewaySettings,
  ports: GatewayPorts = {},
): Promise<Gateway> {
  await using stack = new AsyncDisposableStack();
  const { clock, random, log, metrics } = deps;
  const startedAt = clock.monotonic();
  const network = ports.network ?? systemNetwork(deps);
  const driver = stack.use(ports.driver ?? driverOf(deps, settings));
  const state = await StateStore.open(deps, settings.dataDir);
  const parameters = stack.use(await openParameters(deps, settings.dataDir, mgtPresets(settings)));
  // Where no route goes out the driver takes any address for both: then neither is known.
  const wanAddress = () => driver.wanAddress() === driver.lanAddress() ? undefined : driver.wanAddress();
  const fetcher = platformFetcher((host) => network.lookup(host), {
    interfaces: () => driver.interfaces(),
    lan: () =>
      lanAddresses({
        interfaces: driver.interfaces(),
        named: settings.lanInterfaces,
        outside: settings.machine?.wanInterfaces,
        wanAddress: wanAddress(),
      }),
    platform: () => later.channel?.peer,
  });
  const house = stack.use(
    new House({
      clock,
      log,
      driver,
      tree: parameters,
      dataDir: settings.dataDir,
      fetcher,
      onRecovery: async (by) => await later.agent?.factoryReset(by),
    }),
  );
  const mgt = new Mgt(parameters, settings);
  comeHome(state, formatHostPort(mgt.distribution));
  const identity = identityOf(settings, driver.osVersion());
  const timing = {
    ...DEFAULT_TIMING,
    startSpreadMs: 1000 * (settings.startSpreadSeconds ?? 0),
    ...settings.timing,
  };
  const passwords = new Passwords(state, random), lockouts = await LockoutFile.open(deps, settings.dataDir);
  const guard = new PasswordGuard(clock, passwords, lockouts.lockout("all", GUARD_LOCKOUT));
  const factory = new FactoryPlugins(deps, state);
  const ipAddr = (towards: string) => driver.wanAddress(towards);

  stack.defer(() => state.flushed());
  stack.defer(() => lockouts.flushed());
  // Registration talks to the network while everything else is being loaded.
  const later: {
    channel?: Channel;
    plugins?: PluginManager;
    push?: MessagePush;
    agent?: AgentMessages;
    address?: string;
  } = {};
  const ready = Promise.withResolvers<void>(), registered = Promise.withResolvers<void>();
  const triggers = stack.use(
    new Triggers({
      clock,
      random,
      log,
      timing,
      state,
      sn: settings.sn,
      send: (bytes, to) => registration.send(bytes, to),
      connected: () => later.channel?.connected ?? false,
      act: (trigger) => void ready.promise.then(() => act(trigger)),
    }),
  );
  const registration: Registration = stack.use(
    new Registration({
      ...deps,
      network,
      identity,
      state,
      timing,
      ipAddr,
      distribution: () => mgt.distribution,
      distributionOfSettings: { host: settings.mgtUrl, port: settings.port },
      heartbeatMs: () =>
        mgt.heartbeatSeconds === undefined ? timing.heartbeatMs : 1000 * mgt.heartbeatSeconds,
      onDefaults: async () => {
        await parameters.restore({ source: "app", by: "result 3" })
          .catch((error) => log.error("not all of a new device's defaults were restored", { error }));
      },
      onTrigger: (message, from) => triggers.offer(message, from),
      onRegistered: ({ ipAddr }) => {
        later.push?.target(registration.status.messageServer);
        later.address = ipAddr; // the agent that tells of changes may still be on its way
        later.agent?.address(ipAddr);
        registered.resolve();
      },
      onAddress: (address) => {
        later.agent?.address(address);
        later.channel?.addressChanged();
      },
    }),
  );
  registration.start();
  registered.promise.then(() => {
    const seconds = (clock.monotonic() - startedAt) / 1000;
    metrics.gauge(
      "gatehouse_gateway_start_to_registered_seconds",
      "From start to the first registration",
      () => seconds,
    );
  });

  const push = later.push = stack.use(
    await MessagePush.open(deps, {
      dir: join(settings.dataDir, "push"),
      mac: settings.mac,
      sn: settings.sn,
      network,
      timing: settings.pushTiming,
    }),
  );
  const agent = later.agent = new AgentMessages(deps, push, state);
  push.onFull = () =>
    agent.raise("push_spool_full", "warning", "messages for the platform are turned away: too many wait");
  push.onRoom = () => agent.clear("push_spool_full");
  agent.boot({ appVersion: identity.appVer, firmwareVersion: identity.firmwareVer }, wanAddress());
  stack.use(
    new AlarmWatch(
      clock,
      agent,
      alarmConditions({
        clock,
        driver,
        dataDir: settings.dataDir,
        registration: () => registration.status,
      }),
    ),
  );
  agent.address(later.address ?? "");
  if (registration.status.state === "registered") push.target(registration.status.messageServer);

  await factory.seed(settings.pluginsDir);
  const trust = stack.use(
    await TrustStore.open(deps, {
      path: join(settings.dataDir, "trust.json"),
      requireSigned: settings.requireSigned ?? "none",
      builtIn: Object.values(FACTORY_SOURCES),
    }),
  );
  let trustChanged = false; // while the plug-ins were being loaded
  trust.onChange(() => {
    trustChanged = true;
    later.plugins?.recheck().catch((error) => log.error("plug-ins could not be checked again", { error }));
  });
  const pluginEvents = new PluginEvents(log);
  const feed = stack.use(new ParameterFeed(parameters));
  const plugins = stack.use(
    await createPluginManager(deps, {
      dir: settings.pluginsDir,
      stateDir: join(settings.dataDir, "sandbox"),
      isolation: settings.isolation,
      ...(settings.maxPlugins !== undefined && { maxPlugins: settings.maxPlugins }),
      ...(settings.keepVersions !== undefined && { keepVersions: settings.keepVersions }),
      admit: (program) => trust.admit(program),
      capabilities: {
        ...hostFunctions({
          driver,
          house,
          identity,
          state,
          passwords: guard,
          registered: () => registration.status.state === "registered",
        }),
        ...pushFunctions(push),
        ...parameterFunctions(parameters, feed),
        ...rightsFunctions(() => later.plugins),
      },
      onEvent: (event) => {
        agent.pluginChanged(event.plugin, event.status);
        pluginEvents.changed(event);
      },
      ...(settings.pluginHost && { hostCommand: settings.pluginHost }),
    }),
  );
  later.plugins = plugins;
  if (trustChanged) await plugins.recheck();
  const dispatcher = new Dispatcher(deps, plugins, guard);
  const onInstall = pluginEvents.installing.bind(pluginEvents);
  const installs = stack.use(new Installs({ ...deps, onInstall, fetcher }, plugins, trust));
  const channel = later.channel = stack.use(
    new Channel({
      ...deps,
      network,
      identity,
      ipAddr,
      timing: { ...DEFAULT_CHANNEL_TIMING, ...settings.channelTiming },
      handle: channelHandler({ log, plugins, dispatcher, installs, factory }),
    }),
  );
  const local = stack.use(
    new LocalServer(settings.local, {
      ...deps,
      network,
      dispatch: (call) => dispatcher.dispatch(call),
      lock: new PasswordLock(clock, lockouts.lockout("addresses", LOCAL_LOCKOUT)),
      interfaces: () => driver.interfaces(),
      wanAddress,
      wanInterfaces: settings.machine?.wanInterfaces,
      lanInterfaces: settings.lanInterfaces,
      http: settings.localHttp,
      closed: true, // until the parameters say where it is to be
    }),
  );
  mgt.openLocal(local, log);
  const mgtParts: MgtParts = {
    tree: parameters,
    log,
    local,
    registration,
    forget: (home) => state.update({ home, operations: undefined, distribution: undefined }),
  };
  stack.use(mgt.bind(mgtParts));
  stack.use(bindDevice(parameters, { clock, identity, machine: driver }));
  stack.use(bindNetwork(parameters, { clock, lan: driver.lan, wan: driver.wan }));

  await state.flushed();
  await applyPasswordsFile(passwords, settings.passwordsFile ?? join(settings.dataDir, "passwords.json"), {
    required: settings.passwordsFile !== undefined,
    log,
  });
  // Loaded only now: nothing above waits for it.
  const [{ loadAdminToken, serveHttp }, { controlApi, localStatus }] = await Promise.all([
    import("../control/mod.ts"),
    import("./control/mod.ts"),
  ]);
  const adminToken = await loadAdminToken(deps, settings.dataDir, settings.adminToken);
  const running = new RunningGateway(stack, {
    local: () => local.address,
    localHttp: () => local.httpAddress,
    plugins,
    adminToken,
    registered: registered.promise,
    registration: () => registration.status,
    channel: () => channel.status,
  });
  const api = controlApi({
    ...deps,
    token: adminToken,
    service: running,
    plugins,
    events: pluginEvents,
    dispatcher,
    installs,
    factory,
    trust,
    passwords,
    parameters,
    push,
    register: (from) => registration.restart(from),
    audit: local.audit,
    status: () => ({
      identity,
      driver: driver.name,
      registration: registration.status,
      channel: channel.status,
      local: localStatus(local),
      passwords: passwords.configured(),
      plugins: plugins.list().map(({ name, version, state }) => ({ name, version, state })),
      uptimeSeconds: Math.floor((clock.monotonic() - startedAt) / 1000),
    }),
  });
  running.serve(stack.use(serveHttp(deps, api, settings.control, { tls: settings.tls })));
  ready.resolve();
  running.own(stack.move());
  return running;

  function act(trigger: Trigger): void {
    if (trigger.method === "RequestDistri") return void mgt.follow(trigger, mgtParts);
    channel.open({ host: trigger.serverAddr, port: trigger.serverPort });
  }
}

/** Other settings of the distribution platform void what was learned under the earlier ones (reference §8). */
function comeHome(state: StateStore, home: string): void {
  if (state.get().home === home) return;
  // Its end is awaited with all other writes, by `flushed`.
  state.update({ home, operations: undefined, distribution: undefined }).catch(() => {});
}

function driverOf(
  { clock }: Deps,
  { driver, machine, dataDir, lanInterfaces, mac, seed = Number.parseInt(mac.slice(-8), 16) }:
    GatewaySettings,
): Driver {
  return driver === "linux"
    ? new LinuxDriver({ clock, dataDir, lanInterfaces, ...machine })
    : new SimulatedDriver({ clock, random: seededRandom(seed) });
}

/**
 * The plug-in centre: the TCP port that gateways connect to, and the channels over it (reference §4).
 *
 * @module
 */
import { formatHostPort, type HostPort, type Service } from "../../base/mod.ts";
import { FramedServer } from "../../net/mod.ts";
import { type PlatformDeps, SMART_GATEWAY_FRAMING } from "../deps.ts";
import { Channels } from "./channels.ts";

/** Settings of the plug-in centre. */
export interface PluginCenterSettings {
  readonly listen: HostPort;
  readonly maxChannels?: number;
  /** Sign-ins begun with a second; undefined: all that come. */
  readonly signInsPerSecond?: number | undefined;
}

/** How long requests under way may take when a node leaves the others. */
const HAND_OVER_MS = 4000;

/** Starts the plug-in centre. @throws {NetError} where the port can't be had */
export function startPluginCenter(
  deps: PlatformDeps,
  settings: PluginCenterSettings,
): Service & { address: HostPort } {
  const log = deps.log.with({ service: "plugin_center" });
  const channels = new Channels(
    { ...deps, log },
    deps.gateways,
    deps.bus,
    deps.owners,
    settings.signInsPerSecond,
  );
  const server = new FramedServer(deps.network.listen(settings.listen), {
    framing: SMART_GATEWAY_FRAMING,
    clock: deps.clock,
    log,
    maxConnections: settings.maxChannels ?? 100_000,
    onConnection: (connection) => channels.greet(connection),
    onClosed: (connection, reason) => channels.onClosed(connection, reason),
  });
  const held = [
    deps.bus.respond(
      "channel.exchange",
      ({ mac, message, timeoutMs }) => channels.exchange(mac, message, timeoutMs),
    ),
    deps.bus.respond("channel.state", ({ mac }) => Promise.resolve(channels.has(mac))),
    deps.bus.respond(
      "channel.close",
      ({ mac }) => Promise.resolve(channels.close(mac, "closed by the platform")),
    ),
    deps.bus.subscribe(
      "gateway.changed",
      ({ mac }) => void channels.close(mac, "the gateway's entry changed"),
    ),
  ];
  return {
    name: "plugin_center",
    address: server.address,
    addresses: [`tcp ${formatHostPort(server.address)}`],
    health: () => ({ status: "up" }),
    async [Symbol.asyncDispose]() {
      // The gateways are wanted elsewhere: what is under way is seen to its end, nothing new begins.
      if (deps.owners) await channels.handOver(HAND_OVER_MS);
      for (const each of held) each[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

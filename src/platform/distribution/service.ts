/**
 * The distribution service: UDP, and TCP for gateways behind networks that lose UDP (reference §1).
 *
 * @module
 */
import { formatHostPort, type HostPort, messageOf, type Service } from "../../base/mod.ts";
import { type DatagramSocket, FramedServer, type Network, type StreamListener } from "../../net/mod.ts";
import { encodeDistributionReply } from "../../protocol/smart_gateway/mod.ts";
import { bindDatagrams, type PlatformDeps, SMART_GATEWAY_FRAMING } from "../deps.ts";
import type { Receiver } from "../settings.ts";
import { admissionOf } from "../registry/mod.ts";
import { Distribution } from "./distribution.ts";
import type { PolicyScripts } from "./policy_script.ts";
import type { PolicyStore } from "./policy_store.ts";

/** Settings of the distribution service. */
export interface DistributionSettings {
  readonly listen: HostPort;
  readonly receiver?: Receiver | undefined;
  readonly heartbeatSeconds: number;
  /** Registrations begun with a second; more are told when to come again. Undefined: all at once. */
  readonly registrationsPerSecond?: number | undefined;
}

/** How many datagrams may be in work at once; more are dropped, as a full socket would, and sent again. */
const MAX_IN_WORK = 5000;

/** Starts the distribution service. @throws {NetError} where the port can't be had */
export async function startDistribution(
  deps: PlatformDeps,
  policy: PolicyStore,
  scripts: PolicyScripts,
  settings: DistributionSettings,
): Promise<Service> {
  const log = deps.log.with({ service: "distribution" });
  const distribution = new Distribution(
    { ...deps, log },
    deps.gateways,
    policy,
    settings.heartbeatSeconds,
    admissionOf(deps, "distribution", settings.registrationsPerSecond),
    scripts,
  );
  const { socket, listener } = await bindBoth(deps.network, settings.listen, settings.receiver);
  let inWork = 0;
  deps.metrics.gauge("gatehouse_registrations_in_work", "Registrations in work", () => inWork, {
    service: "distribution",
  });
  socket.onDatagram((bytes, from) => {
    if (inWork >= MAX_IN_WORK) return;
    inWork++;
    distribution.answer(bytes, formatHostPort(from), inWork >= MAX_IN_WORK / 2).then(
      (reply) => void (reply && socket.send(encodeDistributionReply(reply), from)),
    ).catch(
      (error) => log.error("a datagram was not answered", { error: messageOf(error) }),
    ).finally(() => inWork--);
  });
  const server = new FramedServer(listener, {
    framing: SMART_GATEWAY_FRAMING,
    clock: deps.clock,
    log,
    maxPerAddress: 100,
    limits: { idleMs: 130_000 },
    onConnection: () => async (frame, connection) => {
      const reply = await distribution.answer(frame, `tcp ${formatHostPort(connection.remote)}`);
      if (reply) connection.send(encodeDistributionReply(reply));
    },
  });
  return {
    name: "distribution",
    addresses: [`udp ${formatHostPort(socket.address)}`, `tcp ${formatHostPort(server.address)}`],
    health: () => ({ status: "up" }),
    async [Symbol.asyncDispose]() {
      await Promise.all([socket[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    },
  };
}

/** How many ports are tried where the system may choose: one that is free for UDP may be taken for TCP. */
const TRIES = 50;

/** Both transports on one port. @throws {NetError} where that can't be had */
async function bindBoth(
  network: Network,
  at: HostPort,
  receiver?: Receiver,
): Promise<{ socket: DatagramSocket; listener: StreamListener }> {
  for (let attempt = 1;; attempt++) {
    const socket = await bindDatagrams(network, at, receiver);
    try {
      return { socket, listener: network.listen({ host: at.host, port: socket.address.port }) };
    } catch (error) {
      socket.close();
      if (at.port !== 0 || attempt === TRIES) throw error;
    }
  }
}

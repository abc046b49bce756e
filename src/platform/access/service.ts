/**
 * The access service: registration, heartbeats and triggers on one UDP port (reference §3).
 *
 * @module
 */
import { formatHostPort, type HostPort, messageOf, type Service, TokenBucket } from "../../base/mod.ts";
import {
  type AccessMessage,
  type AccessReply,
  AccessResult,
  decodeAccessRequest,
  decodeHeartbeat,
  encodeAccessReply,
  HEARTBEAT_ACK,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import { bindDatagrams, type PlatformDeps } from "../deps.ts";
import type { Receiver } from "../settings.ts";
import { Adoption } from "./adoption.ts";
import { admissionOf } from "../registry/mod.ts";
import { Registration } from "./registration.ts";
import { Triggers } from "./triggers.ts";

/** Settings of the access service. */
export interface AccessSettings {
  readonly listen: HostPort;
  readonly receiver?: Receiver | undefined;
  /** This platform's host as gateways know it. */
  readonly advertise: string;
  readonly pluginCenter: HostPort;
  readonly messageServer: HostPort | undefined;
  readonly heartbeatSeconds: number;
  /** Registrations begun with a second; more are told when to come again. Undefined: all at once. */
  readonly registrationsPerSecond?: number | undefined;
  readonly databaseMs?: number;
  readonly triggerAttempts?: number;
  readonly triggerWaitMs?: number;
}

/** How many registrations may be in work at once: with half of them Boots are put off, with all Registers are dropped. */
const MAX_IN_WORK = 5000;

/** Answers after which a gateway is not registered although it wanted to be. */
const FAILURES = new Set<number>([AccessResult.GENERAL, AccessResult.REFUSED, AccessResult.TIMEOUT]);

const REGISTER_AGAIN = encodeAccessReply({ result: AccessResult.REGISTER_AGAIN });

/** Starts the access service. @throws {NetError} where the port can't be had */
export async function startAccess(
  deps: PlatformDeps,
  settings: AccessSettings,
): Promise<Service & { address: HostPort }> {
  const log = deps.log.with({ service: "access" });
  const { presence, owners } = deps;
  const socket = await bindDatagrams(deps.network, settings.listen, settings.receiver);
  const own = { ...deps, log };
  const admission = admissionOf(deps, "access", settings.registrationsPerSecond);
  const registration = new Registration(own, deps.gateways, presence, {
    self: { host: settings.advertise, port: socket.address.port },
    messageServer: settings.messageServer,
    heartbeatSeconds: settings.heartbeatSeconds,
    databaseMs: settings.databaseMs ?? 5000,
    ...(admission ? { admission } : {}),
    onRegistered: (event) => {
      owners?.claim(event.mac);
      deps.bus.publish("gateway.registered", event);
    },
    onReset: (mac) => deps.bus.publish("gateway.reset", { mac }),
  });
  const triggers = new Triggers(own, deps.gateways, presence, (bytes, to) => socket.send(bytes, to), {
    pluginCenter: settings.pluginCenter,
    attempts: settings.triggerAttempts ?? 3,
    waitMs: settings.triggerWaitMs ?? 2000,
  }, owners && ((mac) => owners.has(mac)));
  const heartbeats = deps.metrics.counter("gatehouse_heartbeats_total", "Heartbeats answered");
  const strangers = deps.metrics.counter("gatehouse_heartbeats_refused_total", "Heartbeats answered with -3");
  const rejected = deps.metrics.counter("gatehouse_access_rejected_total", "Datagrams that were no message");
  const registers = deps.metrics.counter(
    "gatehouse_registers_total",
    "Registers answered, and Boots refused",
  );
  const failures = deps.metrics.counter("gatehouse_registers_failed_total", "Those answered with an error");
  const dropped = deps.metrics.counter("gatehouse_access_dropped_total", "Datagrams dropped under load");
  const complaints = new TokenBucket(deps.clock, 1, 10);
  let inWork = 0;
  deps.metrics.gauge("gatehouse_registrations_in_work", "Registrations in work", () => inWork, {
    service: "access",
  });

  const acknowledge = (from: HostPort) => {
    heartbeats.inc();
    socket.send(HEARTBEAT_ACK, from);
  };
  const adoption = owners && new Adoption(own, deps.gateways, presence, owners, {
    adopted: acknowledge,
    refused: (from) => {
      strangers.inc();
      socket.send(REGISTER_AGAIN, from);
    },
  });
  const onBeat = (mac: string, from: HostPort) => {
    if (adoption && !adoption.isOurs(mac)) return adoption.beat(mac, from);
    if (presence.beat(mac, from.host, from.port)) acknowledge(from);
    else {
      strangers.inc();
      socket.send(REGISTER_AGAIN, from);
    }
  };
  const answer = (work: Promise<AccessReply>, from: HostPort) => {
    inWork++;
    work.then((reply) => {
      // One that was put off with an interval has not failed.
      const failed = FAILURES.has(reply.result) && reply.interval === undefined;
      if (reply.result === AccessResult.VERIFIED || failed) registers.inc();
      if (failed) failures.inc();
      socket.send(encodeAccessReply(reply), from);
    }).catch(
      (error) => log.error("a datagram was not answered", { error: messageOf(error) }),
    ).finally(() => inWork--);
  };
  const onOther = (message: AccessMessage, from: HostPort) => {
    switch (message.method) {
      case "Hb":
        return onBeat(message.mac, from);
      case "Reply":
        return triggers.onReply(message, from);
      case "Boot":
      case "Register":
        if (inWork >= MAX_IN_WORK) return dropped.inc();
        return answer(
          message.method === "Boot"
            ? registration.boot(message, from, inWork >= MAX_IN_WORK / 2)
            : registration.register(message, from),
          from,
        );
      default: // a trigger goes the other way
        rejected.inc();
    }
  };
  socket.onDatagram((bytes, from) => {
    const mac = decodeHeartbeat(bytes);
    if (mac !== undefined) return onBeat(mac, from);
    try {
      onOther(decodeAccessRequest(bytes), from);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      rejected.inc();
      if (complaints.take()) {
        log.debug("not a message", { source: formatHostPort(from), error: error.message });
      }
      if (error.code === "unknown_method") {
        socket.send(encodeAccessReply({ result: AccessResult.GENERAL }), from);
      }
    }
  });
  const responder = deps.bus.respond("access.trigger", ({ mac, trigger }) => triggers.trigger(mac, trigger));
  const subscription = deps.bus.subscribe("gateway.changed", ({ mac }) => {
    if (!owners || owners.has(mac)) presence.forget(mac);
    else presence.drop(mac);
    owners?.release(mac);
  });
  return {
    name: "access",
    address: socket.address,
    addresses: [`udp ${formatHostPort(socket.address)}`],
    health: () => ({ status: "up" }),
    async [Symbol.asyncDispose]() {
      responder[Symbol.dispose]();
      subscription[Symbol.dispose]();
      await socket[Symbol.asyncDispose]();
    },
  };
}

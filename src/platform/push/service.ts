/**
 * The push service: takes what plug-ins and agents send of their own accord (reference §5).
 *
 * A message is answered when it is on disk. A gateway that does not hear the answer sends it again, and it is kept
 * once: its MD5, which covers time, content, MAC and SN, says that it is the same.
 *
 * @module
 */
import { decodeBase64 } from "@std/encoding";
import type { Kysely } from "kysely";
import { formatHostPort, type HostPort, KeyedRate, messageOf, newId, type Service } from "../../base/mod.ts";
import type { Routes } from "../../control/mod.ts";
import { FramedServer } from "../../net/mod.ts";
import { writesWaiting } from "../../storage/mod.ts";
import {
  decodeMessagePush,
  encodeMessagePushReply,
  equalDigest,
  messageMd5,
  type MessagePush,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import { type PlatformDeps, SMART_GATEWAY_FRAMING } from "../deps.ts";
import type { Outbox } from "../outbox/mod.ts";
import { KeyedVolume } from "./keyed_volume.ts";
import type { PushedMessages } from "./messages.ts";
import { keepTidy } from "./retention.ts";
import { pushRoutes } from "./routes.ts";
import type { PushTables } from "./schema.ts";
import { PushStore } from "./store.ts";

/** Settings of the push service. */
export interface PushSettings {
  readonly listen: HostPort;
  /** How long messages are kept, in days; default 30. */
  readonly keepDays?: number;
  /** Messages kept of one gateway, the newest; default 10,000. */
  readonly keepPerGateway?: number;
  /** Messages a minute from one gateway; more are answered -5 and come again. Default 120. */
  readonly perMinute?: number;
  /** Characters of content (base64) an hour from one gateway, in the same way. Default 8 Mi. */
  readonly charsPerHour?: number;
}

/** A running push service. */
export interface PushService extends Service {
  readonly address: HostPort;
  readonly routes: Routes;
}

/** Results of a push: kept; not understood, unknown or not genuine; too many, come again later. */
const KEPT = 0, REFUSED = -1, BUSY = -5;
const DAY_MS = 86_400_000;
const IDLE_MS = 300_000;
/** The longest content, in characters of base64, and the longest name of a plug-in. */
const MAX_CONTENT = 128 * 1024, MAX_PLUGIN = 128;
/** Messages that are not genuine until a connection is closed. */
const MAX_REFUSED = 10;

/** In whose name a gateway speaks for itself, and what it says when it was reset (docs/protocol-notes.md). */
const AGENT_NAME = "@gateway", RESET_EVENT = "factory_reset";
/** How far back a gateway's own word of a time is believed: a clock that is not set says 1970. */
const MAX_LATE_MS = 86_400_000;

/** Starts the push service. `messages` reads what it keeps. @throws {NetError} where the port can't be had */
export function startPush(
  deps: PlatformDeps,
  { sql, messages, outbox }: {
    readonly sql: Kysely<PushTables>;
    readonly messages: PushedMessages;
    readonly outbox?: Outbox;
  },
  settings: PushSettings,
): PushService {
  const log = deps.log.with({ service: "push" });
  const store = new PushStore(sql, outbox);
  deps.metrics.gauge(...writesWaiting("push", () => store.waiting));
  const rate = new KeyedRate<string>(deps.clock, settings.perMinute ?? 120, 60_000);
  const volume = new KeyedVolume(deps.clock, settings.charsPerHour ?? 8 << 20, 3_600_000);
  const count = (outcome: string) =>
    deps.metrics.counter("gatehouse_push_messages_total", "Pushed messages by outcome", { outcome }).inc();

  const take = async (message: MessagePush): Promise<number> => {
    const { mac, pluginName, time, message: content, md5 } = message;
    if (content.length > MAX_CONTENT || pluginName.length > MAX_PLUGIN) {
      log.warn("a pushed message is too long", { mac, length: content.length });
      return REFUSED;
    }
    const gateway = await deps.gateways.find(mac);
    if (!gateway || !equalDigest(md5, messageMd5(time, content, mac, gateway.sn))) {
      log.warn("a pushed message is not genuine", { mac, known: gateway !== undefined });
      return REFUSED;
    }
    // Only what is genuine counts: nobody uses up what another gateway may send.
    if (!rate.take(mac) || !volume.take(mac, content.length)) return BUSY;
    const row = {
      id: newId(),
      mac,
      plugin: pluginName,
      time,
      message: content,
      md5: md5.toUpperCase(),
      received_at: deps.clock.now(),
    };
    const reset = pluginName === AGENT_NAME ? resetOf(content, row.received_at) : undefined;
    await store.add(row, (seq) => {
      deps.bus.publish("message.pushed", { mac, id: row.id, plugin: pluginName, seq });
      if (reset !== undefined) deps.bus.publish("gateway.reset", { mac });
    }, reset);
    return KEPT;
  };

  const server = new FramedServer(deps.network.listen(settings.listen), {
    framing: SMART_GATEWAY_FRAMING,
    clock: deps.clock,
    log,
    maxConnections: 100_000,
    limits: { idleMs: IDLE_MS },
    onConnection: () => {
      let refused = 0;
      return async (frame, connection) => {
        let result: number;
        try {
          result = await take(decodeMessagePush(frame));
        } catch (error) {
          // The database is away: the gateway keeps the message and comes again.
          result = error instanceof ProtocolError ? REFUSED : BUSY;
          if (result === BUSY) log.error("a pushed message was not kept", { error: messageOf(error) });
        }
        count(result === KEPT ? "kept" : result === BUSY ? "busy" : "refused");
        connection.send(encodeMessagePushReply({ result }));
        if (result === REFUSED && ++refused >= MAX_REFUSED) connection.end();
      };
    },
  });
  const tidy = keepTidy({ clock: deps.clock, log }, store, {
    keepMs: (settings.keepDays ?? 30) * DAY_MS,
    keepPerGateway: settings.keepPerGateway ?? 10_000,
  });
  return {
    name: "push",
    address: server.address,
    addresses: [`tcp ${formatHostPort(server.address)}`],
    routes: pushRoutes(deps, messages),
    health: () => ({ status: "up" }),
    async [Symbol.asyncDispose]() {
      await tidy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await store.flush();
    },
  };
}

/** When a gateway says that it was reset, as far as its clock is to be believed; undefined where it says no such thing. */
function resetOf(content: string, received: number): number | undefined {
  try {
    const { event, at } = JSON.parse(new TextDecoder().decode(decodeBase64(content))) as Record<
      string,
      unknown
    >;
    if (event !== RESET_EVENT) return undefined;
    const told = typeof at === "string" ? Date.parse(at) : NaN;
    return told <= received && told > received - MAX_LATE_MS ? told : received;
  } catch {
    return undefined; // not base64, not JSON, or null: it is kept as any message
  }
}

/**
 * The push service: takes what plug-ins and agents send of their own accord (reference §5).
 *
 * A message is answered when it is on disk. A gateway that does not hear the answer sends it again, and it is kept
 * once: its MD5, which covers time, content, MAC and SN, says that it is the same.
 *
 * @module
 */
import type { Kysely } from "kysely";
import {
  formatHostPort,
  type HostPort,
  KeyedRate,
  type Log,
  messageOf,
  newId,
  type Service,
  type Timer,
} from "../../base/mod.ts";
import type { Routes } from "../../control/mod.ts";
import { FramedServer } from "../../net/mod.ts";
import {
  decodeMessagePush,
  encodeMessagePushReply,
  equalDigest,
  messageMd5,
  type MessagePush,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import { type PlatformDeps, SMART_GATEWAY_FRAMING } from "../deps.ts";
import { pushRoutes } from "./routes.ts";
import type { PushTables } from "./schema.ts";
import { PushStore } from "./store.ts";

/** Settings of the push service. */
export interface PushSettings {
  readonly listen: HostPort;
  /** How long messages are kept, in days; default 30. */
  readonly keepDays?: number;
  /** Messages a minute from one gateway; more are answered -5 and come again. Default 120. */
  readonly perMinute?: number;
}

/** A running push service. */
export interface PushService extends Service {
  readonly address: HostPort;
  readonly routes: Routes;
}

/** Results of a push: kept; not understood, unknown or not genuine; too many, come again later. */
const KEPT = 0, REFUSED = -1, BUSY = -5;
const DAY_MS = 86_400_000, PRUNE_MS = 3_600_000;
const IDLE_MS = 300_000;

/** Starts the push service. @throws {NetError} where the port can't be had */
export function startPush(deps: PlatformDeps, sql: Kysely<PushTables>, settings: PushSettings): PushService {
  const log = deps.log.with({ service: "push" });
  const store = new PushStore(sql);
  const rate = new KeyedRate<string>(deps.clock, settings.perMinute ?? 120, 60_000);
  const count = (outcome: string) =>
    deps.metrics.counter("gatehouse_push_messages_total", "Pushed messages by outcome", { outcome }).inc();

  const take = async (message: MessagePush): Promise<number> => {
    const { mac, pluginName, time, message: content, md5 } = message;
    if (!rate.take(mac)) return BUSY;
    const gateway = await deps.gateways.find(mac);
    if (!gateway || !equalDigest(md5, messageMd5(time, content, mac, gateway.sn))) {
      log.warn("a pushed message is not genuine", { mac, known: gateway !== undefined });
      return REFUSED;
    }
    const row = {
      id: newId(),
      mac,
      plugin: pluginName,
      time,
      message: content,
      md5: md5.toUpperCase(),
      received_at: deps.clock.now(),
    };
    await store.add(row, () => deps.bus.publish("message.pushed", { mac, id: row.id, plugin: pluginName }));
    return KEPT;
  };

  const server = new FramedServer(deps.network.listen(settings.listen), {
    framing: SMART_GATEWAY_FRAMING,
    clock: deps.clock,
    log,
    maxConnections: 100_000,
    limits: { idleMs: IDLE_MS },
    onConnection: () => async (frame, connection) => {
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
    },
  });
  const pruning = pruneEvery(deps, log, store, (settings.keepDays ?? 30) * DAY_MS);
  return {
    name: "push",
    address: server.address,
    addresses: [`tcp ${formatHostPort(server.address)}`],
    routes: pushRoutes(deps, store),
    health: () => ({ status: "up" }),
    async [Symbol.asyncDispose]() {
      pruning[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
      await store.flush();
    },
  };
}

/** Removes what is too old, every hour. */
function pruneEvery({ clock }: PlatformDeps, log: Log, store: PushStore, keepMs: number): Disposable {
  let timer: Timer;
  const prune = () => {
    store.forgetBefore(clock.now() - keepMs).then(
      (removed) => removed > 0 && log.info("old pushed messages removed", { count: removed }),
      (error) => log.error("old pushed messages were not removed", { error: messageOf(error) }),
    );
    timer = clock.setTimer(prune, PRUNE_MS);
  };
  timer = clock.setTimer(prune, PRUNE_MS);
  return { [Symbol.dispose]: () => timer.cancel() };
}

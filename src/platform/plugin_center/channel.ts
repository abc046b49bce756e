/**
 * One live plug-in channel: requests down to the gateway, matched with their replies by ID (reference §4).
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding";
import type { Clock, Log, Random, Timer } from "../../base/mod.ts";
import type { FramedConnection } from "../../net/mod.ts";
import {
  type CapabilityReply,
  type ChannelDownRequest,
  type ChannelReply as WireReply,
  decodeCapabilityReply,
  encodeCapabilityRequest,
  encodeChannelRequest,
  PluginOs,
  ProtocolError,
  sequenceId,
} from "../../protocol/smart_gateway/mod.ts";
import type { ChannelOutcome, ChannelReply, ChannelRequest } from "../subjects.ts";

interface Waiting {
  readonly settle: (outcome: ChannelOutcome) => void;
  readonly timer: Timer;
}

/** What a channel works with. */
export interface ChannelDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A registered gateway's connection. */
export class Channel {
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;
  #closing: string | undefined;

  constructor(
    readonly mac: string,
    readonly connection: FramedConnection,
    private readonly deps: ChannelDeps,
  ) {}

  /** How many requests wait for their reply. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /**
   * Sends a request and waits for its reply. Rejects with {@linkcode ProtocolError} for a message that may not be
   * sent, and in no other case.
   */
  exchange(message: ChannelRequest, timeoutMs: number): Promise<ChannelOutcome> {
    const id = ++this.#lastId, key = String(id);
    let body;
    try {
      body = encodeChannelRequest(this.#wire(message, id));
    } catch (error) {
      return Promise.reject(error);
    }
    const { promise, resolve } = Promise.withResolvers<ChannelOutcome>();
    const settle = (outcome: ChannelOutcome) => {
      this.#waiting.delete(key);
      timer.cancel();
      resolve(outcome);
    };
    const timer = this.deps.clock.setTimer(() => settle({ kind: "timeout" }), timeoutMs);
    this.#waiting.set(key, { settle, timer });
    if (!this.connection.send(body)) settle({ kind: "closed" });
    return promise;
  }

  /** Takes a reply. One without an ID, as some gateways answer what they did not understand, is for the only one waiting. */
  onReply(reply: WireReply): void {
    const key = reply.id === undefined && this.#waiting.size === 1
      ? this.#waiting.keys().next().value!
      : String(reply.id);
    const waiting = this.#waiting.get(key);
    if (!waiting) {
      this.deps.log.debug("a reply that nobody waits for", { mac: this.mac, id: reply.id });
      return;
    }
    waiting.settle({ kind: "reply", reply: decoded(reply) });
  }

  /** Says goodbye and ends; whoever waits is told that the answer is lost. */
  close(reason: string): void {
    this.#closing = reason;
    this.connection.send(encodeChannelRequest({ method: "Disconnect", id: ++this.#lastId }));
    this.connection.end();
    this.onClosed(reason);
  }

  /** The connection has ended. */
  onClosed(reason: string): void {
    for (const { settle } of [...this.#waiting.values()]) {
      settle({ kind: "lost", reason: this.#closing ?? reason });
    }
  }

  #wire(message: ChannelRequest, id: number): ChannelDownRequest {
    switch (message.method) {
      case "ListPlugin":
        return { method: "ListPlugin", id };
      case "Post": {
        const { CmdType, SequenceId, ...fields } = message.parameter;
        return {
          method: "Post",
          id,
          pluginName: message.plugin,
          version: message.version,
          parameter: encodeCapabilityRequest({
            cmdType: String(CmdType ?? ""),
            sequenceId: typeof SequenceId === "string" ? SequenceId : sequenceId(this.deps.random.bytes(4)),
            fields: fields as Parameters<typeof encodeCapabilityRequest>[0]["fields"],
          }),
        };
      }
      case "SetPlug-inParameterValues":
        return {
          method: message.method,
          id,
          pluginName: message.plugin,
          version: message.version,
          parameter: encodeBase64(JSON.stringify(message.parameter)),
        };
      case "Install":
        return {
          method: "Install",
          id,
          pluginName: message.plugin,
          version: message.version,
          downloadUrl: message.url,
          pluginSize: message.size,
          os: PluginOs.SCRIPT,
          digest: `sha256:${message.sha256}`,
        };
      default:
        return { method: message.method, id, pluginName: message.plugin, version: message.version };
    }
  }
}

function decoded(reply: WireReply): ChannelReply {
  const plugins = reply.plugins?.map(({ pluginName, version, run }) => ({
    name: pluginName,
    version,
    run: run === 1,
  }));
  if (reply.returnParameter === undefined || reply.returnParameter === "") {
    return { result: reply.result, plugins };
  }
  try {
    return { result: reply.result, plugins, parameter: flat(decodeCapabilityReply(reply.returnParameter)) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { result: reply.result, plugins, malformed: error.message };
  }
}

/** The inner reply as it stood on the wire. */
function flat(reply: CapabilityReply): Record<string, unknown> {
  return {
    CmdType: reply.cmdType,
    SequenceId: reply.sequenceId,
    Status: reply.status,
    ...(reply.status === "1" ? { FailReason: reply.failReason } : {}),
    ...reply.fields,
  };
}

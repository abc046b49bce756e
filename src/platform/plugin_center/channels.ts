/**
 * All live plug-in channels: signing in, one a gateway, heartbeats, and who may be asked what.
 *
 * @module
 */
import { type Deps, formatHostPort } from "../../base/mod.ts";
import type { CloseReason, FramedConnection, FrameHandler } from "../../net/mod.ts";
import {
  type ChannelMessage,
  checkSn,
  decodeChannelMessage,
  encodeChannelReply,
  equalDigest,
  hex32,
  PluginResult,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import type { GatewayRow, GatewayStore } from "../registry/mod.ts";
import type { ChannelOutcome, ChannelRequest, PlatformBus } from "../subjects.ts";
import { Channel } from "./channel.ts";

/** How long a gateway may take to sign in, and be silent afterwards: three heartbeats of 100 s and 10 s for each. */
const SIGN_IN_MS = 10_000;
const SILENCE_MS = 330_000;

const OK = encodeChannelReply({ result: PluginResult.OK });
const GENERAL = encodeChannelReply({ result: PluginResult.GENERAL });

/** The channels of this node. */
export class Channels {
  readonly #byMac = new Map<string, Channel>();
  readonly #byConnection = new WeakMap<FramedConnection, Channel>();

  constructor(
    private readonly deps: Deps,
    private readonly gateways: GatewayStore,
    private readonly bus: PlatformBus,
  ) {
    deps.metrics.gauge("gatehouse_channels", "Live plug-in channels", () => this.#byMac.size);
  }

  has(mac: string): boolean {
    return this.#byMac.has(mac);
  }

  /** Asks a gateway something over its channel. */
  exchange(mac: string, message: ChannelRequest, timeoutMs: number): Promise<ChannelOutcome> {
    const channel = this.#byMac.get(mac);
    if (channel?.connection.open) return channel.exchange(message, timeoutMs);
    if (channel) this.#forget(channel, "closing");
    return Promise.resolve({ kind: "closed" });
  }

  /** Ends a gateway's channel; false where there is none. */
  close(mac: string, reason: string): boolean {
    const channel = this.#byMac.get(mac);
    channel?.close(reason);
    if (channel) this.#forget(channel, reason);
    return channel !== undefined;
  }

  /** Greets a connection; gives what handles its frames: first the sign-in, then replies and heartbeats. */
  greet(connection: FramedConnection): FrameHandler {
    connection.setIdle(SIGN_IN_MS);
    let candidate: { gateway: GatewayRow; challenge: string } | undefined;
    let channel: Channel | undefined;
    const refuse = (why: string) => {
      this.deps.log.warn("plug-in channel refused", { peer: formatHostPort(connection.remote), why });
      connection.send(GENERAL);
      connection.end();
    };
    const handle = (message: ChannelMessage): void | Promise<void> => {
      switch (message.method) {
        case "Boot":
          if (channel) return void connection.send(GENERAL);
          return this.gateways.find(message.mac).then((gateway) => {
            if (!gateway) return refuse(`unknown gateway ${message.mac}`);
            const challenge = hex32(this.deps.random.bytes(16));
            candidate = { gateway, challenge };
            connection.send(encodeChannelReply({ result: PluginResult.OK, challengeCode: challenge }));
          });
        case "Register":
          if (channel) return void connection.send(OK);
          if (!candidate) return refuse("Register before Boot");
          if (!equalDigest(message.checkSn, checkSn(candidate.challenge, candidate.gateway.sn))) {
            return refuse(`wrong CheckSN of ${candidate.gateway.mac}`);
          }
          connection.send(OK);
          channel = this.#open(candidate.gateway.mac, connection);
          return;
        case "Heartbeat":
          return void connection.send(channel ? OK : GENERAL);
        case "Reply":
          return channel?.onReply(message);
        default: // what only a platform may ask
          return void connection.send(GENERAL);
      }
    };
    return (frame) => {
      let message;
      try {
        message = decodeChannelMessage(frame);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        return refuse(error.message);
      }
      return handle(message);
    };
  }

  onClosed(connection: FramedConnection, reason: CloseReason): void {
    const channel = this.#byConnection.get(connection);
    if (!channel) return;
    const why = reason.detail ? `${reason.code}: ${reason.detail}` : reason.code;
    channel.onClosed(why);
    this.#forget(channel, why);
  }

  #open(mac: string, connection: FramedConnection): Channel {
    this.close(mac, "replaced by a newer connection");
    connection.setIdle(SILENCE_MS);
    const channel = new Channel(mac, connection, this.deps);
    this.#byMac.set(mac, channel);
    this.#byConnection.set(connection, channel);
    this.deps.log.info("plug-in channel opened", { mac, peer: formatHostPort(connection.remote) });
    this.bus.publish("channel.opened", { mac });
    return channel;
  }

  #forget(channel: Channel, reason: string): void {
    if (this.#byMac.get(channel.mac) !== channel) return;
    this.#byMac.delete(channel.mac);
    this.deps.log.info("plug-in channel closed", { mac: channel.mac, reason });
    this.bus.publish("channel.closed", { mac: channel.mac, reason });
  }
}

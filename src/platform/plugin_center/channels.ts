/**
 * All live plug-in channels: signing in, one a gateway, heartbeats, and who may be asked what.
 *
 * @module
 */
import { type Deps, formatHostPort, messageOf, sleep, TokenBucket } from "../../base/mod.ts";
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
import type { Owners } from "../nodes/mod.ts";
import type { GatewayRow, GatewayStore } from "../registry/mod.ts";
import type { ChannelOutcome, ChannelRequest, PlatformBus } from "../subjects.ts";
import { Channel } from "./channel.ts";

/** How long a gateway may take to sign in, and be silent afterwards: three heartbeats of 100 s and 10 s for each. */
const SIGN_IN_MS = 10_000;
const SILENCE_MS = 330_000;
/** Messages before a gateway has signed in: who keeps a place by talking about other things is closed. */
const MAX_BEFORE_SIGN_IN = 16;

const LEAVING_LOOK_MS = 20;
/** Gateways that are looked up at once: with a database that stands still, more would only wait longer. */
const MAX_LOOK_UPS = 500;

const OK = encodeChannelReply({ result: PluginResult.OK });
const GENERAL = encodeChannelReply({ result: PluginResult.GENERAL });
const BUSY = encodeChannelReply({ result: PluginResult.BUSY });

/** The channels of this node. */
export class Channels {
  readonly #byMac = new Map<string, Channel>();
  #leaving = false;
  readonly #byConnection = new WeakMap<FramedConnection, Channel>();
  readonly #signIns: TokenBucket | undefined;
  #lookUps = 0;

  /** `signInsPerSecond`: sign-ins begun with in a second; undefined: as many as come. */
  constructor(
    private readonly deps: Deps,
    private readonly gateways: GatewayStore,
    private readonly bus: PlatformBus,
    private readonly owners?: Owners,
    signInsPerSecond?: number,
  ) {
    this.#signIns = signInsPerSecond === undefined
      ? undefined
      : new TokenBucket(deps.clock, signInsPerSecond);
    deps.metrics.gauge(
      "gatehouse_channel_sign_ins_in_work",
      "Gateways that sign in on the plug-in channel and are being looked up",
      () => this.#lookUps,
    );
    owners?.onChannelLost((mac) => void this.close(mac, "the gateway opened another one at another node"));
    deps.metrics.gauge("gatehouse_channels", "Live plug-in channels", () => this.#byMac.size);
  }

  has(mac: string): boolean {
    return this.#byMac.has(mac);
  }

  /** Asks a gateway something over its channel. */
  exchange(mac: string, message: ChannelRequest, timeoutMs: number): Promise<ChannelOutcome> {
    const channel = this.#byMac.get(mac);
    if (this.#leaving) return Promise.resolve({ kind: "closed" });
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

  /**
   * Sends every gateway away, so that it comes back to another node: each as soon as it has answered what it was asked,
   * all of them within `ms`.
   */
  async handOver(ms: number): Promise<void> {
    this.#leaving = true;
    const end = this.deps.clock.monotonic() + ms;
    while (this.#byMac.size > 0) {
      const late = this.deps.clock.monotonic() >= end;
      for (const [mac, channel] of [...this.#byMac]) {
        if (late || channel.inFlight === 0) this.close(mac, "this node is leaving");
      }
      if (this.#byMac.size > 0) await sleep(this.deps.clock, LEAVING_LOOK_MS);
    }
  }

  /** Greets a connection; gives what handles its frames: first the sign-in, then replies and heartbeats. */
  greet(connection: FramedConnection): FrameHandler {
    connection.setIdle(SIGN_IN_MS);
    let candidate: { gateway: GatewayRow; challenge: string } | undefined;
    let channel: Channel | undefined;
    let early = 0;
    const refuse = (why: string) => {
      this.deps.log.warn("plug-in channel refused", { peer: formatHostPort(connection.remote), why });
      connection.send(GENERAL);
      connection.end();
    };
    // The answer has no interval (reference §4): whoever still wants the gateway calls it again.
    const putOff = (reason: "rate" | "lookups") => {
      this.deps.metrics.counter(
        "gatehouse_channel_sign_ins_put_off_total",
        "Sign-ins on the plug-in channel that were put off, since too many came (rate) or were in work (lookups)",
        { reason },
      ).inc();
      connection.send(BUSY);
      connection.end();
    };
    const handle = (message: ChannelMessage): void | Promise<void> => {
      switch (message.method) {
        case "Boot":
          if (channel) return void connection.send(GENERAL);
          if (this.#leaving) return refuse("this node is leaving");
          if (this.#lookUps >= MAX_LOOK_UPS) return putOff("lookups");
          if (this.#signIns?.take() === false) return putOff("rate");
          this.#lookUps++;
          return this.gateways.find(message.mac).finally(() => this.#lookUps--).then((gateway) => {
            if (!gateway) return refuse(`unknown gateway ${message.mac}`);
            const challenge = hex32(this.deps.random.bytes(16));
            candidate = { gateway, challenge };
            connection.send(encodeChannelReply({ result: PluginResult.OK, challengeCode: challenge }));
          }, (error) => refuse(`the gateway could not be looked up: ${messageOf(error)}`));
        case "Register":
          if (channel) return void connection.send(OK);
          if (!candidate) return refuse("Register before Boot");
          if (!equalDigest(message.checkSn, checkSn(candidate.challenge, candidate.gateway.sn))) {
            return refuse(`wrong CheckSN of ${candidate.gateway.mac}`);
          }
          connection.send(OK);
          channel = this.#open(candidate.gateway.mac, connection);
          candidate = undefined; // its row would stay in memory as long as the channel
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
      if (!channel && ++early > MAX_BEFORE_SIGN_IN) return refuse("too many messages before the sign-in");
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
    this.owners?.claim(mac, "channel");
    this.bus.publish("channel.opened", { mac });
    return channel;
  }

  #forget(channel: Channel, reason: string): void {
    if (this.#byMac.get(channel.mac) !== channel) return;
    this.#byMac.delete(channel.mac);
    this.deps.log.info("plug-in channel closed", { mac: channel.mac, reason });
    this.owners?.channelClosed(channel.mac);
    this.bus.publish("channel.closed", { mac: channel.mac, reason });
  }
}

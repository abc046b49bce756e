/**
 * The plug-in channel as a whole: at most one session, begun by a RequestPlug-in.
 *
 * @module
 */
import {
  type Clock,
  formatHostPort,
  type HostPort,
  type Log,
  messageOf,
  type Metrics,
  sleep,
} from "../../base/mod.ts";
import { connectFramed, type FramedConnection, type Network } from "../../net/mod.ts";
import { encodeFrame, FrameDecoder } from "../../protocol/smart_gateway/mod.ts";
import type { Identity } from "../identity.ts";
import { type RequestHandler, runSession } from "./session.ts";
import type { ChannelTiming } from "./timing.ts";

/** What the channel works with. */
export interface ChannelOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly network: Network;
  readonly identity: Identity;
  readonly timing: ChannelTiming;
  readonly ipAddr: (towards: string) => string;
  readonly handle: RequestHandler;
}

/** Where the channel stands. */
export interface ChannelStatus {
  readonly state: "closed" | "connecting" | "open";
  readonly platform?: HostPort;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly lastEnd?: string;
}

/** Connects when asked, and not again until asked again. */
export class Channel implements AsyncDisposable {
  readonly #options: ChannelOptions;
  readonly #sessions;
  readonly #stop = new AbortController();
  #status: ChannelStatus = { state: "closed" };
  #connection: FramedConnection | undefined;
  #life: Promise<void> = Promise.resolve();

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#sessions = options.metrics.counter(
      "gatehouse_gateway_channel_sessions_total",
      "Plug-in channel sessions",
    );
    options.metrics.gauge(
      "gatehouse_gateway_channel_open",
      "1 while the plug-in channel is open",
      () => this.#status.state === "open" ? 1 : 0,
    );
  }

  get status(): ChannelStatus {
    return this.#status;
  }

  /** The address of the plug-in centre that the latest session is with; undefined: there was none. */
  get peer(): string | undefined {
    return this.#connection?.remote.host;
  }

  /** Whether a session is there or being set up. */
  get connected(): boolean {
    return this.#status.state !== "closed";
  }

  /** Connects to the plug-in centre at `to`; does nothing where a session is there already. */
  open(to: HostPort): void {
    if (this.connected || this.#stop.signal.aborted) return;
    this.#set("connecting", to);
    this.#life = this.#live(to);
  }

  /**
   * The gateway has other addresses than before: a session that went out from one that is gone is over, and waiting
   * for lost heartbeats to show that would keep the platform's next call away for two minutes.
   */
  addressChanged(): void {
    const connection = this.#connection;
    if (!connection || this.#options.ipAddr(connection.remote.host) === connection.local.host) return;
    connection.close("reset", "the own address changed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#connection?.end();
    await this.#life;
  }

  async #live(to: HostPort): Promise<void> {
    const { clock, log, identity, timing, ipAddr, handle } = this.#options;
    let end: string;
    try {
      const connection = this.#connection = await this.#connect(to);
      this.#sessions.inc();
      end = await runSession(connection, {
        clock,
        log,
        identity,
        timing,
        handle,
        ipAddr: ipAddr(connection.remote.host),
        onOpen: () => {
          this.#set("open", to);
          log.info("plug-in channel is open", { platform: formatHostPort(to) });
        },
      });
      // A session that ended in good order may still be sending its last answer.
      await connection.closed;
    } catch (error) {
      end = messageOf(error);
    }
    this.#connection = undefined;
    this.#status = { state: "closed", lastEnd: end };
    log.info("plug-in channel is closed", { platform: formatHostPort(to), reason: end });
  }

  async #connect(to: HostPort): Promise<FramedConnection> {
    const { clock, log, network, timing } = this.#options, { signal } = this.#stop;
    for (let tries = 1;; tries++) {
      try {
        return await connectFramed(network, { host: await network.lookup(to.host), port: to.port }, {
          framing: FRAMING,
          clock,
          log,
          timeoutMs: timing.connectMs,
          signal,
          // Heartbeats find out whether the platform is still there.
          limits: { idleMs: 0 },
        });
      } catch (error) {
        if (signal.aborted || tries >= timing.connectTries) throw error;
        log.warn("plug-in centre can't be reached, trying again", { reason: messageOf(error) });
        await sleep(clock, timing.connectPauseMs, signal);
      }
    }
  }

  #set(state: "connecting" | "open", platform: HostPort): void {
    this.#status = { state, platform, since: this.#options.clock.now() };
  }
}

const FRAMING = {
  decoder: () => new FrameDecoder(),
  encode: (payload: Uint8Array) => encodeFrame(payload),
};

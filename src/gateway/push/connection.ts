/**
 * The connection to the message server (reference §5): one message at a time, each answered before the next.
 *
 * @module
 */
import { type Clock, GatehouseError, type HostPort, type Log, withTimeout } from "../../base/mod.ts";
import { connectFramed, type FramedConnection, type Network } from "../../net/mod.ts";
import {
  decodeMessagePushReply,
  encodeFrame,
  encodeMessagePush,
  FrameDecoder,
  type MessagePush,
} from "../../protocol/smart_gateway/mod.ts";
import type { PushTiming } from "./timing.ts";

/** What connections are made with. */
export interface PushConnectionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly network: Network;
  readonly timing: PushTiming;
  readonly signal: AbortSignal;
}

/** A connection on which messages are asked about one after the other. */
export class PushConnection implements Disposable {
  #answer: PromiseWithResolvers<number> | undefined;

  private constructor(
    private readonly connection: FramedConnection,
    private readonly clock: Clock,
    private readonly answerMs: number,
  ) {
    connection.run((frame) => {
      const answer = this.#answer;
      this.#answer = undefined;
      if (!answer) return connection.close("local", "an answer to nothing");
      try {
        answer.resolve(decodeMessagePushReply(frame).result);
      } catch (error) {
        answer.reject(error);
        connection.close("local", "an answer that can't be read");
      }
    }).then(({ code, detail }) => {
      this.#answer?.reject(new GatehouseError("closed", `the message server hung up: ${detail ?? code}`));
    });
  }

  /** Connects to `to`. @throws {NetError} */
  static async open(to: HostPort, options: PushConnectionOptions): Promise<PushConnection> {
    const { clock, log, network, timing, signal } = options;
    const at = { host: await unlessAborted(network.lookup(to.host), signal), port: to.port };
    const connection = await connectFramed(network, at, {
      framing: FRAMING,
      clock,
      log,
      timeoutMs: timing.connectMs,
      signal,
      limits: { idleMs: 0 }, // each answer has its own time
    });
    return new PushConnection(connection, clock, timing.answerMs);
  }

  /** Whether it can still be used. */
  get open(): boolean {
    return this.connection.open;
  }

  /** Sends a message and waits for the platform's result. After any failure the connection is closed. */
  async ask(message: MessagePush): Promise<number> {
    const answer = this.#answer = Promise.withResolvers<number>();
    try {
      if (!this.connection.send(encodeMessagePush(message))) {
        throw new GatehouseError("closed", "the message server hung up");
      }
      return await withTimeout(
        this.clock,
        answer.promise,
        this.answerMs,
        () => new GatehouseError("timeout", `the message server did not answer within ${this.answerMs} ms`),
      );
    } catch (error) {
      // A late answer must not be taken for that to the next message.
      this.#answer = undefined;
      this.connection.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

/** Settles as `promise` does, or rejects as soon as the signal aborts. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

const FRAMING = {
  decoder: () => new FrameDecoder(),
  encode: (payload: Uint8Array) => encodeFrame(payload),
};

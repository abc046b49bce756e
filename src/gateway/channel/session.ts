/**
 * One session on the plug-in channel, from Boot to its end (reference §4): our questions and their answers, the
 * platform's requests, heartbeats.
 *
 * @module
 */
import { type Clock, type Log, messageOf, sleep, TokenBucket } from "../../base/mod.ts";
import type { CloseReason, FramedConnection } from "../../net/mod.ts";
import {
  type ChannelDownRequest,
  type ChannelReply,
  type ChannelUpRequest,
  checkSn,
  decodeChannelMessage,
  encodeChannelReply,
  encodeChannelRequest,
  PluginResult,
  PostResult,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import type { Identity } from "../identity.ts";
import type { ChannelTiming } from "./timing.ts";

/** Answers a request of the platform. Never rejects. */
export type RequestHandler = (
  request: Exclude<ChannelDownRequest, { method: "Disconnect" }>,
) => Promise<ChannelReply>;

/** What a session works with. */
export interface SessionOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly identity: Identity;
  readonly ipAddr: string;
  readonly timing: ChannelTiming;
  readonly handle: RequestHandler;
  /** Told once the platform took the gateway in. */
  readonly onOpen: () => void;
}

/** Runs a session on a fresh connection; resolves with the reason of its end. */
export function runSession(connection: FramedConnection, options: SessionOptions): Promise<string> {
  return new Session(connection, options).run();
}

class Session {
  readonly #connection: FramedConnection;
  readonly #options: SessionOptions;
  readonly #ended = new AbortController();
  readonly #complaints: TokenBucket;
  #awaited: ((reply: ChannelReply) => void) | undefined;
  #open = false;
  #inFlight = 0;
  #reason: string | undefined;

  constructor(connection: FramedConnection, options: SessionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#complaints = new TokenBucket(options.clock, 0.2, 5);
  }

  async run(): Promise<string> {
    const closed = this.#connection.run((frame) => this.#take(frame)).then((reason) => {
      this.#ended.abort();
      return reason;
    });
    try {
      await this.#register();
      await this.#heartbeats();
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#end(messageOf(error));
    }
    return this.#reason ?? reasonText(await closed);
  }

  async #register(): Promise<void> {
    const { identity, ipAddr } = this.#options;
    const { vendor, model, firmwareVer, hardwareVer, mac, loid, card } = identity;
    const boot = await this.#ask({
      method: "Boot",
      vendor,
      model,
      firmwareVer,
      hardwareVer,
      mac,
      ipAddr,
      loid,
      card,
    });
    if (boot?.result !== 0 || boot.challengeCode === undefined) throw new Error(`Boot: ${resultText(boot)}`);
    const register = await this.#ask({
      method: "Register",
      checkSn: checkSn(boot.challengeCode, identity.sn),
    }, (reply) => {
      // At once: the platform's first request may come in the same piece as this answer.
      if (reply.result === 0) this.#open = true;
    });
    if (register?.result !== 0) throw new Error(`Register: ${resultText(register)}`);
    this.#options.onOpen();
  }

  async #heartbeats(): Promise<void> {
    const { clock, timing, identity, ipAddr } = this.#options;
    for (;;) {
      await sleep(clock, timing.heartbeatMs, this.#ended.signal);
      let answered = false;
      for (let sends = 0; !answered && sends < timing.heartbeatSends; sends++) {
        const reply = await this.#ask({ method: "Heartbeat", mac: identity.mac, ipAddr });
        if (reply && reply.result < 0) throw new Error(`Heartbeat: ${resultText(reply)}`);
        answered = reply !== undefined;
      }
      if (!answered) throw new Error("heartbeats were not answered");
    }
  }

  /** The answer; undefined where none came in time. Answers name no question: there is one at a time. */
  #ask(
    question: ChannelUpRequest,
    onReply: (reply: ChannelReply) => void = () => {},
  ): Promise<ChannelReply | undefined> {
    const { clock, timing } = this.#options, { signal } = this.#ended;
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        timer.cancel();
        signal.removeEventListener("abort", onEnd);
        this.#awaited = undefined;
        settle();
      };
      const timer = clock.setTimer(() => done(() => resolve(undefined)), timing.answerWaitMs);
      const onEnd = () => done(() => reject(new Error("the connection ended")));
      signal.addEventListener("abort", onEnd);
      this.#awaited = (reply) => {
        onReply(reply);
        done(() => resolve(reply));
      };
      if (signal.aborted || !this.#connection.send(encodeChannelRequest(question))) onEnd();
    });
  }

  #take(frame: Uint8Array): void {
    try {
      const message = decodeChannelMessage(frame);
      switch (message.method) {
        case "Reply":
          return this.#awaited?.(message);
        case "Boot":
        case "Register":
        case "Heartbeat":
          return this.#complain(`unexpected ${message.method}`);
        case "Disconnect":
          this.#reply({ result: 0, id: message.id });
          return this.#end("the platform disconnected");
        default:
          return void this.#serve(message);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#complain(error.message);
      // Only a request is answered: an answer to a broken answer could go round for ever.
      if (error.method === undefined && error.id === undefined) return;
      this.#reply({ result: PluginResult.GENERAL, ...(error.id === undefined ? {} : { id: error.id }) });
    }
  }

  async #serve(request: Parameters<RequestHandler>[0]): Promise<void> {
    const { id } = request;
    if (!this.#open) return this.#reply({ result: PluginResult.GENERAL, id });
    if (this.#inFlight >= this.#options.timing.maxInFlight) {
      return this.#reply({ result: PostResult.BUSY, id });
    }
    this.#inFlight++;
    try {
      this.#reply({ ...await this.#options.handle(request), id });
    } catch (error) {
      this.#options.log.error("a request of the plug-in channel failed unexpectedly", { error });
      this.#reply({ result: PluginResult.GENERAL, id });
    } finally {
      this.#inFlight--;
    }
  }

  #reply(reply: ChannelReply): void {
    this.#connection.send(encodeChannelReply(reply));
  }

  #end(reason: string): void {
    this.#reason ??= reason;
    this.#connection.end();
    this.#ended.abort();
  }

  #complain(reason: string): void {
    if (this.#complaints.take()) this.#options.log.warn("bad frame on the plug-in channel", { reason });
  }
}

function resultText(reply: ChannelReply | undefined): string {
  return reply ? `result ${reply.result}` : "no answer";
}

function reasonText({ code, detail }: CloseReason): string {
  return detail === undefined ? code : `${code}: ${detail}`;
}

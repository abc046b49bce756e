/**
 * One connection to a gateway: CONNECT, requests in a window, resends, link tests (reference §2).
 *
 * @module
 */
import type { Timer } from "../base/mod.ts";
import { connectFramed, type FramedConnection, type Framing } from "../net/mod.ts";
import {
  authenticatorIsmg,
  authenticatorSource,
  CmppError,
  connectTimestamp,
  decodeMessage,
  type Deliver,
  type Dialect,
  encodeMessage,
  equalAuthenticators,
  type Message,
  PduDecoder,
} from "../protocol/cmpp/mod.ts";
import { SpError } from "./errors.ts";
import type { SpDeps, SpSettings } from "./options.ts";
import { statusInWords } from "./meanings.ts";

const FRAMING: Framing = { decoder: () => new PduDecoder(), encode: (pdu) => pdu };

interface Sent {
  readonly pdu: Uint8Array;
  readonly settle: PromiseWithResolvers<Message> | undefined;
  readonly attempts: number;
  readonly due: number;
}

/** A request before it has its Sequence_Id. */
export type Request = Message extends infer M ? M extends Message ? Omit<M, "sequence"> : never : never;

/** An open connection that the gateway has let in. */
export class Link {
  /** Resolves once it is over, with why. */
  readonly closed: Promise<string>;
  readonly #sent = new Map<number, Sent>();
  #sequence = 0;
  #lastTraffic: number;
  #timer: Timer | undefined;
  #timerAt = Infinity;

  private constructor(
    private readonly deps: SpDeps,
    private readonly settings: SpSettings,
    private readonly connection: FramedConnection,
    private readonly onDeliver: (deliver: Deliver) => Promise<number>,
  ) {
    this.#lastTraffic = deps.clock.monotonic();
    this.closed = connection.run((frame) => this.#handle(frame)).then(({ code, detail }) => {
      this.#timer?.cancel();
      const why = `the connection ended: ${detail ?? code}`;
      for (const { settle } of this.#sent.values()) settle?.reject(new SpError("lost", why));
      this.#sent.clear();
      return why;
    });
  }

  /** Connects and says who this is. @throws {NetError}, {@link SpError} `refused`, `unproven`, `lost`, `timeout` */
  static async open(
    deps: SpDeps,
    settings: SpSettings,
    onDeliver: (deliver: Deliver) => Promise<number>,
    signal: AbortSignal,
  ): Promise<Link> {
    const connection = await connectFramed(deps.network, settings.server, {
      framing: FRAMING,
      clock: deps.clock,
      log: deps.log,
      limits: { idleMs: 0, frameMs: settings.responseMs },
      timeoutMs: settings.responseMs,
      signal,
    });
    const link = new Link(deps, settings, connection, onDeliver);
    try {
      await link.#connect();
      return link;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Requests that are not answered. */
  get unanswered(): number {
    return this.#sent.size;
  }

  get #dialect(): Dialect {
    return this.settings.version >= 0x30 ? 3 : 2;
  }

  /** Sends a request and gives its response. @throws {SpError} `lost`, `timeout`; {@link CmppError} */
  request(request: Request): Promise<Message> {
    const sequence = this.#sequence = (this.#sequence + 1) >>> 0;
    // The union's members without their sequence, and the sequence, are the union again.
    const pdu = encodeMessage({ ...request, sequence } as Message, this.#dialect);
    const settle = Promise.withResolvers<Message>();
    this.#send(sequence, { pdu, settle, attempts: 1, due: this.#due() });
    return settle.promise;
  }

  /** Says goodbye and ends. */
  async end(): Promise<void> {
    await this.request({ command: "TERMINATE" }).catch(() => {}); // gone already is gone too
    this.connection.close();
    await this.closed;
  }

  close(): void {
    this.connection.close();
  }

  async #connect(): Promise<void> {
    const { spId, secret, version, utcOffsetMinutes } = this.settings;
    const Timestamp = connectTimestamp(this.deps.clock.now(), utcOffsetMinutes);
    const source = authenticatorSource(spId, secret, Timestamp);
    const answer = await this.request({
      command: "CONNECT",
      Source_Addr: spId,
      AuthenticatorSource: source,
      Version: version,
      Timestamp,
    });
    if (answer.command !== "CONNECT_RESP") {
      throw new SpError("lost", `CONNECT was answered with ${answer.command}`);
    }
    if (answer.Status !== 0) {
      const why = statusInWords(answer.Status);
      throw new SpError("refused", `the gateway refused CONNECT: ${why}`, answer.Status);
    }
    const { AuthenticatorISMG } = answer;
    const proven = ([3, 2] as const).some((width) =>
      equalAuthenticators(authenticatorIsmg(0, source, secret, width), AuthenticatorISMG)
    );
    if (this.settings.checkGateway && !proven) {
      throw new SpError("unproven", "the gateway did not prove that it knows the secret");
    }
  }

  #due(): number {
    return this.deps.clock.monotonic() + this.settings.responseMs;
  }

  #send(sequence: number, sent: Sent): void {
    this.#sent.set(sequence, sent);
    this.#lastTraffic = this.deps.clock.monotonic();
    if (this.connection.send(sent.pdu)) return this.#arm();
    this.#sent.delete(sequence);
    sent.settle?.reject(new SpError("lost", "the connection has ended"));
  }

  #handle(frame: Uint8Array): void | Promise<void> {
    let message: Message;
    try {
      message = decodeMessage(frame, this.#dialect);
    } catch (error) {
      if (error instanceof CmppError) return this.connection.close("bad_frame", error.message);
      throw error;
    }
    this.#lastTraffic = this.deps.clock.monotonic();
    const { sequence } = message;
    switch (message.command) {
      case "ACTIVE_TEST":
        return this.#answer({ command: "ACTIVE_TEST_RESP", sequence, Reserved: 0 });
      case "TERMINATE":
        this.#answer({ command: "TERMINATE_RESP", sequence });
        return this.connection.end();
      case "DELIVER": {
        // A view until here: whoever takes it may keep it.
        const deliver = { ...message, Msg_Content: message.Msg_Content.slice() };
        return this.onDeliver(deliver).then((Result) =>
          this.#answer({ command: "DELIVER_RESP", sequence, Msg_Id: deliver.Msg_Id, Result })
        );
      }
      default: {
        const sent = this.#sent.get(sequence);
        if (!sent || !message.command.endsWith("_RESP")) return;
        this.#sent.delete(sequence);
        sent.settle?.resolve(message);
      }
    }
  }

  #answer(message: Message): void {
    this.connection.send(encodeMessage(message, this.#dialect));
  }

  #arm(): void {
    const [first] = this.#sent.values();
    const at = Math.min(first?.due ?? Infinity, this.#lastTraffic + this.settings.activeTestMs);
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.deps.clock.setTimer(() => this.#look(), at - this.deps.clock.monotonic());
  }

  #look(): void {
    this.#timerAt = Infinity;
    if (!this.connection.open) return;
    const now = this.deps.clock.monotonic();
    for (const [sequence, sent] of this.#sent) {
      if (sent.due > now) break;
      this.#sent.delete(sequence);
      if (sent.attempts < this.settings.attempts) {
        this.#send(sequence, { ...sent, attempts: sent.attempts + 1, due: this.#due() });
      } else if (sent.settle) {
        sent.settle.reject(new SpError("timeout", `not answered, sent ${sent.attempts} times`));
      } else return this.connection.close("local", "ACTIVE_TEST was not answered");
    }
    if (now - this.#lastTraffic >= this.settings.activeTestMs) {
      const sequence = this.#sequence = (this.#sequence + 1) >>> 0;
      const pdu = encodeMessage({ command: "ACTIVE_TEST", sequence }, this.#dialect);
      this.#send(sequence, { pdu, settle: undefined, attempts: 1, due: this.#due() });
    }
    this.#arm();
  }
}

/**
 * Short connections between gateways and the name server, from both sides: CONNECT, one question or a few, goodbye
 * (reference §2, §6).
 *
 * @module
 */
import {
  type Clock,
  type Deps,
  GatehouseError,
  type HostPort,
  messageOf,
  withTimeout,
} from "../../../base/mod.ts";
import {
  connectFramed,
  type FramedConnection,
  FramedServer,
  type Framing,
  type Network,
} from "../../../net/mod.ts";
import {
  authenticatorIsmg,
  authenticatorSource,
  CmppError,
  type Connect,
  ConnectStatus,
  connectTimestamp,
  decodeMessage,
  type Dialect,
  dialectOf,
  encodeMessage,
  equalAuthenticators,
  type Message,
  PduDecoder,
  provesSecret,
  VERSION_3_0,
} from "../../../protocol/cmpp/mod.ts";
import { Doorkeeper } from "../doorkeeper.ts";

const FRAMING: Framing = { decoder: () => new PduDecoder(), encode: (pdu) => pdu };
const NO_AUTHENTICATOR = new Uint8Array(16);
/** Connections at once: each lasts a moment. */
const MOST_CONNECTIONS = 1_000;
/** Questions of one connection that are not answered yet. */
const MOST_QUESTIONS = 16;

/** A question before it has its Sequence_Id. */
export type Question = Message extends infer M ? M extends Message ? Omit<M, "sequence"> : never : never;

/** Whoever may connect. */
export interface Caller {
  readonly code: string;
  readonly secret: string;
  readonly version: number;
  /** The answer to CONNECT must prove that it knows the secret too. */
  readonly proveAnswer?: boolean;
}

/** Times of short connections, in milliseconds. */
export interface ShortTimes {
  readonly connectMs: number;
  readonly responseMs: number;
  readonly attempts: number;
  readonly wrongSecretsPerMinute: number;
  readonly utcOffsetMinutes: number;
}

/**
 * - `refused`: CONNECT was not taken
 * - `lost`: the connection ended before the answer
 * - `unanswered`: no answer, though asked N times
 */
export class ShortLinkError extends GatehouseError<"refused" | "lost" | "unanswered"> {
  override readonly name = "ShortLinkError";
}

/** What answers questions. */
export interface Answering {
  /** Who a code is; undefined for nobody. */
  callerOf(code: string): Caller | undefined;
  /** The answer in this dialect; undefined to a message that is none of its questions. Never rejects. */
  answer(caller: Caller, message: Message, dialect: Dialect): Promise<Message | undefined>;
}

/** Listens for short connections. */
export function serveShort(
  deps: Pick<Deps, "clock" | "log" | "metrics">,
  network: Pick<Network, "listen">,
  at: HostPort,
  times: ShortTimes,
  answering: Answering,
): FramedServer {
  const doorkeeper = new Doorkeeper(deps.clock, times.wrongSecretsPerMinute);
  return new FramedServer(network.listen(at), {
    framing: FRAMING,
    clock: deps.clock,
    log: deps.log,
    maxConnections: MOST_CONNECTIONS,
    limits: { idleMs: times.connectMs, frameMs: times.responseMs },
    admit: ({ host }) => doorkeeper.welcome(host),
    onConnection(connection) {
      const session = new ShortSession(deps, connection, doorkeeper, answering);
      return (frame) => session.handle(frame);
    },
  });
}

/** The answering end of one connection. */
class ShortSession {
  #caller: Caller | undefined;
  #dialect: Dialect = 3;
  #open = 0;

  constructor(
    private readonly deps: Pick<Deps, "log" | "metrics">,
    private readonly connection: FramedConnection,
    private readonly doorkeeper: Doorkeeper,
    private readonly answering: Answering,
  ) {}

  handle(frame: Uint8Array): void {
    let message: Message;
    try {
      message = decodeMessage(frame, this.#dialect);
    } catch (error) {
      if (!(error instanceof CmppError)) throw error;
      this.#fault(`malformed_${error.code}`);
      // Nothing to be told before CONNECT; behind it, that the two are out of step.
      return this.#caller ? this.#terminate() : this.connection.close("local", error.message);
    }
    if (!this.#caller) {
      if (message.command === "CONNECT") return this.#connect(message);
      this.#fault("before_connect");
      return this.connection.close("local", `${message.command} before CONNECT`);
    }
    const { sequence } = message;
    switch (message.command) {
      case "TERMINATE":
        this.#send({ command: "TERMINATE_RESP", sequence });
        return this.connection.end();
      case "TERMINATE_RESP":
        return this.connection.end();
      case "ACTIVE_TEST":
        return this.#send({ command: "ACTIVE_TEST_RESP", sequence, Reserved: 0 });
      default:
        return this.#question(message, this.#caller);
    }
  }

  #question(message: Message, caller: Caller): void {
    if (this.#open >= MOST_QUESTIONS) {
      this.#fault("too_many_questions");
      return this.#terminate();
    }
    this.#open++;
    this.answering.answer(caller, message, this.#dialect).then((answer) => {
      this.#open--;
      if (answer) return this.#send(answer);
      this.#fault(`foreign_${message.command}`);
      this.#terminate();
    }).catch((error) => {
      // Whatever it is, it is this connection's alone: the caller asks again on another.
      this.#fault("unsayable");
      this.deps.log.error("a question could not be answered", {
        code: caller.code,
        command: message.command,
        error: messageOf(error),
      });
      this.#terminate();
    });
  }

  #connect(message: Connect): void {
    const { sequence, Version: version } = message, caller = this.answering.callerOf(message.Source_Addr);
    const address = this.connection.remote.host, dialect = dialectOf(version);
    const status = dialect === undefined
      ? (version > VERSION_3_0 ? ConnectStatus.version : ConnectStatus.structure)
      : statusOf(message, caller);
    this.#dialect = version < VERSION_3_0 && version !== 0 ? 2 : 3;
    const accepted = status === ConnectStatus.ok && caller !== undefined;
    if (accepted) this.#caller = caller;
    this.#send({
      command: "CONNECT_RESP",
      sequence,
      Status: status,
      AuthenticatorISMG: accepted
        ? authenticatorIsmg(status, message.AuthenticatorSource, caller.secret, this.#dialect)
        : NO_AUTHENTICATOR,
      Version: caller?.version ?? VERSION_3_0,
    });
    if (accepted) return;
    this.deps.log.warn("short CONNECT refused", { code: message.Source_Addr, address, status });
    if (status === ConnectStatus.authentication || status === ConnectStatus.sourceAddress) {
      this.doorkeeper.countWrong(address);
    }
    this.connection.end();
  }

  #send(message: Message): void {
    this.connection.send(encodeMessage(message, this.#dialect));
  }

  #terminate(): void {
    this.#send({ command: "TERMINATE", sequence: 1 });
    this.connection.end();
  }

  #fault(fault: string): void {
    this.deps.metrics.counter("gatehouse_sms_gns_faults_total", "What callers did wrong, by what it was", {
      fault,
    }).inc();
  }
}

function statusOf(message: Connect, caller: Caller | undefined): number {
  if (!caller) return ConnectStatus.sourceAddress;
  const expected = authenticatorSource(caller.code, caller.secret, message.Timestamp);
  if (!equalAuthenticators(expected, message.AuthenticatorSource)) return ConnectStatus.authentication;
  return message.Version > caller.version ? ConnectStatus.version : ConnectStatus.ok;
}

/** The asking end of one connection. */
export class ShortCall implements AsyncDisposable {
  readonly #waiting = new Map<number, PromiseWithResolvers<Message>>();
  #dialect: Dialect;
  #sequence = 0;

  private constructor(
    private readonly clock: Clock,
    private readonly times: ShortTimes,
    private readonly connection: FramedConnection,
    version: number,
  ) {
    this.#dialect = version >= VERSION_3_0 ? 3 : 2;
    connection.run((frame) => this.#handle(frame)).then(({ code, detail }) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new ShortLinkError("lost", `the connection ended: ${detail ?? code}`));
      }
      this.#waiting.clear();
    });
  }

  /** Connects to `to` and says who this is. @throws {NetError}, {@link ShortLinkError} */
  static async open(
    deps: Pick<Deps, "clock" | "log">,
    network: Pick<Network, "connect">,
    to: HostPort,
    own: Caller,
    times: ShortTimes,
    signal: AbortSignal,
  ): Promise<ShortCall> {
    const connection = await connectFramed(network, to, {
      framing: FRAMING,
      clock: deps.clock,
      log: deps.log,
      limits: { idleMs: 0, frameMs: times.responseMs },
      timeoutMs: times.connectMs,
      signal,
    });
    signal.addEventListener("abort", () => connection.close(), { once: true });
    const call = new ShortCall(deps.clock, times, connection, own.version);
    try {
      const Timestamp = connectTimestamp(deps.clock.now(), times.utcOffsetMinutes);
      const source = authenticatorSource(own.code, own.secret, Timestamp);
      const answer = await call.ask({
        command: "CONNECT",
        Source_Addr: own.code,
        AuthenticatorSource: source,
        Version: own.version,
        Timestamp,
      });
      if (answer.command !== "CONNECT_RESP" || answer.Status !== 0) {
        const why = answer.command === "CONNECT_RESP" ? `Status ${answer.Status}` : answer.command;
        throw new ShortLinkError("refused", `CONNECT was answered with ${why}`);
      }
      if (own.proveAnswer && !provesSecret(answer.AuthenticatorISMG, 0, source, own.secret)) {
        throw new ShortLinkError("refused", "the answer to CONNECT does not prove the secret");
      }
      // The lower of both versions counts: from here on it is spoken.
      call.#dialect = dialectOf(Math.min(own.version, answer.Version || own.version)) ?? call.#dialect;
      return call;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** What is spoken. */
  get dialect(): Dialect {
    return this.#dialect;
  }

  /** Asks, again after each T, N times in all. @throws {ShortLinkError}, {@link CmppError} where this version can't say it */
  async ask(question: Question): Promise<Message> {
    const sequence = ++this.#sequence, settle = Promise.withResolvers<Message>();
    // The union's members without their sequence, and the sequence, are the union again.
    const pdu = encodeMessage({ ...question, sequence } as Message, this.#dialect);
    settle.promise.catch(() => {}); // told below, unless that has ended in another way
    this.#waiting.set(sequence, settle);
    const late = () => new ShortLinkError("unanswered", `${question.command} was not answered`);
    for (let attempt = 1;; attempt++) {
      if (!this.connection.send(pdu)) throw new ShortLinkError("lost", "the connection has ended");
      try {
        return await withTimeout(this.clock, settle.promise, this.times.responseMs, late);
      } catch (error) {
        const again = error instanceof ShortLinkError && error.code === "unanswered" &&
          attempt < this.times.attempts;
        if (!again) {
          this.#waiting.delete(sequence);
          throw error;
        }
      }
    }
  }

  /** Says goodbye and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.connection.open) {
      this.connection.send(
        encodeMessage({ command: "TERMINATE", sequence: ++this.#sequence }, this.#dialect),
      );
      this.connection.end();
    }
    await this.connection.closed;
  }

  #handle(frame: Uint8Array): void {
    let message: Message;
    try {
      message = decodeMessage(frame, this.#dialect);
    } catch (error) {
      if (error instanceof CmppError) return this.connection.close("bad_frame", error.message);
      throw error;
    }
    if (message.command === "TERMINATE") {
      const { sequence } = message;
      this.connection.send(encodeMessage({ command: "TERMINATE_RESP", sequence }, this.#dialect));
      return this.connection.end();
    }
    // A view into the receive buffer until here; what routes hold are texts and numbers, which are copies.
    const waiting = this.#waiting.get(message.sequence);
    this.#waiting.delete(message.sequence);
    waiting?.resolve(message);
  }
}

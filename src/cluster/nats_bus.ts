/**
 * The bus of a platform that runs on several nodes: the local bus within the node, NATS between them.
 *
 * Events are told here at once and sent to all others; one that is lost costs a delay, never a fact: facts are in the
 * database. Requests go to the node that can answer them, and to no other: a node has one subject, and what it holds
 * decides who is asked. NATS delivers a request at most once, and so does this bus: it never asks again by itself.
 *
 * @module
 */
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { type Clock, type Log, messageOf, type Metrics, type Timer, withTimeout } from "../base/mod.ts";
import {
  type Bus,
  BusError,
  type EventHandler,
  type EventMap,
  LocalBus,
  type NodeAddress,
  type ReplyOf,
  type RequestMap,
  type RequestOf,
} from "./bus.ts";
import { busErrorOf, connectNats, hangUp, isNobody } from "./nats.ts";

/** What a bus between nodes is told. */
export interface NatsBusOptions {
  /** `nats://[USER:PASSWORD@]HOST:PORT`, several with commas between them; `tls://` for encrypted ones. */
  readonly url: string;
  /** Keeps clusters apart that share a server. */
  readonly cluster: string;
  /** This node, in its life of the moment. */
  readonly self: () => NodeAddress;
  /** Milliseconds since 1970 by a clock that all nodes share: deadlines go by it, and by no node's time of day. */
  readonly now: () => number;
  /** Whether this node may act: one whose lease is over answers nobody. */
  readonly mayAct: () => boolean;
  /** Who can answer a request; undefined: this node, or nobody. */
  readonly route: (subject: string, message: unknown) => Promise<NodeAddress | undefined>;
  /** Told where nobody answered at an address that {@linkcode NatsBusOptions.route} gave. */
  readonly misrouted?: (subject: string, message: unknown, to: NodeAddress) => void;
  /** An error of a responder elsewhere, as the one who asked shall see it; undefined: `failed`. */
  readonly revive?: (name: string, code: string, message: string) => Error | undefined;
}

/** What this bus leans on. */
export interface NatsBusDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A request on its way. Its deadline is told by {@linkcode NatsBusOptions.now}. */
interface Ask {
  readonly subject: string;
  readonly message: unknown;
  readonly epoch: number;
  readonly deadlineAt: number;
}

type Answer =
  | { readonly reply: unknown }
  | { readonly refused: "no_responder" | "late" }
  | { readonly failed: { readonly name: string; readonly code: string; readonly message: string } };

interface Pending {
  readonly to: NodeAddress;
  readonly fail: (error: BusError) => void;
}

/** Milliseconds between looks whether who was asked is still there. */
const LOOK_MS = 500;
/** Requests of others in work at once, and bytes that may wait to be sent. */
const MAX_ANSWERING = 20_000;
const MAX_UNSENT = 16 << 20;
/** How long a node that leaves sees to it that what it has done is told, in milliseconds. */
const FAREWELL_MS = 1000;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** A bus between nodes. Dispose of it to leave: what was published is sent first. */
export class NatsBus<Events extends EventMap, Requests extends RequestMap>
  implements Bus<Events, Requests>, AsyncDisposable {
  readonly #local: LocalBus<Events, Requests>;
  readonly #pending = new Set<Pending>();
  readonly #dropped;
  readonly #malformed;
  #connected = true;
  /** What others asked and is being answered. */
  readonly #answering = new Set<Promise<void>>();
  #unsent = 0;
  #flushing = false;
  #looking: Timer | undefined;
  #leaving = false;
  #closed = false;

  private constructor(
    private readonly deps: NatsBusDeps,
    private readonly options: NatsBusOptions,
    private readonly nats: NatsConnection,
  ) {
    this.#local = new LocalBus(deps.clock, deps.log);
    this.#dropped = deps.metrics.counter(
      "gatehouse_bus_dropped_total",
      "Events that were not sent to other nodes",
    );
    this.#malformed = deps.metrics.counter("gatehouse_bus_malformed_total", "Messages of no known form");
    deps.metrics.gauge(
      "gatehouse_bus_requests",
      "Requests to other nodes under way",
      () => this.#pending.size,
    );
    deps.metrics.gauge("gatehouse_bus_unsent_bytes", "Bytes that wait for NATS", () => this.#unsent);
  }

  /** Connects. @throws {BusError} `no_responder` where no server can be reached */
  static async connect<Events extends EventMap, Requests extends RequestMap>(
    deps: NatsBusDeps,
    options: NatsBusOptions,
  ): Promise<NatsBus<Events, Requests>> {
    const nats = await connectNats(options.url, `gatehouse ${options.self().node}`);
    const bus = new NatsBus<Events, Requests>(deps, options, nats);
    bus.#listen();
    await nats.flush();
    return bus;
  }

  /** Whether NATS is there at this moment. */
  get connected(): boolean {
    return this.#connected && !this.#closed;
  }

  publish<S extends keyof Events & string>(subject: S, message: Events[S]): void {
    this.#local.publish(subject, message);
    if (!this.connected || this.#unsent > MAX_UNSENT) return this.#dropped.inc();
    const bytes = encoder.encode(JSON.stringify({ from: this.options.self(), message }));
    if (bytes.length > this.#largest) return this.#dropped.inc();
    this.#send(() => this.nats.publish(`${this.#prefix}.event.${subject}`, bytes), bytes.length);
  }

  subscribe<S extends keyof Events & string>(subject: S, handler: EventHandler<Events[S]>): Disposable {
    return this.#local.subscribe(subject, handler);
  }

  async request<S extends keyof Requests & string>(
    subject: S,
    message: RequestOf<Requests[S]>,
    timeoutMs: number,
  ): Promise<ReplyOf<Requests[S]>> {
    const to = await this.#route(subject, message);
    if (!to || to.node === this.options.self().node) {
      return await this.#local.request(subject, message, timeoutMs);
    }
    try {
      return await this.#ask(to, subject, message, timeoutMs) as ReplyOf<Requests[S]>;
    } catch (error) {
      if (error instanceof BusError && (error.code === "no_responder" || error.code === "lost")) {
        this.options.misrouted?.(subject, message, to);
      }
      throw error;
    }
  }

  /** Who is to be asked. Where that can't be found out, nothing was sent: it counts as nobody being there. */
  async #route(subject: string, message: unknown): Promise<NodeAddress | undefined> {
    try {
      return await this.options.route(subject, message);
    } catch (error) {
      throw new BusError("no_responder", `who answers "${subject}" can't be looked up: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  respond<S extends keyof Requests & string>(
    subject: S,
    handler: (message: RequestOf<Requests[S]>) => Promise<ReplyOf<Requests[S]>>,
  ): Disposable {
    return this.#local.respond(subject, handler);
  }

  /** Whoever waits for an answer of that node, in that life or an earlier one, is told that it will not come. */
  gone({ node, epoch }: NodeAddress): void {
    for (const { to, fail } of [...this.#pending]) {
      if (to.node === node && to.epoch <= epoch) fail(new BusError("lost", `node "${node}" is gone`));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving = true;
    const told = Promise.all(this.#answering);
    await withTimeout(this.deps.clock, told, FAREWELL_MS, () => new BusError("timeout", "")).catch(() => {});
    this.#closed = true;
    this.#looking?.cancel();
    for (const { fail } of [...this.#pending]) fail(new BusError("lost", "this node is stopping"));
    // Without a server there is nobody to say goodbye to.
    if (this.#connected) await this.nats.drain().catch(() => {});
    await this.nats.close();
  }

  get #prefix(): string {
    return `gatehouse.${this.options.cluster}`;
  }

  get #largest(): number {
    return this.nats.info?.max_payload ?? 1 << 20;
  }

  #subjectOf(node: string): string {
    // A dot would part a subject.
    return `${this.#prefix}.ask.${node.replaceAll(".", ",")}`;
  }

  async #ask(to: NodeAddress, subject: string, message: unknown, timeoutMs: number): Promise<unknown> {
    const { clock } = this.deps;
    if (!this.connected || this.#unsent > MAX_UNSENT) {
      throw new BusError("no_responder", "the other nodes can't be reached: NATS is away");
    }
    const ask: Ask = { subject, message, epoch: to.epoch, deadlineAt: this.options.now() + timeoutMs };
    const bytes = encoder.encode(JSON.stringify(ask));
    if (bytes.length > this.#largest) {
      throw new BusError(
        "too_large",
        `a request of ${bytes.length} bytes is more than nodes may send each other`,
      );
    }
    const { promise: failed, reject } = Promise.withResolvers<never>();
    failed.catch(() => {}); // whoever waits hears of it through the race
    const pending: Pending = { to, fail: reject };
    this.#pending.add(pending);
    this.#looking ??= clock.setTimer(() => this.#look(), LOOK_MS);
    try {
      let sent!: Promise<Msg>;
      this.#send(
        () => sent = this.nats.request(this.#subjectOf(to.node), bytes, { timeout: Math.max(1, timeoutMs) }),
        bytes.length,
      );
      const answer = JSON.parse(decoder.decode((await Promise.race([sent, failed])).data)) as Answer;
      if ("reply" in answer) return answer.reply;
      if ("refused" in answer) {
        // Neither was begun with, so whoever asked may say so.
        throw new BusError(
          "no_responder",
          answer.refused === "late"
            ? `"${subject}" came to node "${to.node}" too late`
            : `node "${to.node}" does not answer "${subject}" now`,
        );
      }
      const { name, code, message: text } = answer.failed;
      throw this.options.revive?.(name, code, text) ?? new BusError("failed", `node "${to.node}": ${text}`);
    } catch (error) {
      throw error instanceof SyntaxError
        ? new BusError("lost", `node "${to.node}" gave an answer of no known form`)
        : busErrorOf(error, to, subject, timeoutMs);
    } finally {
      this.#pending.delete(pending);
    }
  }

  /** Sends, and knows how much is still to go out. */
  #send(send: () => void, bytes: number): void {
    this.#unsent += bytes;
    send();
    if (this.#flushing) return;
    this.#flushing = true;
    const before = this.#unsent;
    this.nats.flush().catch(() => {}).finally(() => {
      this.#unsent = Math.max(0, this.#unsent - before);
      this.#flushing = false;
      if (this.#unsent > 0 && this.connected) this.#send(() => {}, 0);
    });
  }

  /** NATS knows at once that a process has ended: whoever waits for one need not wait for its lease to end too. */
  #look(): void {
    this.#looking = undefined;
    if (this.#closed || this.#pending.size === 0) return;
    const nodes = new Map([...this.#pending].map(({ to }) => [to.node, to]));
    for (const to of nodes.values()) {
      if (!this.connected) break;
      this.nats.request(this.#subjectOf(to.node), new Uint8Array(0), { timeout: 4 * LOOK_MS }).catch(
        (error) => void (isNobody(error) && this.gone({ node: to.node, epoch: Infinity })),
      );
    }
    this.#looking = this.deps.clock.setTimer(() => this.#look(), LOOK_MS);
  }

  #listen(): void {
    this.nats.subscribe(`${this.#prefix}.event.>`, {
      callback: (error, msg) => {
        if (!error) this.#onEvent(msg);
      },
    });
    this.nats.subscribe(this.#subjectOf(this.options.self().node), {
      callback: (error, msg) => {
        if (error) return;
        const answered = this.#onAsk(msg).finally(() => this.#answering.delete(answered));
        this.#answering.add(answered);
      },
    });
    void this.#watch();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.nats.status()) {
      if (type === "disconnect") {
        this.#connected = false;
        this.deps.log.warn("NATS is away: other nodes can't be reached");
        // Answers that are on their way have nowhere to go.
        for (const { fail } of [...this.#pending]) fail(new BusError("lost", "NATS went away"));
      } else if (type === "staleConnection") {
        hangUp(this.nats);
      } else if (type === "reconnect") {
        this.#connected = true;
        this.#unsent = 0;
        this.deps.log.info("NATS is back");
      }
    }
  }

  #onEvent(msg: Msg): void {
    let event: { from: NodeAddress; message: unknown };
    try {
      event = JSON.parse(decoder.decode(msg.data));
      if (typeof event.from?.node !== "string" || typeof event.from.epoch !== "number") throw new TypeError();
    } catch {
      return this.#malformed.inc();
    }
    const subject = msg.subject.slice(this.#prefix.length + ".event.".length) as keyof Events & string;
    this.#local.publish(subject, event.message as Events[typeof subject], event.from);
  }

  async #onAsk(msg: Msg): Promise<void> {
    if (msg.data.length === 0) return void msg.respond(); // somebody looks whether we are there
    const answer = await this.#answer(msg.data);
    if (this.#closed) return;
    let bytes = encoder.encode(JSON.stringify(answer));
    if (bytes.length > this.#largest) {
      const failed = {
        name: "BusError",
        code: "too_large",
        message: "the answer is too large for a message",
      };
      bytes = encoder.encode(JSON.stringify({ failed } satisfies Answer));
    }
    this.#send(() => msg.respond(bytes), bytes.length);
  }

  async #answer(data: Uint8Array): Promise<Answer> {
    let ask: Ask;
    try {
      ask = JSON.parse(decoder.decode(data));
      if (typeof ask.subject !== "string" || typeof ask.deadlineAt !== "number") throw new TypeError();
    } catch {
      this.#malformed.inc();
      return { refused: "no_responder" };
    }
    const { subject, epoch, deadlineAt, message } = ask, left = deadlineAt - this.options.now();
    // Asked of an earlier life, or by somebody who no longer waits: it must not be done any more.
    if (left <= 0) return { refused: "late" };
    const mine = epoch === this.options.self().epoch && this.options.mayAct() && !this.#leaving;
    if (!mine || this.#answering.size >= MAX_ANSWERING) return { refused: "no_responder" };
    try {
      const local = this.#local as unknown as LocalBus<
        EventMap,
        Record<string, { request: unknown; reply: unknown }>
      >;
      return { reply: await local.request(subject, message, left) ?? null };
    } catch (error) {
      if (error instanceof BusError && error.code === "no_responder") return { refused: "no_responder" };
      const { name, code } = error as { name?: unknown; code?: unknown };
      return { failed: { name: String(name), code: String(code ?? ""), message: messageOf(error) } };
    }
  }
}

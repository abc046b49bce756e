/**
 * One bound connection to a centre: requests and their answers, link tests (SMPP 3.4 §2, §7.2).
 *
 * @module
 */
import type { Clock, Log, Timer } from "../../../base/mod.ts";
import { connectFramed, type FramedConnection, type Framing, type Network } from "../../../net/mod.ts";
// A PDU of SMPP begins with its own length just as one of CMPP does.
import { PduDecoder } from "../../../protocol/cmpp/mod.ts";
import { SmppError } from "./errors.ts";
import { MAX_SMPP_OCTETS, type SmppCodec, type SmppPdu, Status } from "./pdu.ts";
import type { SmppSettings } from "./settings.ts";

/** What a link works with. */
export interface LinkDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly network: Pick<Network, "connect">;
}

/** Takes a deliver_sm or data_sm; gives the command_status of its answer. */
export type OnDeliver = (pdu: SmppPdu) => Promise<number>;

const FRAMING: Framing = { decoder: () => new PduDecoder(MAX_SMPP_OCTETS), encode: (pdu) => pdu };
const INTERFACE_VERSION = 0x34;
/** Deliveries of the centre that are worked on at once; one more is answered "throttled". */
const MAX_DELIVERIES = 1_000;

interface Sent {
  readonly settle: PromiseWithResolvers<SmppPdu>;
  readonly due: number;
  /** A link test: without its answer the link is dead. */
  readonly test: boolean;
}

/** A connection that the centre has bound as a transceiver. */
export class SmppLink {
  /** Resolves once it is over, with why. */
  readonly closed: Promise<string>;
  /** Our requests by sequence_number, the longest waiting first. */
  readonly #sent = new Map<number, Sent>();
  #sequence = 0;
  #deliveries = 0;
  #bound = false;
  #lastTraffic: number;
  #timer: Timer | undefined;
  #timerAt = Infinity;

  private constructor(
    private readonly deps: LinkDeps,
    private readonly settings: SmppSettings,
    private readonly codec: SmppCodec,
    private readonly connection: FramedConnection,
    private readonly onDeliver: OnDeliver,
  ) {
    this.#lastTraffic = deps.clock.monotonic();
    this.closed = connection.run((frame) => this.#handle(frame)).then(({ code, detail }) => {
      this.#timer?.cancel();
      const why = `the connection ended: ${detail ?? code}`;
      for (const { settle } of this.#sent.values()) settle.reject(new SmppError("lost", why));
      this.#sent.clear();
      return why;
    });
  }

  /** Connects and binds. @throws {NetError}; {@link SmppError} `refused`, `lost`, `timeout` */
  static async open(
    deps: LinkDeps,
    settings: SmppSettings,
    codec: SmppCodec,
    onDeliver: OnDeliver,
    signal: AbortSignal,
  ): Promise<SmppLink> {
    const connection = await connectFramed(deps.network, settings.server, {
      framing: FRAMING,
      clock: deps.clock,
      log: deps.log,
      limits: { idleMs: 0, frameMs: settings.responseMs, maxQueuedBytes: 4 * 1024 * 1024 },
      timeoutMs: Math.min(settings.responseMs, 10_000),
      signal,
    });
    const link = new SmppLink(deps, settings, codec, connection, onDeliver);
    const stop = () => connection.close();
    signal.addEventListener("abort", stop);
    try {
      await link.#bind();
      return link;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Requests that are not answered. */
  get unanswered(): number {
    return this.#sent.size;
  }

  /** Sends a request and gives its answer, whatever its status. @throws {SmppError} `lost`, `timeout` */
  request(command: string, fields: Readonly<Record<string, unknown>> = {}, test = false): Promise<SmppPdu> {
    const sequence = this.#sequence = this.#sequence % 0x7fff_ffff + 1;
    const settle = Promise.withResolvers<SmppPdu>(), now = this.deps.clock.monotonic();
    const pdu = this.codec.encode(command, sequence, fields);
    if (!this.connection.send(pdu)) return Promise.reject(new SmppError("lost", "the connection has ended"));
    this.#sent.set(sequence, { settle, due: now + this.settings.responseMs, test });
    this.#lastTraffic = now;
    this.#arm();
    return settle.promise;
  }

  /** Says goodbye and ends. */
  async end(): Promise<void> {
    await this.request("unbind").catch(() => {}); // gone already is gone too
    this.connection.close();
    await this.closed;
  }

  async #bind(): Promise<void> {
    const { systemId, password, systemType } = this.settings;
    const answer = await this.request("bind_transceiver", {
      system_id: systemId,
      password,
      system_type: systemType,
      interface_version: INTERFACE_VERSION,
    });
    if (answer.command !== "bind_transceiver_resp" || answer.status !== Status.ok) {
      throw new SmppError(
        "refused",
        `the centre refused the bind: ${answer.command} with command_status 0x${answer.status.toString(16)}`,
        answer.status,
      );
    }
    this.#bound = true;
  }

  #handle(frame: Uint8Array): void {
    let pdu: SmppPdu;
    try {
      pdu = this.codec.decode(frame);
    } catch (error) {
      if (error instanceof SmppError) return this.connection.close("bad_frame", error.message);
      throw error;
    }
    this.#lastTraffic = this.deps.clock.monotonic();
    const { command, sequence } = pdu;
    if (command.endsWith("_resp") || command === "generic_nack") {
      const sent = this.#sent.get(sequence);
      if (!sent) return; // answered after its time
      this.#sent.delete(sequence);
      return sent.settle.resolve(pdu);
    }
    switch (command) {
      case "enquire_link":
        return this.#answer("enquire_link_resp", sequence);
      case "deliver_sm":
      case "data_sm":
        return this.#deliver(pdu);
      case "unbind":
        this.#answer("unbind_resp", sequence);
        return this.connection.end();
      case "outbind":
      case "alert_notification": // neither has an answer
        return;
      default:
        return this.#answer("generic_nack", sequence, Status.invalidCommandId);
    }
  }

  #deliver(pdu: SmppPdu): void {
    const answer = `${pdu.command}_resp`;
    if (!this.#bound) return this.#answer(answer, pdu.sequence, Status.invalidBindStatus);
    if (this.#deliveries >= MAX_DELIVERIES) return this.#answer(answer, pdu.sequence, Status.throttled);
    this.#deliveries++;
    this.onDeliver(pdu).then((status) => {
      this.#deliveries--;
      this.#answer(answer, pdu.sequence, status);
    });
  }

  #answer(command: string, sequence: number, status = 0): void {
    this.connection.send(this.codec.encode(command, sequence, {}, status));
  }

  #arm(): void {
    const [first] = this.#sent.values();
    const at = Math.min(first?.due ?? Infinity, this.#lastTraffic + this.settings.enquireMs);
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.deps.clock.setTimer(() => this.#look(), at - this.deps.clock.monotonic());
  }

  #look(): void {
    this.#timerAt = Infinity;
    if (!this.connection.open) return;
    const now = this.deps.clock.monotonic();
    for (const [sequence, { settle, due, test }] of this.#sent) {
      if (due > now) break;
      this.#sent.delete(sequence);
      settle.reject(new SmppError("timeout", `not answered within ${this.settings.responseMs} ms`));
      if (test) return this.connection.close("local", "enquire_link was not answered");
    }
    if (now - this.#lastTraffic >= this.settings.enquireMs) {
      this.request("enquire_link", {}, true).catch(() => {}); // its end is the link's
    }
    this.#arm();
  }
}

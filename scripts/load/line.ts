/**
 * A UDP socket as a platform sees it: the address of one home, or of a NAT that several simulated gateways share.
 *
 * Answers of the protocol carry no name, so gateways that share a line hold their conversations one after the other;
 * heartbeats go in between, and their answers are matched in the order in which they were asked.
 *
 * @module
 */
import {
  type AccessReply,
  AccessResult,
  decodeAccessRequest,
  decodeDistributionReply,
  encodeAccessReply,
  isHeartbeatAck,
  type RequestPlugin,
} from "../../src/protocol/smart_gateway/mod.ts";
import type { Tally } from "./tally.ts";

/** Who is told what comes over a line. */
export interface LineGateway {
  /** A heartbeat was answered: in time, or with the order to register again. */
  onAck(): void;
  onStranger(): void;
  /** A heartbeat was not answered in time. */
  onLost(): void;
  /** A trigger; what to answer, and what to do once that is confirmed. */
  onTrigger(
    trigger: RequestPlugin,
  ): { readonly reply: AccessReply; readonly confirmed?: () => void } | undefined;
}

/** An answer to a question; `interval` and `result` are in all of them. */
export type Answer = AccessReply & { readonly serverAddr?: string; readonly serverPort?: number };

interface Beat {
  readonly gateway: LineGateway;
  readonly at: number;
}

/** Longest answer that a line expects, in bytes. */
const BUFFER_BYTES = 1024;

/** One socket. */
export class Line {
  #socket: Deno.DatagramConn;
  /** Heartbeats that wait for their answers, in the order they went. */
  readonly #beats: Beat[] = [];
  #waiting: ((answer: Answer) => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #confirmed: (() => void) | undefined;

  constructor(
    private readonly host: string,
    private readonly tally: Tally,
    /** Finds the gateway of this line that a trigger is for. */
    private readonly bySn: (sn: string) => LineGateway | undefined,
  ) {
    this.#socket = this.#open();
  }

  /** Moves to another port, as behind a NAT that forgot the old one. */
  rebind(): void {
    const old = this.#socket;
    this.#socket = this.#open();
    old.close();
    this.tally.counts.rebinds++;
  }

  /** Holds a conversation, after those that others of this line hold. */
  inTurn<T>(conversation: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(conversation, conversation);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Sends a question and waits at most `waitMs`. Only within a turn. */
  async ask(message: Uint8Array, to: Deno.NetAddr, waitMs: number): Promise<Answer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#waiting = resolve;
    this.#send(message, to);
    const timer = setTimeout(() => resolve(undefined), waitMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /** Sends a heartbeat of one of its gateways. */
  beat(message: Uint8Array, to: Deno.NetAddr, gateway: LineGateway): void {
    this.tally.counts.heartbeats++;
    this.#beats.push({ gateway, at: performance.now() });
    this.#send(message, to);
  }

  /** Gives up heartbeats that went before `time` (`performance.now()`). */
  giveUp(time: number): void {
    while (this.#beats.length > 0 && this.#beats[0]!.at < time) {
      this.tally.counts.lost++;
      this.#beats.shift()!.gateway.onLost();
    }
  }

  /** Heartbeats that wait for their answers. */
  get pending(): number {
    return this.#beats.length;
  }

  close(): void {
    this.#socket.close();
  }

  #open(): Deno.DatagramConn {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: this.host, port: 0 });
    this.#receive(socket);
    return socket;
  }

  #send(message: Uint8Array, to: Deno.NetAddr): void {
    // What the network does not take is lost, as on any network; the wait for the answer finds out.
    this.#socket.send(message, to).catch(() => {});
  }

  async #receive(socket: Deno.DatagramConn): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (true) {
      let received;
      try {
        received = await socket.receive(buffer);
      } catch (error) {
        if (error instanceof Deno.errors.ConnectionRefused) continue; // an echo of what went to a closed port
        return; // closed, or left for another port
      }
      try {
        this.#take(received[0], received[1] as Deno.NetAddr);
      } catch {
        // not of the protocol
      }
    }
  }

  #take(bytes: Uint8Array, from: Deno.NetAddr): void {
    if (isHeartbeatAck(bytes)) {
      const beat = this.#beats.shift();
      if (!beat) return;
      this.tally.counts.acks++;
      this.tally.times.heartbeat.add(performance.now() - beat.at);
      return beat.gateway.onAck();
    }
    const message = decodeAccessRequest(bytes);
    if (message.method === "RequestPlug-in") return this.#trigger(message, from);
    if (message.method !== "Reply") return;
    if (message.result === AccessResult.DEVRND_TAKEN) {
      this.#confirmed?.();
      return void (this.#confirmed = undefined);
    }
    if (message.result === AccessResult.REGISTER_AGAIN) {
      const beat = this.#beats.shift();
      if (!beat) return;
      this.tally.counts.strangers++;
      return beat.gateway.onStranger();
    }
    // Distribution names the operations platform in fields of its own.
    this.#waiting?.(
      message.result === AccessResult.VERIFIED ? { ...message, ...decodeDistributionReply(bytes) } : message,
    );
  }

  #trigger(trigger: RequestPlugin, from: Deno.NetAddr): void {
    this.tally.counts.triggers++;
    const answer = this.bySn(trigger.deviceSn)?.onTrigger(trigger);
    if (!answer) return;
    // A platform triggers one gateway of an address after the other: what it confirms is the last answer.
    this.#confirmed = answer.confirmed;
    this.#send(encodeAccessReply(answer.reply), from);
  }
}

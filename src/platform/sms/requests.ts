/**
 * This side's requests on one connection until they are answered (reference §2): sent again after T, N times in all,
 * and a link test (ACTIVE_TEST) after C without traffic.
 *
 * @module
 */
import type { Clock, Timer } from "../../base/mod.ts";
import type { Message } from "../../protocol/cmpp/mod.ts";
import type { LinkTimes } from "./link_times.ts";

/** What the requests' owner does for them. */
export interface RequestHost<Item> {
  readonly clock: Clock;
  /** T, C and N as they are now. */
  times(): LinkTimes;
  encode(message: Message): Uint8Array;
  send(pdu: Uint8Array): void;
  /** Whether the connection is open. */
  open(): boolean;
  /** Items that were sent N times and never answered, the one that waited longest first. */
  lost(items: readonly Item[]): void;
  /** A request that carries no item, such as a link test, was never answered: the peer is gone. */
  silent(): void;
}

/** A request that is not answered. */
export interface Sent<Item> {
  readonly item: Item | undefined;
  readonly pdu: Uint8Array;
  readonly attempts: number;
  /** When its answer is late, on the monotonic clock: T after it was last sent. */
  readonly due: number;
}

/** The requests of one connection. */
export class Requests<Item> {
  /** By Sequence_Id, the longest waiting first. */
  readonly #sent = new Map<number, Sent<Item>>();
  #sequence = 0;
  #items = 0;
  #lastTraffic: number;
  #testing = false;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #closed = false;

  constructor(private readonly host: RequestHost<Item>) {
    this.#lastTraffic = host.clock.monotonic();
  }

  /** Items that are not answered. */
  get items(): number {
    return this.#items;
  }

  nextSequence(): number {
    return this.#sequence = (this.#sequence + 1) >>> 0;
  }

  /** Something came or went: the link is not quiet. */
  touch(): void {
    this.#lastTraffic = this.host.clock.monotonic();
  }

  /** From now on a quiet link is tested. */
  testWhenQuiet(): void {
    this.#testing = true;
    this.#arm();
  }

  /** Sends a request under its Sequence_Id and waits for its answer. */
  send(sequence: number, pdu: Uint8Array, item?: Item): void {
    const now = this.host.clock.monotonic();
    this.#sent.set(sequence, { item, pdu, attempts: 1, due: now + this.host.times().responseMs });
    if (item !== undefined) this.#items++;
    this.#lastTraffic = now;
    this.host.send(pdu);
    this.#arm();
  }

  /** The request that an answer with this Sequence_Id is to; it is answered with that. */
  answered(sequence: number): Sent<Item> | undefined {
    const sent = this.#sent.get(sequence);
    if (!sent) return undefined;
    this.#sent.delete(sequence);
    if (sent.item !== undefined) this.#items--;
    return sent;
  }

  /** Whether the request of this Sequence_Id waits, and carries an item. */
  carries(sequence: number): boolean {
    return this.#sent.get(sequence)?.item !== undefined;
  }

  /** The connection is over; gives the items that were not answered, in their order. */
  close(): Item[] {
    this.#closed = true;
    this.#timer?.cancel();
    const items = [...this.#sent.values()].flatMap(({ item }) => item === undefined ? [] : [item]);
    this.#sent.clear();
    this.#items = 0;
    return items;
  }

  /** Sets the timer for whatever is due first. */
  #arm(): void {
    if (this.#closed) return;
    const [first] = this.#sent.values(), { clock } = this.host;
    const quiet = this.#testing ? this.#lastTraffic + this.host.times().activeTestMs : Infinity;
    const at = Math.min(first?.due ?? Infinity, quiet);
    if (at >= this.#timerAt || at === Infinity) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = clock.setTimer(() => this.#look(), at - clock.monotonic());
  }

  #look(): void {
    this.#timerAt = Infinity;
    if (this.#closed || !this.host.open()) return;
    const { clock } = this.host, now = clock.monotonic(), times = this.host.times();
    const lost: Item[] = [];
    for (const [sequence, sent] of this.#sent) {
      if (sent.due > now) break;
      this.#sent.delete(sequence);
      if (sent.attempts < times.attempts) {
        const { item, pdu, attempts } = sent;
        this.#sent.set(sequence, { item, pdu, attempts: attempts + 1, due: now + times.responseMs });
        this.host.send(pdu);
      } else if (sent.item !== undefined) {
        this.#items--;
        lost.push(sent.item);
      } else return this.host.silent();
    }
    if (lost.length > 0) this.host.lost(lost);
    if (this.#testing && now - this.#lastTraffic >= times.activeTestMs) {
      const sequence = this.nextSequence();
      this.send(sequence, this.host.encode({ command: "ACTIVE_TEST", sequence }));
    }
    this.#arm();
  }
}

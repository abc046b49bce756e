/**
 * Everything that goes to one other gateway: what waits for it, and the connections that carry it.
 *
 * @module
 */
import { type Deps, type HostPort, messageOf, type Timer } from "../../../base/mod.ts";
import { connectFramed, type FramedConnection, type Network } from "../../../net/mod.ts";
import { FwdType, Result, statWithCode } from "../../../protocol/cmpp/mod.ts";
import { type Carrier, Mailbox, type Page } from "../mailbox.ts";
import type { SmsSettings } from "../settings.ts";
import type { ForwardItem } from "./item.ts";
import { Lanes } from "./lanes.ts";
import { type LinkHost, PeerLink } from "./link.ts";
import type { Peer } from "./peers.ts";

/** What a line tells of its items. */
export interface LineEvents {
  /** Reads a page of what is kept for the peer. */
  load(code: string, after: number, limit: number): Promise<Page<ForwardItem>>;
  /** The peer has a message to a phone. */
  mtAccepted(item: ForwardItem): void;
  /** It will not have it, and why. */
  mtFailed(item: ForwardItem, stat: string): void;
  /** Whether a message to a phone has not ended meanwhile. */
  alive(item: ForwardItem): boolean;
  /** A kept item was answered for good: it is to be taken off the disk. */
  done(item: ForwardItem, result: number): Promise<void>;
}

/** What a line works with. */
export interface LineParts {
  readonly settings: SmsSettings;
  readonly network: Pick<Network, "connect">;
  readonly links: LinkHost;
  readonly events: LineEvents;
  readonly connect: (
    network: Pick<Network, "connect">,
    to: HostPort,
    signal: AbortSignal,
  ) => Promise<FramedConnection>;
}

/** How long to wait before something refused for now is tried again, in milliseconds. */
const RETRY_MS = 1_000;
/** Waits between attempts to connect: the first, and the longest, in milliseconds. */
const FIRST_DIAL_MS = 1_000, LONGEST_DIAL_MS = 30_000;
/** How often an item may be refused, where a refusal may be of the moment. */
const MOST_REFUSALS = 3;
/** Dead messages are thrown out of the lanes this often, in milliseconds. */
const PRUNE_MS = 10_000;
/** Refusals that say "later", in standard and practice. */
const LATER: ReadonlySet<number> = new Set([Result.flowControl, Result.duplicateSequence]);

/** FWD_RESP and no response, where nothing better is known, as codes of Stat (reference §8). */
const NO_RESPONSE = 54;

/** One peer's. */
export class PeerLine {
  readonly links = new Set<PeerLink>();
  readonly #lanes = new Lanes();
  readonly #mailbox: Mailbox<ForwardItem>;
  readonly #carriers = new Map<PeerLink, Carrier<ForwardItem>>();
  readonly #leaving = new Set<number>();
  readonly #refusals = new Map<number | bigint, number>();
  readonly #timers = new Set<Timer>();
  readonly #stop = new AbortController();
  #dialing: Timer | undefined;
  #called: PeerLink | undefined;
  #failures = 0;
  #pumping = false;
  #mtsFirst = false;
  /** Why the last attempt to connect failed. */
  lastError: string | undefined;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "random">,
    /** The peer's settings of now; they may change while it is connected. */
    readonly peer: () => Peer | undefined,
    readonly code: string,
    private readonly parts: LineParts,
  ) {
    this.#mailbox = new Mailbox({
      load: (after, limit) => this.#load(after, limit),
      leaving: (id) => this.#leaving.has(id),
      after: (ms, callback) => this.#after(ms, callback),
    });
    this.#every(PRUNE_MS, () => this.#lanes.prune((item) => this.parts.events.alive(item)));
  }

  /** Messages to phones that wait for it or its answer. */
  get waiting(): number {
    return this.#lanes.size;
  }

  /** Whether anything can be sent. */
  get connected(): boolean {
    return this.#carriers.size > 0;
  }

  /** Connects, where this side does. */
  dial(): void {
    const address = this.peer()?.address;
    if (!address || this.#called || this.#dialing || this.#stop.signal.aborted) return;
    this.#dialing = this.deps.clock.setTimer(() => void this.#connect(address), this.#pause());
  }

  /** The peer's settings changed, or it is gone: what is connected was let in under the old ones. */
  renew(): void {
    for (const link of [...this.links]) link.terminate();
    this.#failures = 0;
    this.dial();
  }

  /** A connection that says it is this peer's, or that this side made, is open. */
  opened(link: PeerLink): void {
    this.links.add(link);
    if (link.direction === "out") {
      this.#failures = 0;
      this.lastError = undefined;
    } else if (this.peer()?.address) return; // it sends here on this one; we send on our own
    const carrier: Carrier<ForwardItem> = { carry: (item) => this.#carry(link, item) };
    this.#carriers.set(link, carrier);
    this.#mailbox.attach(carrier);
    this.pump();
  }

  /** A connection is over: what was on its way comes again on the next. */
  closed(link: PeerLink): void {
    this.links.delete(link);
    const items = link.close(), carrier = this.#carriers.get(link);
    const kept: ForwardItem[] = [];
    for (const item of items.reverse()) {
      if (item.mt === undefined) kept.push(item);
      else this.#lanes.putBack(item);
    }
    if (carrier) {
      this.#carriers.delete(link);
      this.#mailbox.detach(carrier);
      this.#mailbox.putBack(kept);
    }
    if (link === this.#called) {
      this.#called = undefined;
      this.#failures++;
      this.dial();
    }
    this.pump();
  }

  /** Takes a message to a phone. */
  offerMt(item: ForwardItem): void {
    this.#lanes.offer(item);
    this.pump();
  }

  /** Takes back the messages to phones that have not been sent, where nobody can send them now. */
  drainMts(): ForwardItem[] {
    return this.connected ? [] : this.#lanes.drain();
  }

  /** Takes an item that is on disk. */
  offer(item: ForwardItem): void {
    this.#mailbox.offer(item);
  }

  /** Sends what can be sent. Neither kind can keep the other from the window, see #most. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.#mtsFirst = !this.#mtsFirst;
      if (this.#mtsFirst) this.#pumpMts();
      this.#mailbox.pump();
      if (!this.#mtsFirst) this.#pumpMts();
    } finally {
      this.#pumping = false;
    }
  }

  answered(link: PeerLink, item: ForwardItem, result: number): void {
    if (item.mt === undefined) this.#keptAnswered(item, result);
    else this.#mtAnswered(item, result);
    if (link.room > 0) this.pump();
  }

  /** Sent N times, and the peer says nothing: the protocol says to stop sending it. */
  unanswered(item: ForwardItem): void {
    if (item.mt === undefined) return this.#later(item);
    this.#lanes.done(item);
    this.parts.events.mtFailed(item, statWithCode("IA", NO_RESPONSE));
    this.pump();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#dialing?.cancel();
    for (const timer of this.#timers) timer.cancel();
    const called = this.#called;
    if (!called) return;
    called.terminate();
    await called.connection.closed;
  }

  #mtAnswered(item: ForwardItem, result: number): void {
    if (LATER.has(result) && this.parts.events.alive(item)) {
      // The number's lane stays taken meanwhile, so that nothing overtakes it.
      return this.#after(RETRY_MS, () => {
        this.#lanes.putBack(item);
        this.pump();
      });
    }
    this.#lanes.done(item);
    if (result === Result.ok) this.parts.events.mtAccepted(item);
    else this.parts.events.mtFailed(item, statWithCode("IB", result));
  }

  #keptAnswered(item: ForwardItem, result: number): void {
    if (result !== Result.ok && !this.#givesUp(item, result)) return this.#later(item);
    this.#refusals.delete(item.id);
    // Until it is off the disk, a page that is read there may still hold it.
    this.#leaving.add(item.id);
    this.parts.events.done(item, result).then(
      () => void this.#leaving.delete(item.id),
      (error) =>
        // It stays on disk, and comes again after a restart: the peer knows it by its Msg_Id.
        this.deps.log.error("a forwarded item was not written down", { error: messageOf(error) }),
    );
  }

  #givesUp(item: ForwardItem, result: number): boolean {
    if (item.expiresAt <= this.deps.clock.now()) return true;
    if (LATER.has(result)) return false;
    // A message of a phone is refused for a reason that stays; a report may have come too early.
    if (item.fwd.Msg_Fwd_Type === FwdType.mo || result === Result.notServed) return true;
    const refusals = (this.#refusals.get(item.id) ?? 0) + 1;
    this.#refusals.set(item.id, refusals);
    return refusals >= MOST_REFUSALS;
  }

  #later(item: ForwardItem): void {
    const { generation } = this.#mailbox;
    this.#after(RETRY_MS, () => this.#mailbox.putBack([item], generation));
  }

  #sendMt(link: PeerLink, item: ForwardItem): void {
    if (!this.parts.events.alive(item)) return this.#lanes.done(item);
    if (link.carry(item)) return;
    this.#lanes.done(item);
    this.parts.events.mtFailed(item, statWithCode("IB", Result.structure));
  }

  #pumpMts(): void {
    for (const link of this.#carriers.keys()) {
      while (link.room > 0 && link.unansweredMts < this.#most(link, this.#mailbox.waiting)) {
        const item = this.#lanes.take();
        if (!item) return;
        this.#sendMt(link, item);
      }
    }
  }

  #carry(link: PeerLink, item: ForwardItem): boolean {
    const kept = link.unanswered - link.unansweredMts;
    if (link.room === 0 || kept >= this.#most(link, this.#lanes.ready)) return false;
    if (!link.carry(item)) this.#keptAnswered(item, Result.notServed);
    return true;
  }

  /** Of one kind on a connection at once: all of the window, or three quarters where the other kind waits. */
  #most({ peer }: PeerLink, others: number): number {
    const window = peer?.window ?? 1;
    return others > 0 ? Math.max(1, window - Math.floor(window / 4)) : window;
  }

  #load(after: number, limit: number): Promise<Page<ForwardItem>> {
    return this.parts.events.load(this.code, after, limit).catch((error) => {
      this.deps.log.error("what waits for a gateway was not read", {
        peer: this.code,
        error: messageOf(error),
      });
      throw error;
    });
  }

  async #connect(address: HostPort): Promise<void> {
    this.#dialing = undefined;
    const peer = this.peer();
    if (!peer) return;
    try {
      const connection = await this.parts.connect(this.parts.network, address, this.#stop.signal);
      const link = new PeerLink(connection, "out", this.parts.links);
      this.#called = link;
      this.links.add(link);
      connection.run((frame) => link.handle(frame)).then(({ code, detail }) => {
        if (link.peer === undefined) this.lastError = detail ?? code;
        this.closed(link);
      });
      link.call(peer, this.parts.settings.gatewayCode);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.lastError = messageOf(error);
      this.#failures++;
      this.deps.log.debug("a gateway can't be reached", { peer: this.code, error: this.lastError });
      this.dial();
    }
  }

  /** Longer from attempt to attempt, and not all gateways at the same moment. */
  #pause(): number {
    if (this.#failures === 0) return 0;
    const longest = Math.min(LONGEST_DIAL_MS, FIRST_DIAL_MS * 2 ** Math.min(this.#failures - 1, 10));
    return longest / 2 + this.deps.random.float() * longest / 2;
  }

  #after(ms: number, callback: () => void): void {
    if (this.#stop.signal.aborted) return;
    const timer = this.deps.clock.setTimer(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
  }

  #every(ms: number, callback: () => void): void {
    this.#after(ms, () => {
      callback();
      this.#every(ms, callback);
    });
  }
}

/** Opens a connection to another gateway. */
export function dialer(
  deps: Pick<Deps, "clock" | "log">,
  settings: SmsSettings,
  framing: Parameters<typeof connectFramed>[2]["framing"],
): LineParts["connect"] {
  return (network, to, signal) =>
    connectFramed(network, to, {
      framing,
      clock: deps.clock,
      log: deps.log,
      limits: { idleMs: 0, frameMs: settings.responseMs, maxQueuedBytes: 4 * 1024 * 1024 },
      timeoutMs: settings.connectMs,
      signal,
    });
}

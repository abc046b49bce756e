/**
 * Getting a gateway onto the plug-in channel: triggering it for as long as somebody wants it there.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import type { PlatformBus } from "../subjects.ts";

/** Where a connection stands, for people: `idle` where nobody asked for one, `failed` with the last reason. */
export interface ConnectionState {
  readonly state: "idle" | "connecting" | "connected" | "failed";
  readonly reason?: string;
}

/** How long a triggered gateway may take to open its channel, and the pause before it is triggered again. */
const OPENING_MS = 10_000;
const PAUSE_MS = 5_000;
/** Pause before a channel that was lost is looked for, and how long the look may take. */
const LOST_MS = 200;
const STATE_MS = 2_000;
/** More than a trigger with all its resends may take. */
const TRIGGER_MS = 60_000;

interface Entry {
  readonly mac: string;
  open: boolean;
  /** The node that said that it is open; undefined: this one, or it is not known which. */
  at: string | undefined;
  /** Monotonic time until which an app wants the channel, whether commands wait or not. */
  wantedUntil: number;
  trying: boolean;
  retry: Timer | undefined;
  reason: string | undefined;
}

/** Knows which gateways are on the channel, and triggers those that are wanted there. */
export class Connector implements Disposable {
  readonly #entries = new Map<string, Entry>();
  readonly #subscriptions: Disposable[];
  #closed = false;

  /** `isNeeded` says whether commands wait for a gateway; `onOpen` is told when its channel is there. */
  constructor(
    private readonly deps: Deps,
    private readonly bus: PlatformBus,
    private readonly isNeeded: (mac: string) => boolean,
    private readonly onOpen: (mac: string) => void,
    /** Whether a channel may be at another node, and its opening not have been heard of. */
    private readonly several = false,
  ) {
    this.#subscriptions = [
      bus.subscribe("channel.opened", ({ mac }, from) => this.#opened(mac, from?.node)),
      bus.subscribe("channel.closed", ({ mac }, from) => this.#closedBy(mac, from?.node)),
      bus.subscribe("presence.changed", ({ mac, online }) => void (online && this.#cameOnline(mac))),
      bus.subscribe("gateway.claimed", ({ mac }) => this.#cameOnline(mac)),
    ];
  }

  isOpen(mac: string): boolean {
    return this.#entries.get(mac)?.open ?? false;
  }

  state(mac: string): ConnectionState {
    const entry = this.#entries.get(mac);
    if (!entry) return { state: "idle" };
    if (entry.open) return { state: "connected" };
    if (this.#wanted(entry)) {
      return { state: "connecting", ...(entry.reason === undefined ? {} : { reason: entry.reason }) };
    }
    return entry.reason === undefined ? { state: "idle" } : { state: "failed", reason: entry.reason };
  }

  /** Wants the gateway's channel for the next `forMs` milliseconds, or as long as commands wait for it. */
  want(mac: string, forMs = 0): void {
    const entry = this.#entry(mac);
    entry.wantedUntil = Math.max(entry.wantedUntil, this.deps.clock.monotonic() + forMs);
    // Where it was called a moment ago the next call is set already.
    if (!entry.retry) this.#try(entry);
  }

  /** A channel that was open was not found: it is looked for, and called for where it is still wanted. */
  lost(mac: string): void {
    const entry = this.#entries.get(mac);
    if (!entry?.open) return;
    entry.open = false;
    entry.reason = "the channel was lost";
    this.#retryIn(entry, LOST_MS);
  }

  /** A node is gone, and with it the channels that it had. */
  gone(node: string): void {
    for (const { mac, open, at } of [...this.#entries.values()]) {
      if (open && at === node) this.#closedBy(mac, at);
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    for (const { retry } of this.#entries.values()) retry?.cancel();
  }

  async #try(entry: Entry): Promise<void> {
    if (this.#closed || entry.open || entry.trying || !this.#wanted(entry)) return;
    entry.retry?.cancel();
    entry.retry = undefined;
    entry.trying = true;
    try {
      const { mac } = entry;
      if (this.several && await this.bus.request("channel.state", { mac }, STATE_MS).catch(() => false)) {
        if (!this.#closed && !entry.open) this.#opened(mac);
        return;
      }
      const outcome = await this.bus.request(
        "access.trigger",
        { mac, trigger: { kind: "plugin_center" } },
        TRIGGER_MS,
      );
      entry.reason = REASONS[outcome];
      // An offline gateway is triggered when it comes back; a refused one registers again and does the same.
      if (outcome === "offline" || outcome === "refused") return;
      this.#retryIn(entry, outcome === "unanswered" ? PAUSE_MS : OPENING_MS);
    } catch (error) {
      entry.reason = messageOf(error);
      this.#retryIn(entry, PAUSE_MS);
    } finally {
      entry.trying = false;
    }
  }

  #retryIn(entry: Entry, ms: number): void {
    if (this.#closed || entry.open) return;
    entry.retry = this.deps.clock.setTimer(() => {
      entry.retry = undefined;
      if (this.#wanted(entry)) this.#try(entry);
    }, ms);
  }

  #opened(mac: string, at?: string): void {
    const entry = this.#entry(mac);
    entry.open = true;
    entry.at = at;
    entry.reason = undefined;
    entry.retry?.cancel();
    entry.retry = undefined;
    this.onOpen(mac);
  }

  #closedBy(mac: string, at?: string): void {
    const entry = this.#entry(mac);
    // An older channel, at another node: the one that is open took its place.
    if (entry.open && entry.at !== at && entry.at !== undefined) return;
    entry.open = false;
    this.#try(entry);
    if (!this.#wanted(entry)) this.#entries.delete(mac);
  }

  #cameOnline(mac: string): void {
    const entry = this.#entries.get(mac);
    if (entry) this.#try(entry);
  }

  #wanted(entry: Entry): boolean {
    return entry.wantedUntil > this.deps.clock.monotonic() || this.isNeeded(entry.mac);
  }

  #entry(mac: string): Entry {
    let entry = this.#entries.get(mac);
    if (!entry) {
      entry = {
        mac,
        open: false,
        at: undefined,
        wantedUntil: -Infinity,
        trying: false,
        retry: undefined,
        reason: undefined,
      };
      this.#entries.set(mac, entry);
    }
    return entry;
  }
}

const REASONS = {
  accepted: "the gateway was called and is connecting",
  already_connected: "the gateway says that it is connected already",
  offline: "the gateway is offline",
  refused: "the gateway refused our key and has to register again",
  unanswered: "the gateway does not answer",
} as const;

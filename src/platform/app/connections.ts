/**
 * Connecting to a gateway, as an app sees it: it asks once, then polls in the specification's rhythm.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";
import type { Commander } from "../commands/mod.ts";
import type { PresenceTable } from "../registry/mod.ts";

/** How long a gateway is tried to be connected, in milliseconds (reference §10: one minute). */
const CONNECT_LIMIT_MS = 60_000;
/** Polls come every second in the first ten, then every five seconds. */
const QUICK_MS = 10_000;
const QUICK_POLL_MS = 1000;
const SLOW_POLL_MS = 5000;
/** Attempts remembered. */
const MAX_ATTEMPTS = 100_000;

/** Where a connection stands. `retryAfterMs`: when to look again; absent where nothing more will happen. */
export interface ConnectionView {
  readonly state: "idle" | "connecting" | "connected" | "failed";
  readonly reason?: { readonly code: "gateway_offline" | "timed_out"; readonly message: string };
  readonly retryAfterMs?: number;
}

/** Attempts to connect, by gateway. */
export class Connections {
  /** Monotonic start times, in the order of their start. */
  readonly #attempts = new Map<string, number>();
  readonly #listeners = new Set<(attempt: { readonly mac: string }) => void>();

  constructor(
    private readonly clock: Pick<Clock, "monotonic">,
    private readonly commander: Pick<Commander, "connect" | "connection">,
    private readonly presence: Pick<PresenceTable, "get">,
    /** Told of each attempt that begins here. */
    private readonly wanted?: (mac: string) => void,
  ) {}

  /** Asks for the gateway's channel. Asked again within the minute, the minute goes on as it is. */
  connect(mac: string): ConnectionView {
    const now = this.clock.monotonic(), running = this.#running(mac, now);
    if (this.commander.connection(mac).state !== "connected" && running === undefined) {
      this.#attempts.delete(mac);
      if (this.#attempts.size >= MAX_ATTEMPTS) this.#attempts.delete(this.#attempts.keys().next().value!);
      this.#attempts.set(mac, now);
      this.commander.connect(mac, CONNECT_LIMIT_MS);
      this.wanted?.(mac);
      for (const listener of this.#listeners) listener({ mac });
    }
    return this.state(mac);
  }

  /** An attempt that began on another node: that one calls the gateway, and this one can say how it stands. */
  heard(mac: string): void {
    this.#attempts.delete(mac);
    if (this.#attempts.size >= MAX_ATTEMPTS) this.#attempts.delete(this.#attempts.keys().next().value!);
    this.#attempts.set(mac, this.clock.monotonic());
    for (const listener of this.#listeners) listener({ mac });
  }

  /** Where the gateway's connection stands now. */
  state(mac: string): ConnectionView {
    const { state, reason } = this.commander.connection(mac);
    if (state === "connected") return { state };
    const now = this.clock.monotonic(), started = this.#running(mac, now);
    if (started !== undefined) {
      if (!this.presence.get(mac)?.online) {
        return { state: "failed", reason: { code: "gateway_offline", message: "the gateway is offline" } };
      }
      const elapsed = now - started;
      return { state: "connecting", retryAfterMs: elapsed < QUICK_MS ? QUICK_POLL_MS : SLOW_POLL_MS };
    }
    if (!this.#attempts.has(mac)) return { state: "idle" };
    const message = `the gateway did not connect within a minute${reason ? `: ${reason}` : ""}`;
    return { state: "failed", reason: { code: "timed_out", message } };
  }

  /** Tells of each attempt that begins from now on. */
  listen(listener: (attempt: { readonly mac: string }) => void): Disposable {
    // One of its own: the same function may listen twice.
    const own = (attempt: { readonly mac: string }) => listener(attempt);
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  /** The start of the attempt that still runs. */
  #running(mac: string, now: number): number | undefined {
    const started = this.#attempts.get(mac);
    return started !== undefined && now - started < CONNECT_LIMIT_MS ? started : undefined;
  }
}

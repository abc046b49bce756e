/**
 * Who is there: the table that heartbeats touch, in memory, swept for the silent and flushed in batches.
 *
 * @module
 */
import { type Deps, type HostPort, messageOf, nextTurn, type Timer } from "../../base/mod.ts";
import type { CommandOwner } from "./commands.ts";
import type { GatewayRow } from "./schema.ts";
import type { GatewayStore, LastSeen } from "./gateways.ts";

/** A registered gateway as its heartbeats keep it. One a gateway: fields are few on purpose. */
export interface Presence {
  readonly mac: string;
  sn: string;
  loid: string;
  /** The source of its last packet. Triggers go there: no other socket gets through its NAT. */
  hostname: string;
  port: number;
  /** {@linkcode Clock.monotonic} of its last packet; -Infinity where this process has heard none. */
  lastSeen: number;
  online: boolean;
  devRnd: string;
  previousDevRnd: string | undefined;
}

/** How presence is kept. */
export interface PresenceSettings {
  /** Seconds between heartbeats, as handed out. */
  readonly heartbeatSeconds: number;
  /** How many heartbeats may be missed before a gateway counts as offline (reference §3). */
  readonly missed?: number;
  /** Milliseconds between looks for the silent, and between flushes to the database. */
  readonly sweepMs?: number;
  readonly flushMs?: number;
  /** Told when a gateway comes or goes. */
  readonly onChange: (mac: string, online: boolean) => void;
  /**
   * Waits until what `onChange` was told so far is where it survives. Only then is it kept who is there: what was not
   * told when the process is killed is seen again, and told, by the next one.
   */
  readonly told?: () => Promise<void>;
  /** Where there are several nodes: which gateways are this one's to tell of. */
  readonly owned?: PresenceOwner | undefined;
}

/** What presence needs to know of the nodes, where there are several. */
export interface PresenceOwner {
  /** Writes of this node count only for the gateways that it holds, in its life of the moment. */
  readonly self: CommandOwner;
  /** Those of `macs` whose heartbeats come to this node, and to no other. Rejects where that can't be known now. */
  still(macs: readonly string[]): Promise<ReadonlySet<string>>;
  /** Another node has it by now. */
  lost(mac: string): void;
}

/** How many rows one flush transaction takes, so that it never holds up heartbeats for long. */
const FLUSH_ROWS = 500;

/** The table of registered gateways. */
export class PresenceTable implements AsyncDisposable {
  readonly #entries = new Map<string, Presence>();
  readonly #changed = new Set<string>();
  readonly #timeoutMs: number;
  #onlineCount = 0;
  /** Whoever was online when the last process ended has from here the usual time to be heard. */
  #startedAt = -Infinity;
  #flushedAt = 0;
  #flushing: Promise<void> = Promise.resolve();
  #timers: Timer[] = [];
  #closed = false;

  constructor(
    private readonly deps: Deps,
    private readonly store: GatewayStore,
    private readonly settings: PresenceSettings,
  ) {
    this.#timeoutMs = settings.heartbeatSeconds * 1000 * (settings.missed ?? 3);
    deps.metrics.gauge("gatehouse_gateways_online", "Gateways that are online", () => this.#onlineCount);
    deps.metrics.gauge(
      "gatehouse_gateways_registered",
      "Gateways that have registered",
      () => this.#entries.size,
    );
    this.#every(settings.sweepMs ?? Math.min(5000, this.#timeoutMs / 6), () => this.#sweep());
    this.#every(settings.flushMs ?? 10_000, () => void this.flush());
  }

  /** Starts from what the database knows: registered gateways, none of them heard of yet. */
  async load(): Promise<void> {
    for await (const rows of this.store.registered()) {
      for (const row of rows) this.#entries.set(row.mac, fromRow(row));
    }
    for (const entry of this.#entries.values()) if (entry.online) this.#onlineCount++;
    this.#startedAt = this.deps.clock.monotonic();
  }

  get onlineCount(): number {
    return this.#onlineCount;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(mac: string): Presence | undefined {
    return this.#entries.get(mac);
  }

  /**
   * A heartbeat: the hot path, no allocation and no database. False where the gateway is unknown or speaks from
   * another host than it registered from; a new port of the same host is its NAT's doing and is taken over.
   */
  beat(mac: string, hostname: string, port: number): boolean {
    const entry = this.#entries.get(mac);
    if (entry === undefined || entry.hostname !== hostname) return false;
    entry.port = port;
    entry.lastSeen = this.deps.clock.monotonic();
    if (!entry.online) this.#setOnline(entry, true);
    return true;
  }

  /** Enters a gateway that has just proved itself. */
  register(entry: Omit<Presence, "lastSeen" | "online">): void {
    const known = this.#entries.get(entry.mac);
    const fresh = { ...entry, lastSeen: this.deps.clock.monotonic(), online: known?.online ?? false };
    this.#entries.set(entry.mac, fresh);
    if (!fresh.online) this.#setOnline(fresh, true);
  }

  /** Takes over, from the database, a gateway that another node heard before; its row says where it spoke from. */
  adopt(row: GatewayRow, port: number): void {
    const known = this.#entries.get(row.mac);
    const fresh = {
      ...fromRow(row),
      port,
      lastSeen: this.deps.clock.monotonic(),
      online: known?.online ?? false,
    };
    this.#entries.set(row.mac, fresh);
    if (!fresh.online) this.#setOnline(fresh, true);
  }

  /** Another node hears it from here on, or nobody: what is known of it here is no longer first-hand. */
  release(mac: string): void {
    const entry = this.#entries.get(mac);
    if (entry) entry.lastSeen = -Infinity;
    this.#changed.delete(mac);
  }

  /** Another node told that a gateway came or went, and where it speaks from if it has registered. */
  heard(mac: string, online: boolean, from?: HostPort): void {
    let entry = this.#entries.get(mac);
    if (!entry && !from) return;
    if (!entry) {
      entry = {
        mac,
        sn: "",
        loid: "",
        hostname: "",
        port: 0,
        lastSeen: -Infinity,
        online: false,
        devRnd: "",
        previousDevRnd: undefined,
      };
      this.#entries.set(mac, entry);
    }
    if (from) [entry.hostname, entry.port] = [from.host, from.port];
    if (entry.online !== online) this.#onlineCount += online ? 1 : -1;
    entry.online = online;
  }

  /** Forgets a gateway that another node tells of, or none. */
  drop(mac: string): void {
    const entry = this.#entries.get(mac);
    if (entry?.online) this.#onlineCount--;
    this.#entries.delete(mac);
    this.#changed.delete(mac);
  }

  /** Forgets a gateway: its next heartbeat is answered with -3. */
  forget(mac: string): void {
    const entry = this.#entries.get(mac);
    if (entry?.online) this.#setOnline(entry, false);
    this.#entries.delete(mac);
    this.#changed.delete(mac);
  }

  /** Writes what changed since the last flush. Failures are logged and tried again with the next flush. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    await this.flush();
  }

  async #flush(): Promise<void> {
    const since = this.#flushedAt, now = this.deps.clock.monotonic(), wall = this.deps.clock.now();
    let batch: LastSeen[] = [];
    const { owned } = this.settings;
    const save = async () => {
      if (batch.length > 0) await this.settings.told?.();
      const lost = await this.store.saveLastSeen(batch, owned?.self);
      for (const mac of lost) owned?.lost(mac);
    };
    try {
      for (const entry of this.#entries.values()) {
        if (entry.lastSeen < since && !this.#changed.has(entry.mac)) continue;
        batch.push({
          mac: entry.mac,
          address: `${entry.hostname}:${entry.port}`,
          lastSeenAt: entry.lastSeen === -Infinity ? null : Math.round(wall - (now - entry.lastSeen)),
          online: entry.online,
        });
        this.#changed.delete(entry.mac);
        if (batch.length < FLUSH_ROWS) continue;
        await save();
        batch = [];
        await nextTurn();
      }
      await save();
      this.#flushedAt = now;
    } catch (error) {
      for (const { mac } of batch) this.#changed.add(mac);
      this.deps.log.error("presence was not saved, trying again later", { error: messageOf(error) });
    }
  }

  #sweep(): void {
    const limit = this.deps.clock.monotonic() - this.#timeoutMs;
    if (this.settings.owned) return void this.#sweepOwned(this.settings.owned, limit);
    for (const entry of this.#entries.values()) {
      if (entry.online && Math.max(entry.lastSeen, this.#startedAt) < limit) this.#setOnline(entry, false);
    }
  }

  /** Only those are told gone that this node alone would have heard. */
  async #sweepOwned(owned: PresenceOwner, limit: number): Promise<void> {
    const silent: Presence[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.online && entry.lastSeen > -Infinity && entry.lastSeen < limit) silent.push(entry);
    }
    if (silent.length === 0) return;
    try {
      const still = await owned.still(silent.map(({ mac }) => mac));
      for (const entry of silent) {
        if (!still.has(entry.mac)) owned.lost(entry.mac);
        else if (entry.online && entry.lastSeen < limit && this.#entries.get(entry.mac) === entry) {
          this.#setOnline(entry, false);
        }
      }
    } catch (error) {
      this.deps.log.warn("it is not known whether silent gateways speak to other nodes, looking again", {
        gateways: silent.length,
        error: messageOf(error),
      });
    }
  }

  #setOnline(entry: Presence, online: boolean): void {
    entry.online = online;
    this.#onlineCount += online ? 1 : -1;
    this.#changed.add(entry.mac);
    this.settings.onChange(entry.mac, online);
  }

  #every(ms: number, work: () => void): void {
    const index = this.#timers.length;
    const again = () => {
      if (this.#closed) return;
      work();
      this.#timers[index] = this.deps.clock.setTimer(again, ms);
    };
    this.#timers.push(this.deps.clock.setTimer(again, ms));
  }
}

function fromRow(row: GatewayRow): Presence {
  const colon = row.address?.lastIndexOf(":") ?? -1;
  return {
    mac: row.mac,
    sn: row.sn,
    loid: row.loid,
    hostname: colon < 0 ? "" : row.address!.slice(0, colon),
    port: colon < 0 ? 0 : Number(row.address!.slice(colon + 1)),
    lastSeen: -Infinity,
    online: row.online === 1,
    devRnd: row.dev_rnd ?? "",
    previousDevRnd: row.previous_dev_rnd ?? undefined,
  };
}

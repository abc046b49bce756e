/**
 * Many simulated gateways in this process: their arrival, their heartbeats, their channels, their NATs.
 *
 * @module
 */
import process from "node:process";
import { DEFAULT_TIMING, type RegistrationTiming } from "../../src/gateway/registration/timing.ts";
import type { ChannelTiming } from "./channel.ts";
import { SimulatedGateway, type World } from "./gateway.ts";
import { Line } from "./line.ts";
import { Tally, type TallyData } from "./tally.ts";

/** What a fleet is. Everything can be written as JSON: another process may run it. */
export interface FleetSettings {
  /** Numbers of its gateways: from `first` on, `count` of them. */
  readonly first: number;
  readonly count: number;
  /** Sockets that they share; as many as gateways: one each. */
  readonly sockets: number;
  readonly host: string;
  /** Another one for each process of a machine, so that they don't take each other's ports: 0 to 255. */
  readonly block?: number;
  /** Ports of the platform; without distribution gateways begin at access. */
  readonly distributionPort: number | undefined;
  readonly accessPort: number;
  readonly pluginCenterPort: number;
  /** Share (0 to 1) by which each heartbeat comes earlier or later. */
  readonly jitter: number;
  readonly timing?: Partial<RegistrationTiming>;
  readonly channel?: Partial<ChannelTiming>;
  readonly fetchPackages?: boolean;
  /** Share of installations that fail. */
  readonly failShare?: number;
}

/** What a fleet says of itself. */
export interface FleetReport {
  readonly tally: TallyData;
  readonly gateways: number;
  readonly registered: number;
  readonly channels: number;
  /** Heartbeats that wait for their answers. */
  readonly pending: number;
  /** Processor seconds that simulating took so far. */
  readonly cpuSeconds: number;
  readonly rssMiB: number;
}

const TICK_MS = 20;
/** A gateway asks at most this many others' connects to go on beside its own. */
const CONNECTS = 64;
/** How often a gateway that was put off on its channel comes again, and after how many milliseconds. */
const CONNECT_TRIES = 20;
const CONNECT_PAUSE_MS = 500;
/** A heartbeat that was not answered after this is lost. Short, so that on a shared socket what follows is not taken for its answer. */
const LOST_MS = 3000;
/** Each local address has 28,000 ports to give; so many lines share one. */
const LINES_PER_ADDRESS = 20_000;
/** The address of the first of them, against a platform on this machine. */
export const LINE_ADDRESS = "127.0.10.1";

/** Gateways of this process. */
export class SimulatedFleet {
  readonly gateways: SimulatedGateway[] = [];
  readonly tally = new Tally();
  readonly #lines: Line[] = [];
  readonly #stop = new AbortController();
  /** Heartbeats by the tick at which they are due. */
  readonly #due = new Map<number, SimulatedGateway[]>();
  #tick = Math.floor(performance.now() / TICK_MS);
  #timers: ReturnType<typeof setInterval>[] = [];
  #quiet = false;
  readonly #pauses = new Set<ReturnType<typeof setTimeout>>();
  #rebinding: ReturnType<typeof setInterval> | undefined;

  constructor(readonly settings: FleetSettings) {
    const { first, count, sockets, host, distributionPort, accessPort, failShare = 0 } = settings;
    const at = (port: number): Deno.NetAddr => ({ transport: "udp", hostname: host, port });
    const timing = { ...DEFAULT_TIMING, ...settings.timing };
    const world: World = {
      tally: this.tally,
      timing,
      channel: { idleMs: 0, heartbeatMs: 100_000, signInMs: 10_000, ...settings.channel },
      distribution: distributionPort === undefined ? undefined : at(distributionPort),
      access: at(accessPort),
      random: Math.random,
      schedule: (gateway, ms) => this.#schedule(gateway, ms),
      fetchPackages: settings.fetchPackages ?? false,
      fails: (n, no) => spread(n * 31 + no * 1_000_003) < failShare,
      stop: this.#stop.signal,
      pause: (ms) => this.#pause(ms),
    };
    const bySn = new Map<string, SimulatedGateway>();
    for (let i = 0; i < Math.min(count, sockets); i++) {
      const own = host === "127.0.0.1"
        ? `127.${settings.block ?? 0}.${10 + Math.floor(i / LINES_PER_ADDRESS)}.1`
        : "0.0.0.0";
      this.#lines.push(new Line(own, this.tally, (sn) => bySn.get(sn)));
    }
    for (let i = 0; i < count; i++) {
      const gateway = new SimulatedGateway(first + i, this.#lines[i % this.#lines.length]!, world);
      this.gateways.push(gateway);
      bySn.set(gateway.sn, gateway);
    }
    this.#timers.push(setInterval(() => this.#beatAll(), TICK_MS));
    this.#timers.push(setInterval(() => {
      const limit = performance.now() - LOST_MS;
      for (const line of this.#lines) line.giveUp(limit);
    }, 1000));
  }

  /** Has every gateway come up: the first at `at` (milliseconds since 1970), the last `overMs` later. */
  async arrive(at: number, overMs: number): Promise<void> {
    const { gateways } = this;
    let next = 0;
    while (next < gateways.length && !this.#stop.signal.aborted) {
      const since = Date.now() - at;
      const due = since < 0
        ? 0
        : overMs === 0
        ? gateways.length
        : Math.min(gateways.length, Math.ceil(since / overMs * gateways.length));
      while (next < due) void gateways[next++]!.comeUp();
      if (next < gateways.length) await new Promise((resolve) => setTimeout(resolve, since < -100 ? 50 : 5));
    }
  }

  /** Goes on where an earlier life of the fleet ended: heartbeats, the first within an interval. */
  resume(): void {
    for (const gateway of this.gateways) gateway.resume();
  }

  /** Opens the plug-in channels of its first `count` gateways and keeps them; resolves when all tried. */
  async openChannels(count: number): Promise<void> {
    const at = { hostname: this.settings.host, port: this.settings.pluginCenterPort };
    let next = 0;
    const one = async () => {
      while (next < count && !this.#stop.signal.aborted) {
        const gateway = this.gateways[next++]!;
        await gateway.openChannel(at);
        // Put off, since too many came: a platform that still wants it calls it again.
        for (
          let tries = 0;
          tries < CONNECT_TRIES && !gateway.onChannel && !this.#stop.signal.aborted;
          tries++
        ) {
          await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
          await gateway.openChannel(at);
        }
      }
    };
    await Promise.all(Array.from({ length: CONNECTS }, one));
  }

  /** From now on so many lines a minute move to another port; 0: none. */
  rebind(perMinute: number): void {
    clearInterval(this.#rebinding);
    if (perMinute <= 0) return;
    this.#rebinding = setInterval(
      () => this.#lines[Math.floor(Math.random() * this.#lines.length)]!.rebind(),
      60_000 / perMinute,
    );
  }

  /** Sends no more heartbeats, so that those under way can be told from those that were lost. */
  quiet(): void {
    this.#due.clear();
    this.#quiet = true;
  }

  report(): FleetReport {
    const { user, system } = process.cpuUsage();
    let registered = 0, channels = 0, pending = 0;
    for (const gateway of this.gateways) {
      if (gateway.registered) registered++;
      if (gateway.onChannel) channels++;
    }
    for (const line of this.#lines) pending += line.pending;
    return {
      tally: this.tally.toJSON(),
      gateways: this.gateways.length,
      registered,
      channels,
      pending,
      cpuSeconds: (user + system) / 1e6,
      rssMiB: Deno.memoryUsage().rss / 2 ** 20,
    };
  }

  stop(): void {
    this.#stop.abort();
    this.rebind(0);
    for (const timer of this.#timers) clearInterval(timer);
    for (const timer of this.#pauses) clearTimeout(timer);
    for (const gateway of this.gateways) gateway.closeChannel();
    for (const line of this.#lines) line.close();
  }

  /** A timer for each of those who wait, and no listener: of a hundred thousand at one signal each removal would go through all. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pauses.delete(timer);
        resolve();
      }, Math.max(0, ms));
      this.#pauses.add(timer);
    });
  }

  #schedule(gateway: SimulatedGateway, ms: number): void {
    if (this.#quiet) return;
    const { jitter } = this.settings, late = ms * (1 + jitter * (2 * Math.random() - 1));
    const tick = Math.max(this.#tick + 1, Math.floor((performance.now() + late) / TICK_MS));
    gateway.nextBeat = tick;
    const due = this.#due.get(tick);
    if (due) due.push(gateway);
    else this.#due.set(tick, [gateway]);
  }

  #beatAll(): void {
    const now = Math.floor(performance.now() / TICK_MS);
    while (this.#tick < now) {
      const due = this.#due.get(++this.#tick);
      if (!due) continue;
      this.#due.delete(this.#tick);
      for (const gateway of due) {
        if (gateway.nextBeat !== this.#tick) continue;
        const ms = gateway.beat();
        if (ms > 0) this.#schedule(gateway, ms);
      }
    }
  }
}

/** A number from 0 to less than 1 that looks like chance and is always the same for `n`. */
function spread(n: number): number {
  let x = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * A simulated gateway: registers, keeps its presence, follows triggers onto the plug-in channel, installs what it is
 * told to. It waits as the real one does (`src/gateway/registration/waits.ts`) and keeps a ledger of what it did, so
 * that what a platform says of it can be held against it.
 *
 * @module
 */
import { hex32 } from "../../src/protocol/smart_gateway/mod.ts";
import {
  type AccessReply,
  AccessResult,
  type ChannelDownRequest,
  type ChannelReply,
  checkSn,
  decodeCapabilityRequest,
  encodeAccessRequest,
  encodeCapabilityReply,
  encodeDistributionRequest,
  encodeHeartbeat,
  PluginResult,
  type RequestPlugin,
  triggerKey,
  userId,
} from "../../src/protocol/smart_gateway/mod.ts";
import type { RegistrationTiming } from "../../src/gateway/registration/timing.ts";
import { spreadWait, waitBetweenRounds } from "../../src/gateway/registration/waits.ts";
import { type ChannelGateway, type ChannelTiming, SimulatedChannel } from "./channel.ts";
import type { Answer, Line, LineGateway } from "./line.ts";
import type { Tally } from "./tally.ts";

/** Who a gateway is. */
export interface Identity {
  readonly mac: string;
  readonly sn: string;
  readonly loid: string;
}

/** The identity of gateway number `n`, from 0 to 16,777,215. */
export function identityOf(n: number): Identity {
  const tail = n.toString(16).toUpperCase().padStart(6, "0");
  return { mac: `64D954${tail}`, sn: `64D954-D6AEE64D954${tail}`, loid: `LOAD${n}` };
}

/** The random value of gateways whose registration lies in an earlier life. */
export const RESUMED_DEVRND = "0".repeat(32);

/** What simulated gateways have in common. */
export interface World {
  readonly tally: Tally;
  readonly timing: RegistrationTiming;
  readonly channel: ChannelTiming;
  /** Where gateways begin; undefined: they know their operations platform already. */
  readonly distribution: Deno.NetAddr | undefined;
  readonly access: Deno.NetAddr;
  /** From 0 to less than 1. */
  random(): number;
  /** Has a gateway's next heartbeat come `ms` from now. */
  schedule(gateway: SimulatedGateway, ms: number): void;
  /** Whether installations really fetch their package. */
  readonly fetchPackages: boolean;
  /** Whether installation `no` (from 1) of gateway `n` is to fail. */
  fails(n: number, no: number): boolean;
  readonly stop: AbortSignal;
  /** Waits; once the fleet stops, for ever. */
  pause(ms: number): Promise<void>;
}

/** What a gateway did, by its own word. */
export interface Ledger {
  /** Installations that it began, and how they ended. */
  begun: number;
  done: number;
  failed: number;
  /** Posts that it answered. */
  posts: number;
}

interface Installation {
  readonly name: string;
  readonly version: string;
  /** As Install_query answers: percent, or a result below 0. */
  progress: number;
}

/** How one try at registering went. */
type Outcome =
  | { readonly kind: "ok" }
  | { readonly kind: "failed"; readonly unanswered: boolean }
  | { readonly kind: "distribute" | "again" | "refused" };

/** One gateway. */
export class SimulatedGateway implements LineGateway, ChannelGateway {
  readonly mac: string;
  readonly sn: string;
  readonly loid: string;
  registered = false;
  /** The tick of its next heartbeat: one that was planned before it registered anew is none. */
  nextBeat = 0;
  /** What it has installed: name to version and whether it runs. */
  readonly plugins = new Map<string, { version: string; run: boolean }>();
  readonly ledger: Ledger = { begun: 0, done: 0, failed: 0, posts: 0 };
  #devRnd: string;
  #offered: string | undefined;
  #lost = 0;
  #comingUp = false;
  #beat: Uint8Array;
  #operations: Deno.NetAddr | undefined;
  #intervalMs: number;
  #channel: SimulatedChannel | undefined;
  #opening: Promise<void> | undefined;
  #installation: Installation | undefined;

  constructor(readonly n: number, private readonly line: Line, private readonly world: World) {
    const { mac, sn, loid } = identityOf(n);
    this.mac = mac;
    this.sn = sn;
    this.loid = loid;
    this.#devRnd = this.#newRandom();
    this.#beat = encodeHeartbeat(mac);
    this.#intervalMs = world.timing.heartbeatMs;
    if (!world.distribution) this.#operations = world.access;
  }

  /** The random value that it made its last key with: an app beside it would learn it. */
  get devRnd(): string {
    return this.#devRnd;
  }

  get onChannel(): boolean {
    return this.#channel !== undefined;
  }

  /** Registers, however long that takes. */
  async comeUp(): Promise<void> {
    if (this.#comingUp) return;
    this.#comingUp = true;
    this.registered = false;
    const { tally, timing, stop } = this.world, began = performance.now();
    try {
      for (let failed = 0; !stop.aborted;) {
        const outcome = this.#operations
          ? await this.#atAccess(this.#operations)
          : await this.#atDistribution();
        if (outcome.kind === "refused") return void tally.counts.refused++;
        if (outcome.kind === "distribute" && this.world.distribution) this.#operations = undefined;
        if (outcome.kind === "failed") {
          tally.counts.roundsFailed++;
          const { unanswered } = outcome, random = this.world.random();
          await this.world.pause(
            waitBetweenRounds(timing, this.#intervalMs, { failed: ++failed, unanswered, random }),
          );
        }
        if (outcome.kind === "ok" && this.registered) break;
      }
      if (!this.registered) return;
      tally.counts.registered++;
      tally.times.comeUp.add(performance.now() - began);
      this.#lost = 0;
      this.line.beat(
        encodeAccessRequest({ method: "Hb", mac: this.mac, flag: "1", ipAddr: "100.64.0.1" }),
        this.#operations!,
        this,
      );
      this.world.schedule(this, this.#intervalMs);
    } finally {
      this.#comingUp = false;
    }
  }

  /** Is registered already, since an earlier life. */
  resume(): void {
    this.#devRnd = RESUMED_DEVRND;
    this.#operations = this.world.access;
    this.registered = true;
    this.world.schedule(this, this.world.random() * this.#intervalMs);
  }

  /** Its heartbeat is due; tells in how many milliseconds the next one is, 0 where it is not registered. */
  beat(): number {
    if (!this.registered || !this.#operations) return 0;
    this.line.beat(this.#beat, this.#operations, this);
    return this.#intervalMs;
  }

  onAck(): void {
    this.#lost = 0;
  }

  onStranger(): void {
    if (this.world.distribution) this.#operations = undefined;
    void this.comeUp();
  }

  onLost(): void {
    if (++this.#lost < this.world.timing.lostHeartbeats || !this.registered) return;
    this.registered = false;
    if (this.world.distribution) this.#operations = undefined;
    void this.world.pause(spreadWait(this.#intervalMs, this.world.random())).then(() => this.comeUp());
  }

  onTrigger({ key, serverAddr, serverPort }: RequestPlugin): { reply: AccessReply; confirmed?: () => void } {
    if (key !== triggerKey(this.#devRnd, this.sn)) {
      this.world.tally.counts.forged++;
      return { reply: { result: -1 } };
    }
    if (this.#channel) return { reply: { result: -1, devRnd: this.#devRnd } };
    const devRnd = this.#offered ??= this.#newRandom();
    return {
      reply: { result: 0, devRnd },
      confirmed: () => {
        this.#devRnd = devRnd;
        this.#offered = undefined;
        void this.openChannel({ hostname: serverAddr, port: serverPort });
      },
    };
  }

  /** Goes onto the plug-in channel; resolves when it is there, or could not get there. */
  openChannel(at: { hostname: string; port: number }): Promise<void> {
    return this.#opening ??= this.#open(at).finally(() => this.#opening = undefined);
  }

  async #open(at: { hostname: string; port: number }): Promise<void> {
    const { tally, channel } = this.world;
    if (this.#channel) return;
    const began = performance.now();
    try {
      const opened = await SimulatedChannel.open(this, at, channel);
      this.#channel = opened;
      tally.counts.channels++;
      tally.times.channelOpen.add(performance.now() - began);
      void opened.ended.then(() => this.#channel === opened && (this.#channel = undefined));
    } catch {
      tally.counts.channelsLost++;
    }
  }

  closeChannel(): void {
    this.#channel?.close();
  }

  answer(request: ChannelDownRequest): Promise<Omit<ChannelReply, "id">> | Omit<ChannelReply, "id"> {
    switch (request.method) {
      case "Post": {
        this.ledger.posts++;
        this.world.tally.counts.posts++;
        const { cmdType, sequenceId, fields } = decodeCapabilityRequest(request.parameter);
        return {
          result: PluginResult.OK,
          returnParameter: encodeCapabilityReply({ cmdType, sequenceId, status: "0", fields }),
        };
      }
      case "Install":
        return this.#install(request);
      case "Install_query":
        return { result: this.#installation?.progress ?? PluginResult.ABSENT };
      case "Install_cancel":
        return { result: PluginResult.GENERAL };
      case "Run":
      case "Stop": {
        const plugin = this.plugins.get(request.pluginName);
        if (!plugin) return { result: PluginResult.ABSENT };
        plugin.run = request.method === "Run";
        return { result: PluginResult.OK };
      }
      case "UnInstall":
        return { result: this.plugins.delete(request.pluginName) ? PluginResult.OK : PluginResult.ABSENT };
      case "ListPlugin":
        return {
          result: PluginResult.OK,
          plugins: [...this.plugins].map(([pluginName, { version, run }]) => ({
            pluginName,
            version,
            run: run ? 1 : 0,
          })),
        };
      default:
        return { result: PluginResult.OK };
    }
  }

  #install(request: Extract<ChannelDownRequest, { method: "Install" }>): Omit<ChannelReply, "id"> {
    const { tally } = this.world, no = ++this.ledger.begun;
    tally.counts.installs++;
    const installation: Installation = { name: request.pluginName, version: request.version, progress: 0 };
    this.#installation = installation;
    void this.#carryOut(no, request).then((good) => {
      if (good) {
        this.plugins.set(installation.name, { version: installation.version, run: false });
        this.ledger.done++;
        installation.progress = 100;
      } else {
        this.ledger.failed++;
        tally.counts.installsFailed++;
        installation.progress = PluginResult.INSTALL_FAILED;
      }
    });
    return { result: PluginResult.OK };
  }

  async #carryOut(
    no: number,
    { downloadUrl, pluginSize, digest }: Extract<ChannelDownRequest, { method: "Install" }>,
  ): Promise<boolean> {
    const { tally, fetchPackages } = this.world;
    if (fetchPackages) {
      try {
        const response = await fetch(downloadUrl), bytes = new Uint8Array(await response.arrayBuffer());
        const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
        if (!response.ok || bytes.length !== pluginSize || digest !== `sha256:${sha256}`) {
          tally.counts.badDownloads++;
          return false;
        }
        tally.counts.downloads++;
      } catch {
        tally.counts.badDownloads++;
        return false;
      }
    }
    return !this.world.fails(this.n, no);
  }

  async #atDistribution(): Promise<Outcome> {
    const at = this.world.distribution!, { mac, sn } = this, { bootTries, registerTries } = this.world.timing;
    const boot = await this.#ask(
      "boot",
      encodeDistributionRequest({
        method: "BootFirst",
        vendor: "Simulated",
        model: "Load",
        firmwareVer: "1",
        hardwareVer: "1",
        mac,
        ipAddr: "100.64.0.1",
        platformId: "OTHER",
      }),
      at,
      bootTries,
    );
    const bad = this.#badOutcome(boot);
    if (bad) return bad;
    const answer = await this.#ask(
      "register",
      encodeDistributionRequest({
        method: "RegisterFirst",
        checkSn: checkSn(boot!.challengeCode ?? "", sn),
        mac,
      }),
      at,
      registerTries,
    );
    const worse = this.#badOutcome(answer);
    if (worse) return worse;
    if (answer!.serverAddr === undefined || answer!.serverPort === undefined) {
      return { kind: "failed", unanswered: false };
    }
    this.#operations = { transport: "udp", hostname: answer!.serverAddr, port: answer!.serverPort };
    return { kind: "ok" };
  }

  async #atAccess(at: Deno.NetAddr): Promise<Outcome> {
    const { mac, sn, loid } = this, { bootTries, registerTries } = this.world.timing;
    const boot = await this.#ask(
      "boot",
      encodeAccessRequest({
        method: "Boot",
        vendor: "Simulated",
        model: "Load",
        firmwareVer: "1",
        hardwareVer: "1",
        mac,
        devRnd: this.#devRnd,
        platformId: "OTHER",
        loid,
        card: "",
        ipAddr: "100.64.0.1",
        osVer: "1",
        appVer: "1",
      }),
      at,
      bootTries,
    );
    const bad = this.#badOutcome(boot);
    if (bad) return bad;
    const answer = await this.#ask(
      "register",
      encodeAccessRequest({
        method: "Register",
        mac,
        checkSn: checkSn(boot!.challengeCode ?? "", sn),
        userId: userId(sn, loid),
        pppoeName: "",
        flag: "0",
      }),
      at,
      registerTries,
    );
    const worse = this.#badOutcome(answer);
    if (worse) return worse;
    this.registered = answer!.result === AccessResult.VERIFIED;
    return this.registered ? { kind: "ok" } : { kind: "failed", unanswered: false };
  }

  /** Asks up to `tries` times, an interval apart. Takes the interval that the answer names. */
  async #ask(
    what: "boot" | "register",
    message: Uint8Array,
    to: Deno.NetAddr,
    tries: number,
  ): Promise<Answer | undefined> {
    const { timing, tally, stop } = this.world, spacing = this.#intervalMs;
    for (let attempt = 1; attempt <= tries && !stop.aborted; attempt++) {
      if (attempt > 1) {
        tally.counts.resent++;
        await this.world.pause(Math.max(0, spacing - timing.answerWaitMs));
      }
      const began = performance.now();
      const answer = await this.line.inTurn(() => this.line.ask(message, to, timing.answerWaitMs));
      if (answer) {
        tally.times[what].add(performance.now() - began);
        if (answer.interval) this.#intervalMs = answer.interval * 1000;
        return answer;
      }
      tally.counts.unanswered++;
    }
    return undefined;
  }

  #badOutcome(answer: Answer | undefined): Outcome | undefined {
    if (!answer) return { kind: "failed", unanswered: true };
    switch (answer.result) {
      case AccessResult.NEW_DEVICE:
      case AccessResult.REGISTER_AGAIN:
        return { kind: "distribute" };
      case AccessResult.REFUSED:
        return { kind: "refused" };
      case AccessResult.TIMEOUT:
        return { kind: "again" };
      default:
        if (answer.result >= 0) return undefined;
        if (answer.interval) this.world.tally.counts.deferred++;
        return { kind: "failed", unanswered: false };
    }
  }

  #newRandom(): string {
    return hex32(crypto.getRandomValues(new Uint8Array(16)));
  }
}

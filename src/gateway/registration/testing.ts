/**
 * A scripted platform in memory, for the tests of this folder.
 *
 * @module
 */
import { FakeClock, type HostPort, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { type DatagramSocket, MemoryNetwork } from "../../net/mod.ts";
import {
  type AccessMessage,
  type AccessReply,
  decodeAccessRequest,
  decodeDistributionRequest,
  type DistributionReply,
  type DistributionRequest,
  encodeAccessReply,
  encodeAccessRequest,
  encodeDistributionReply,
} from "../../protocol/smart_gateway/mod.ts";
import { identityOf } from "../identity.ts";
import { StateStore } from "../state/mod.ts";
import type { RegistrationState, RegistrationStatus } from "./status.ts";
import { Registration, type RegistrationOptions } from "./registration.ts";
import { DEFAULT_TIMING, type RegistrationTiming } from "./timing.ts";
import { type Trigger, Triggers } from "./triggers.ts";

export const MAC = "64D95420214B";
export const SN = "64D954-D6AEE64D95420214B";
export const CHALLENGE = "0123456789ABCDEF0123456789ABCDEF";
export const DISTRIBUTION: HostPort = { host: "10.0.0.1", port: 12112 };
export const OPERATIONS: HostPort = { host: "10.0.0.2", port: 12113 };

/** What was sent, when, and to whom. */
export interface Heard {
  readonly at: number;
  readonly to: string;
  readonly message: DistributionRequest | AccessMessage;
}

/** A gateway's registration with both platforms at its side. */
export class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork({ clock: this.clock, random: seededRandom(7) });
  readonly heard: Heard[] = [];
  readonly acted: Trigger[] = [];
  readonly metrics = new Metrics();
  /** States in the order in which they were entered. */
  readonly states: RegistrationState[] = [];
  connected = false;
  /** Told what a trigger asks for, once its handshake is through. */
  onAct: (trigger: Trigger) => void = () => {};
  ipAddr = "192.168.1.1";
  /** Answers of the platforms; undefined: silence. Tests replace them. */
  distribution: (message: DistributionRequest) => DistributionReply | undefined = (message) =>
    message.method === "BootFirst"
      ? { result: 0, challengeCode: CHALLENGE, interval: 60 }
      : { result: 2, serverAddr: OPERATIONS.host, serverPort: OPERATIONS.port };
  access: (message: AccessMessage, at: HostPort) => AccessReply | undefined = (message) => {
    if (message.method === "Boot") return { result: 0, challengeCode: CHALLENGE };
    if (message.method === "Register") return { result: 2, interval: 60 };
    return message.method === "Hb" ? { result: 0 } : undefined;
  };
  /** Where the gateway's datagrams come from. */
  gateway: HostPort | undefined;
  #written = 0;
  /** Whether the state is being written; asked again and again until it is not. */
  readonly #busy = (): boolean => {
    const { writes } = this.state;
    if (writes === this.#written) return false;
    const written = () => this.#written = writes;
    this.state.flushed().then(written, written);
    return true;
  };
  readonly #accessSockets = new Map<string, DatagramSocket>();

  private constructor(
    readonly state: StateStore,
    readonly timing: RegistrationTiming,
    readonly folder: string,
  ) {
    FakeClock.busy.add(this.#busy);
    this.network.names.set("189cube", DISTRIBUTION.host);
    this.addDistribution(DISTRIBUTION);
    this.addAccess(OPERATIONS);
  }

  static async open(timing: Partial<RegistrationTiming> = {}): Promise<Stage> {
    const folder = await Deno.makeTempDir();
    const state = await StateStore.open({ random: seededRandom(1), log: silentLog }, folder);
    return new Stage(state, { ...DEFAULT_TIMING, ...timing }, folder);
  }

  addDistribution(at: HostPort): void {
    const socket = this.network.datagram(at);
    socket.onDatagram((bytes, from) => {
      const message = decodeDistributionRequest(bytes);
      this.heard.push({ at: this.clock.monotonic(), to: `${at.host}:${at.port}`, message });
      const reply = this.distribution(message);
      if (reply) socket.send(encodeDistributionReply(reply), from);
    });
  }

  addAccess(at: HostPort): void {
    const socket = this.network.datagram(at);
    this.#accessSockets.set(at.host, socket);
    socket.onDatagram((bytes, from) => {
      this.gateway = from;
      const message = decodeAccessRequest(bytes);
      this.heard.push({ at: this.clock.monotonic(), to: `${at.host}:${at.port}`, message });
      const reply = this.access(message, at);
      if (reply) socket.send(encodeAccessReply(reply), from);
    });
  }

  /** The platform says something unasked. */
  say(message: Trigger | AccessReply, from: HostPort = OPERATIONS): void {
    const bytes = "method" in message ? encodeAccessRequest(message) : encodeAccessReply(message);
    this.sayBytes(bytes, from);
  }

  sayBytes(bytes: Uint8Array, from: HostPort = OPERATIONS): void {
    this.#accessSockets.get(from.host)!.send(bytes, this.gateway!);
  }

  #started: Parameters<Stage["start"]> = [];
  #running: { registration: Registration; triggers: Triggers } | undefined;

  start(
    mgt: HostPort | (() => HostPort) = { host: "189cube", port: 12112 },
    more: Partial<RegistrationOptions> = {},
  ): Registration {
    this.#started = [mgt, more];
    const options = {
      clock: this.clock,
      random: seededRandom(3),
      log: silentLog,
      network: this.network,
      metrics: this.metrics,
      state: this.state,
      timing: this.timing,
      identity: identityOf({ mac: MAC, sn: SN, loid: "L1", vendor: "V", model: "M" } as never, "Linux"),
      ipAddr: () => this.ipAddr,
      distribution: mgt,
    };
    const triggers: Triggers = new Triggers({
      ...options,
      sn: SN,
      send: (bytes, to) => registration.send(bytes, to),
      connected: () => this.connected,
      act: (trigger) => {
        this.acted.push(trigger);
        this.onAct(trigger);
        if (trigger.method === "RequestDistri") void registration.follow(trigger);
      },
    });
    const registration: Registration = new Registration({
      ...options,
      onTrigger: (message, from) => triggers.offer(message, from),
      onState: (state) => this.states.push(state),
      ...more,
    });
    this.#running = { registration, triggers };
    registration.start();
    return registration;
  }

  get status(): RegistrationStatus {
    return this.#running!.registration.status;
  }

  /** Stops the registration and starts it anew on the same state, as a restart of the agent does. */
  async restart(): Promise<void> {
    this.#running!.triggers[Symbol.dispose]();
    await this.#running!.registration[Symbol.asyncDispose]();
    this.start(...this.#started);
  }

  /** Methods heard so far, those of heartbeats with their flag. */
  methods(): string[] {
    return this.heard.map(({ message }) => message.method === "Hb" ? `Hb${message.flag}` : message.method);
  }

  /** Lets real file writes and all that follows from them happen, without moving time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) await this.clock.advance(0);
  }

  /** Moves time on: it stands while a file is being written. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    await this.clock.advance(ms);
    await this.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    FakeClock.busy.delete(this.#busy);
    this.#running?.triggers[Symbol.dispose]();
    await this.#running?.registration[Symbol.asyncDispose]();
    await this.state.flushed();
    await Deno.remove(this.folder, { recursive: true });
  }
}

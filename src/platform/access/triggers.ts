/**
 * Triggers: asking a gateway, over the UDP association that its heartbeats keep open, to connect or to move.
 *
 * The handshake (reference §3): we send RequestPlug-in or RequestDistri with a key made of the gateway's DevRND;
 * it answers with a new DevRND and repeats that; we keep the new one and say so; only then does it act.
 *
 * @module
 */
import { type Deps, formatHostPort, type HostPort, messageOf, sleep } from "../../base/mod.ts";
import {
  type AccessReply,
  type AccessRequest,
  AccessResult,
  encodeAccessReply,
  encodeAccessRequest,
  triggerKey,
} from "../../protocol/smart_gateway/mod.ts";
import { Challenges, type GatewayStore, type Presence, type PresenceTable } from "../registry/mod.ts";
import type { Trigger, TriggerOutcome } from "../subjects.ts";

/** How triggers are sent. */
export interface TriggerSettings {
  /** Where the plug-in centre is, as gateways know it. */
  readonly pluginCenter: HostPort;
  /** How often a trigger is sent, and how long each time is waited for an answer. */
  readonly attempts: number;
  readonly waitMs: number;
}

/** How long a repeated handshake answer is acknowledged again. */
const REMEMBER_MS = 60_000;

const TAKEN = encodeAccessReply({ result: AccessResult.DEVRND_TAKEN });

/** Sends triggers and takes their answers. */
export class Triggers {
  /** The one trigger that waits on an address: answers carry no name, only the address says whose they are. */
  readonly #waiting = new Map<string, (reply: AccessReply) => void>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #running = new Map<string, Promise<TriggerOutcome>>();
  /** New DevRNDs that were acknowledged, by address. */
  readonly #acknowledged: Challenges<string>;

  constructor(
    private readonly deps: Deps,
    private readonly gateways: GatewayStore,
    private readonly presence: PresenceTable,
    private readonly send: (bytes: Uint8Array, to: HostPort) => void,
    private readonly settings: TriggerSettings,
    /** Whether its heartbeats come to this node: no other socket gets through its NAT. */
    private readonly isOurs: (mac: string) => boolean = () => true,
  ) {
    this.#acknowledged = new Challenges(deps.clock, REMEMBER_MS);
  }

  /** Triggers a gateway. Asked twice for the same at once, it sends once. Never rejects for what a gateway does. */
  trigger(mac: string, trigger: Trigger): Promise<TriggerOutcome> {
    const id = JSON.stringify([mac, trigger]);
    let running = this.#running.get(id);
    if (!running) {
      running = this.#trigger(mac, trigger).finally(() => this.#running.delete(id));
      this.#running.set(id, running);
    }
    return running;
  }

  /** Takes an answer that came from `from`. */
  onReply(reply: AccessReply, from: HostPort): void {
    const address = formatHostPort(from);
    const waiting = this.#waiting.get(address);
    if (waiting) return waiting(reply);
    // The gateway missed our word that we took its DevRND: it repeats itself, and so do we.
    if (reply.devRnd !== undefined && this.#acknowledged.get(address) === reply.devRnd) {
      this.send(TAKEN, from);
    }
  }

  async #trigger(mac: string, trigger: Trigger): Promise<TriggerOutcome> {
    const entry = this.presence.get(mac);
    if (!entry?.online || !this.isOurs(mac)) return "offline";
    const keys = [entry.devRnd, entry.previousDevRnd].filter((devRnd) => devRnd !== undefined);
    for (const devRnd of keys) {
      const outcome = await this.#inTurn(
        entry,
        () => this.#exchange(entry, this.#message(entry, trigger, devRnd)),
      );
      if (outcome !== "refused") return outcome;
    }
    this.deps.log.warn("gateway refused every key: it has to register again", { mac });
    this.presence.forget(mac);
    return "refused";
  }

  /** Triggers to one address go one after the other. */
  #inTurn<T>(entry: Presence, work: () => Promise<T>): Promise<T> {
    const address = addressOf(entry);
    const turn = (this.#queues.get(address) ?? Promise.resolve()).then(work, work);
    this.#queues.set(address, turn);
    const clear = () => {
      if (this.#queues.get(address) === turn) this.#queues.delete(address);
    };
    turn.then(clear, clear);
    return turn;
  }

  async #exchange(entry: Presence, message: Uint8Array): Promise<TriggerOutcome> {
    for (let attempt = 0; attempt < this.settings.attempts; attempt++) {
      const to = { host: entry.hostname, port: entry.port }, address = formatHostPort(to);
      const { promise, resolve } = Promise.withResolvers<AccessReply>();
      this.#waiting.set(address, resolve);
      const patience = new AbortController();
      try {
        this.send(message, to);
        const reply = await Promise.race([
          promise,
          sleep(this.deps.clock, this.settings.waitMs, patience.signal).catch(() => {}),
        ]);
        if (reply) return await this.#conclude(entry, reply, to);
      } finally {
        patience.abort();
        this.#waiting.delete(address);
      }
    }
    return "unanswered";
  }

  async #conclude(entry: Presence, reply: AccessReply, to: HostPort): Promise<TriggerOutcome> {
    if (reply.result !== AccessResult.OK) {
      return reply.devRnd === undefined ? "refused" : "already_connected";
    }
    if (reply.devRnd === undefined) return "accepted"; // a gateway that keeps its DevRND
    if (reply.devRnd !== entry.devRnd) {
      try {
        await this.gateways.update(entry.mac, { dev_rnd: reply.devRnd, previous_dev_rnd: entry.devRnd });
      } catch (error) {
        // Unsaved it must not be acknowledged: the gateway keeps the old one, and so do we.
        this.deps.log.error("a new DevRND was not saved", { mac: entry.mac, error: messageOf(error) });
        return "unanswered";
      }
      entry.previousDevRnd = entry.devRnd;
      entry.devRnd = reply.devRnd;
    }
    this.#acknowledged.set(formatHostPort(to), reply.devRnd);
    this.send(TAKEN, to);
    return "accepted";
  }

  #message(entry: Presence, trigger: Trigger, devRnd: string): Uint8Array {
    const key = triggerKey(devRnd, entry.sn);
    const request: AccessRequest = trigger.kind === "plugin_center"
      ? {
        method: "RequestPlug-in",
        key,
        deviceSn: entry.sn,
        serverAddr: this.settings.pluginCenter.host,
        serverPort: this.settings.pluginCenter.port,
      }
      : {
        method: "RequestDistri",
        key,
        mode: String(trigger.mode),
        serverAddr: trigger.host,
        serverPort: trigger.port,
      };
    return encodeAccessRequest(request);
  }
}

function addressOf(entry: Presence): string {
  return formatHostPort({ host: entry.hostname, port: entry.port });
}

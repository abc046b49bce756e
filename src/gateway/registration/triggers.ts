/**
 * The platform's triggers, RequestPlug-in and RequestDistri, with the handshake that renews the DevRND: the gateway
 * answers with a new one, repeats that until the platform says it took it, and only then adopts it and acts
 * (reference §3).
 *
 * @module
 */
import {
  type Clock,
  type HostPort,
  type Log,
  messageOf,
  type Random,
  type Timer,
  TokenBucket,
} from "../../base/mod.ts";
import {
  type AccessMessage,
  type AccessReply,
  AccessResult,
  encodeAccessReply,
  equalDigest,
  hex32,
  type RequestDistri,
  type RequestPlugin,
  triggerKey,
} from "../../protocol/smart_gateway/mod.ts";
import type { StateStore } from "../state/mod.ts";
import type { RegistrationTiming } from "./timing.ts";

/** Something the platform wants the gateway to do. */
export type Trigger = RequestPlugin | RequestDistri;

/** What triggers work with. */
export interface TriggerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sn: string;
  readonly state: StateStore;
  readonly timing: RegistrationTiming;
  readonly send: (bytes: Uint8Array, to: HostPort) => void;
  /** Whether the plug-in channel is up, or being set up. */
  readonly connected: () => boolean;
  /** Does what a trigger asks for, once its handshake is through. */
  readonly act: (trigger: Trigger) => void;
}

interface Handshake {
  readonly trigger: Trigger;
  readonly from: HostPort;
  readonly devRnd: string;
  sends: number;
  timer: Timer | undefined;
}

/** Answers a second; a platform needs a few. */
const ANSWER_RATE = 10;
/** How long a completed trigger may still be echoed by the network. */
const ECHO_MS = 60_000;

/** At most one handshake at a time; a newer trigger takes the place of an older one. */
export class Triggers implements Disposable {
  readonly #options: TriggerOptions;
  readonly #answers: TokenBucket;
  #handshake: Handshake | undefined;
  /** A DevRND that was offered and never confirmed: the platform may have taken it all the same. */
  #offered: string | undefined;
  #completed: { trigger: Trigger; at: number } | undefined;

  constructor(options: TriggerOptions) {
    this.#options = options;
    this.#answers = new TokenBucket(options.clock, ANSWER_RATE, 2 * ANSWER_RATE);
  }

  /** Takes a message from the operations platform that answers no question of ours. */
  offer(message: AccessMessage, from: HostPort): void {
    if (message.method === "Reply") {
      if (message.result === AccessResult.DEVRND_TAKEN) this.#taken(from);
    } else if (message.method === "RequestPlug-in" || message.method === "RequestDistri") {
      if (this.#answers.take()) this.#request(message, from);
    }
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  #request(trigger: Trigger, from: HostPort): void {
    const { state, sn, clock, connected } = this.#options;
    if (!this.#isGenuine(trigger)) {
      const { at } = this.#completed ?? { at: -Infinity };
      // The network may deliver a trigger once more after its handshake: the platform has its answer already.
      if (clock.monotonic() - at < ECHO_MS && sameTrigger(trigger, this.#completed!.trigger)) return;
      this.#options.log.warn("trigger with a wrong key", { method: trigger.method, from: from.host });
      return this.#answer({ result: AccessResult.GENERAL }, from);
    }
    if (
      trigger.method === "RequestPlug-in" &&
      (connected() || (trigger.deviceSn !== "" && trigger.deviceSn !== sn))
    ) {
      return this.#answer(
        connected()
          ? { result: AccessResult.GENERAL, devRnd: state.get().devRnd }
          : { result: AccessResult.GENERAL },
        from,
      );
    }
    const running = this.#handshake;
    if (running && sameTrigger(running.trigger, trigger)) {
      return this.#answer({ result: AccessResult.OK, devRnd: running.devRnd }, from);
    }
    // The offer of a handshake that is broken off stands: the platform may have taken it a moment ago.
    const devRnd = running?.devRnd ?? hex32(this.#options.random.bytes(16));
    this.#end();
    this.#offered = devRnd;
    this.#handshake = { trigger, from, devRnd, sends: 0, timer: undefined };
    this.#offerDevRnd(this.#handshake);
  }

  /** A key made with the DevRND on offer shows that the platform took it, even if its word was lost. */
  #isGenuine({ key }: Trigger): boolean {
    const { state, sn, log } = this.#options;
    if (equalDigest(key, triggerKey(state.get().devRnd, sn))) return true;
    if (this.#offered === undefined || !equalDigest(key, triggerKey(this.#offered, sn))) return false;
    log.info("the platform uses the DevRND on offer: adopted");
    this.#end();
    void this.#adopt(this.#offered);
    return true;
  }

  #offerDevRnd(handshake: Handshake): void {
    const { clock, timing, log } = this.#options;
    if (handshake.sends++ >= timing.triggerSends) {
      log.warn("the platform did not confirm the new DevRND", { method: handshake.trigger.method });
      return this.#end();
    }
    this.#answer({ result: AccessResult.OK, devRnd: handshake.devRnd }, handshake.from);
    handshake.timer = clock.setTimer(() => this.#offerDevRnd(handshake), timing.triggerResendMs);
  }

  #taken(from: HostPort): void {
    const handshake = this.#handshake;
    if (!handshake || handshake.from.host !== from.host || handshake.from.port !== from.port) return;
    this.#end();
    this.#completed = { trigger: handshake.trigger, at: this.#options.clock.monotonic() };
    this.#adopt(handshake.devRnd).then(() => this.#options.act(handshake.trigger));
  }

  async #adopt(devRnd: string): Promise<void> {
    this.#offered = undefined;
    try {
      await this.#options.state.update({ devRnd });
    } catch (error) {
      this.#options.log.error("the new DevRND could not be kept", { reason: messageOf(error) });
    }
  }

  #answer(reply: AccessReply, to: HostPort): void {
    this.#options.send(encodeAccessReply(reply), to);
  }

  #end(): void {
    this.#handshake?.timer?.cancel();
    this.#handshake = undefined;
  }
}

function sameTrigger(a: Trigger, b: Trigger): boolean {
  return a.method === b.method && equalDigest(a.key, b.key) && a.serverAddr === b.serverAddr &&
    a.serverPort === b.serverPort;
}

/**
 * What a gateway may do in its life, as the reference says it (§2 to §4, §10), held against what one did: every message
 * and every change of state. Written from the reference and not from the code that it checks.
 *
 * @module
 */
import type { HostPort } from "../../src/base/mod.ts";
import { formatHostPort } from "../../src/base/mod.ts";
import type { DatagramHandler, DatagramSocket, Network } from "../../src/net/mod.ts";
import type { RegistrationState } from "../../src/gateway/registration/mod.ts";
import {
  type AccessMessage,
  checkSn,
  decodeAccessRequest,
  decodeDistributionReply,
  decodeDistributionRequest,
  type DistributionReply,
  type DistributionRequest,
  ProtocolError,
  userId,
} from "../../src/protocol/smart_gateway/mod.ts";

/** What happened, in order. Moments are milliseconds that never jump. */
export type LifeEvent =
  | { readonly at: number; readonly kind: "sent"; readonly to: string; readonly message: Sent }
  | {
    readonly at: number;
    readonly kind: "received";
    readonly from: string;
    readonly answer: Answer | undefined;
  }
  | {
    readonly at: number;
    readonly kind: "state";
    readonly state: RegistrationState;
    readonly before: RegistrationState;
  }
  /** Something outside of the gateway, that excuses what would be wrong otherwise. */
  | { readonly at: number; readonly kind: "note"; readonly what: "gap" | "address" | "start" | "order" };

type Sent = DistributionRequest | AccessMessage;
type Answer = Partial<DistributionReply> & { readonly result: number; readonly trigger?: true };

/** A network that writes down what goes over its datagram sockets. */
export function recorded(network: Network, now: () => number, events: LifeEvent[]): Network {
  const record = (socket: DatagramSocket): DatagramSocket => {
    const send = socket.send.bind(socket), listen = socket.onDatagram.bind(socket);
    return Object.assign(socket, {
      send(bytes: Uint8Array, to: HostPort) {
        events.push({ at: now(), kind: "sent", to: formatHostPort(to), message: sentOf(bytes) });
        return send(bytes, to);
      },
      onDatagram(handler: DatagramHandler) {
        listen((bytes, from) => {
          events.push({ at: now(), kind: "received", from: formatHostPort(from), answer: answerOf(bytes) });
          handler(bytes, from);
        });
      },
    });
  };
  return {
    listen: (address) => network.listen(address),
    connect: (to, options) => network.connect(to, options),
    lookup: (host, options) => network.lookup(host, options),
    datagram: (address, options) => record(network.datagram(address, options)),
    datagramOnThread: async (address, options) => record(await network.datagramOnThread(address, options)),
  };
}

function sentOf(bytes: Uint8Array): Sent {
  const text = new TextDecoder().decode(bytes);
  return /"(BootFirst|RegisterFirst)"/.test(text)
    ? decodeDistributionRequest(bytes)
    : decodeAccessRequest(bytes);
}

function answerOf(bytes: Uint8Array): Answer | undefined {
  if (/"RPCMethod"/.test(new TextDecoder().decode(bytes))) return { result: NaN, trigger: true };
  try {
    return decodeDistributionReply(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** From each state, the ones that may follow. */
const FOLLOWS: Readonly<Record<RegistrationState, readonly RegistrationState[]>> = {
  resolving: ["distribution", "registering", "waiting", "registered", "stopped"],
  distribution: ["registering", "waiting", "silent", "resolving", "stopped"],
  registering: ["registered", "waiting", "silent", "distribution", "resolving", "stopped"],
  registered: ["registering", "waiting", "silent", "distribution", "resolving", "stopped"],
  waiting: ["distribution", "registering", "resolving", "stopped"],
  silent: ["distribution", "registering", "resolving", "stopped"],
  stopped: [],
};

/** Who the gateway is. */
export interface LifeIdentity {
  readonly sn: string;
  readonly loid: string;
  readonly mac: string;
}

const DEFAULT_INTERVAL_MS = 60_000;
/** How long a gateway may repeat its offer of a new DevRND: about every five seconds, as often as it likes to. */
const OFFERS_MS = 30_000;
const SILENCE_MS = 9_000_000, LOST = 3, ANSWER_WAIT_MS = 10_000;
const TRIES: Readonly<Record<string, number>> = { BootFirst: 2, Boot: 2, RegisterFirst: 4, Register: 4 };

/** Everything in a life that the reference does not allow; each with its moment. */
export function faultsOf(
  events: readonly LifeEvent[],
  { sn, loid, mac }: LifeIdentity,
): string[] {
  const faults: string[] = [];
  const say = (at: number, what: string) => faults.push(`${(at / 1000).toFixed(3)} s: ${what}`);
  let silentUntil = -Infinity, excused = true, firsts: number[] = [];
  let last: { method: string; at: number; to: string; times: number; key: string } | undefined;
  let unanswered = 0, welcomed = false, heartbeatAnswered = false;
  const challenges = new Map<string, string>();
  let refusal = -Infinity, trigger = -Infinity, interval = DEFAULT_INTERVAL_MS;
  for (const event of events) {
    const { at } = event;
    if (event.kind === "note") {
      if (event.what === "order" || event.what === "start") silentUntil = -Infinity;
      if (event.what === "start") [unanswered, welcomed] = [0, false];
      excused = true;
    } else if (event.kind === "state") {
      const { state, before } = event;
      if (!FOLLOWS[before].includes(state)) say(at, `"${before}" went to "${state}"`);
      if (state === "silent") {
        if (at - refusal > 1) say(at, "silent without a refusal");
        silentUntil = at + SILENCE_MS;
      }
      if (state === "registered" && !welcomed) {
        say(at, "registered without a Register that was answered by 2");
      }
      if (state !== "registered" && before === "registered") welcomed = false;
    } else if (event.kind === "received") {
      const { answer, from } = event;
      if (answer?.trigger) trigger = at;
      if (!answer || answer.trigger || !last || from !== last.to) continue;
      if (answer.interval) interval = 1000 * answer.interval;
      if (answer.result === -2) refusal = at;
      if (answer.challengeCode !== undefined) challenges.set(from, answer.challengeCode);
      if (last.method === "Register" && answer.result === 2) [welcomed, heartbeatAnswered] = [true, false];
      if (
        last.method === "Hb" && (answer.result === 0 || answer.result > 2) &&
        answer.challengeCode === undefined
      ) {
        [unanswered, heartbeatAnswered] = [0, true];
      }
      excused = true; // an answer ends the question: what follows is another one
    } else {
      const { message, to } = event, { method } = message;
      if (method === "Reply") {
        if (at - trigger > OFFERS_MS) say(at, "an answer to no trigger");
        if (message.result !== 0 && message.result !== -1) say(at, `a trigger answered by ${message.result}`);
        continue;
      }
      if (at < silentUntil) say(at, `${method} within the silence`);
      if (method in TRIES || method === "Hb") {
        if ("mac" in message && message.mac !== mac) say(at, `${method} with another MAC`);
      } else say(at, `${method} is nothing that a gateway sends`);
      if (method === "BootFirst" || method === "RegisterFirst") {
        firsts = [...firsts.filter((each) => at - each < 1000), at];
        if (firsts.length > 3) say(at, "more than three packets a second to distribution");
      }
      if (method === "RegisterFirst" || method === "Register") {
        const challenge = challenges.get(to);
        if (challenge === undefined) say(at, `${method} without a challenge`);
        else if (message.checkSn !== checkSn(challenge, sn)) say(at, `${method} with a wrong CheckSN`);
      }
      if (method === "Register" && message.userId !== userId(sn, loid)) {
        say(at, "Register with a wrong UserID");
      }
      if (method === "Hb") {
        if (!welcomed) say(at, "a heartbeat of a gateway that is not registered");
        if (message.flag === "0" && !heartbeatAnswered) say(at, "flag 0 before any heartbeat was answered");
        if (++unanswered > LOST) say(at, "a heartbeat after three in a row without an answer");
      } else {
        if (method === "Boot" && unanswered >= LOST && last?.method === "Hb" && !excused) {
          say(at, "Boot after lost heartbeats, which send it to distribution");
        }
        unanswered = 0;
      }
      const key = JSON.stringify(message);
      if (last && last.method === method && last.to === to && !excused) {
        if (at - last.at < Math.max(interval, ANSWER_WAIT_MS) - 1) {
          say(at, `${method} again after ${at - last.at} ms without an answer`);
        }
        if (last.key === key && last.times >= (TRIES[method] ?? LOST)) {
          // A round has so many; the next round begins after a wait.
          if (at - last.at < interval - 1) say(at, `${method} for the ${last.times + 1}th time`);
        }
      }
      const repeats = last?.method === method && last.to === to && last.key === key && !excused;
      last = { method, at, to, key, times: repeats ? last!.times + 1 : 1 };
      excused = false;
    }
  }
  return faults;
}

/** How often each message was sent, and each state entered. */
export function tallyOf(events: readonly LifeEvent[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const event of events) {
    const name = event.kind === "sent"
      ? `sent ${event.message.method === "Hb" ? `Hb FLAG ${event.message.flag}` : event.message.method}`
      : event.kind === "state"
      ? `state ${event.state}`
      : undefined;
    if (name) tally[name] = (tally[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(tally).sort());
}

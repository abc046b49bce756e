/**
 * Three days in the life of a gateway, in fake time, with everything that homes and carriers do to it; the reference is
 * held against every message and every change of state.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Metrics, seededRandom, silentLog } from "../src/base/mod.ts";
import { Channel, DEFAULT_CHANNEL_TIMING } from "../src/gateway/channel/mod.ts";
import { identityOf } from "../src/gateway/identity.ts";
import { CHALLENGE, DISTRIBUTION, MAC, OPERATIONS, SN, Stage } from "../src/gateway/registration/testing.ts";
import { FramedServer } from "../src/net/mod.ts";
import {
  type AccessMessage,
  type AccessReply,
  type ChannelMessage,
  decodeChannelMessage,
  encodeChannelReply,
  encodeChannelRequest,
  triggerKey,
} from "../src/protocol/smart_gateway/mod.ts";
import { faultsOf, type LifeEvent, recorded, tallyOf } from "./support/life.ts";
import { FRAMING } from "./support/scripted_platform.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE;
const OTHER_OPERATIONS = { host: "10.0.0.3", port: 12113 },
  OTHER_DISTRIBUTION = { host: "10.0.0.8", port: 12112 };
const CENTER = { host: "10.0.0.4", port: 12114 };

/** A gateway, its platforms, and what happens between them. */
class Life implements AsyncDisposable {
  readonly events: LifeEvent[] = [];
  readonly channelHeard: { at: number; message: ChannelMessage }[] = [];
  readonly states = new Set<string>();
  readonly #center: FramedServer;
  readonly #plain: Stage["access"];
  readonly #plainDistribution: Stage["distribution"];
  readonly #stream = seededRandom(99);
  channelAnswers = true;
  channel: Channel;

  private constructor(readonly stage: Stage) {
    const { clock, network } = stage;
    this.#plain = stage.access;
    this.#plainDistribution = stage.distribution;
    for (const at of [OTHER_OPERATIONS]) stage.addAccess(at);
    stage.addDistribution(OTHER_DISTRIBUTION);
    this.#center = new FramedServer(network.listen(CENTER), {
      framing: FRAMING,
      clock,
      log: silentLog,
      limits: { idleMs: 0 },
      onConnection: () => (frame, connection) => {
        const message = decodeChannelMessage(frame);
        this.channelHeard.push({ at: clock.monotonic(), message });
        if (!this.channelAnswers || message.method === "Reply") return;
        connection.send(encodeChannelReply(
          message.method === "Boot" ? { result: 0, challengeCode: CHALLENGE } : { result: 0 },
        ));
      },
    });
    this.channel = new Channel({
      clock,
      network,
      log: silentLog,
      metrics: new Metrics(),
      identity: identityOf({ mac: MAC, sn: SN, loid: "L1", vendor: "V", model: "M" } as never, "Linux"),
      timing: DEFAULT_CHANNEL_TIMING,
      ipAddr: () => stage.ipAddr,
      handle: () => Promise.resolve({ result: 0 }),
    });
    Object.defineProperty(stage, "connected", { get: () => this.channel.connected });
    stage.onAct = (trigger) => {
      this.note("order");
      if (trigger.method === "RequestPlug-in") {
        this.channel.open({ host: trigger.serverAddr, port: trigger.serverPort });
      }
    };
  }

  static async begin(): Promise<Life> {
    const life = new Life(await Stage.open()), { stage } = life, now = () => stage.clock.monotonic();
    stage.network.names.clear();
    life.note("start");
    stage.start(undefined, {
      network: recorded(stage.network, now, life.events),
      onState: (state, before) => {
        life.states.add(state);
        life.events.push({ at: now(), kind: "state", state, before });
      },
    });
    return life;
  }

  /** The connections at the plug-in centre. */
  get center() {
    return this.#center.connections;
  }

  get hours(): number {
    return this.stage.clock.monotonic() / HOUR;
  }

  note(what: Extract<LifeEvent, { kind: "note" }>["what"]): void {
    this.events.push({ at: this.stage.clock.monotonic(), kind: "note", what });
  }

  /** Lives on until the hour. */
  async until(hours: number): Promise<void> {
    await this.stage.advance(Math.max(0, hours * HOUR - this.stage.clock.monotonic()));
  }

  /** Waits until a minute from now. */
  minutes(count: number): Promise<void> {
    return this.until(this.hours + count / 60);
  }

  /** All answers are as they should be again. */
  heal(): void {
    this.stage.access = this.#plain;
    this.stage.distribution = this.#plainDistribution;
    Object.assign(this.stage.network.conditions, { loss: 0, duplicates: 0, delayMs: [0, 0] });
    this.stage.network.heal();
    this.stage.network.names.set("189cube", DISTRIBUTION.host);
  }

  silence(): void {
    this.stage.access = () => undefined;
    this.stage.distribution = () => undefined;
  }

  /** The next message of a method is answered so; all others as ever. */
  once(method: AccessMessage["method"], reply: AccessReply): void {
    let done = false;
    const plain = this.stage.access;
    this.stage.access = (message, at) => {
      if (done || message.method !== method) return plain(message, at);
      done = true;
      return reply;
    };
  }

  /** A trigger with its handshake. */
  async trigger(method: "RequestPlug-in" | "RequestDistri", to: { host: string; port: number }, mode = "1") {
    const { stage } = this, at = stage.state.get().operations!;
    const key = triggerKey(stage.state.get().devRnd, SN), { host: serverAddr, port: serverPort } = to;
    stage.say(
      method === "RequestPlug-in"
        ? { method, key, deviceSn: SN, serverAddr, serverPort }
        : { method, key, mode, serverAddr, serverPort },
      at,
    );
    await stage.settle();
    stage.say({ result: 1 }, at);
    await stage.settle();
  }

  address(ip: string): void {
    this.note("address");
    this.stage.ipAddr = ip;
  }

  jump(ms: number): void {
    this.note("gap");
    this.stage.clock.jump(ms);
  }

  async restart(): Promise<void> {
    await this.stage.settle();
    this.note("start");
    await this.stage.restart();
  }

  expect(state: string): void {
    assertEquals(this.stage.status.state, state, `at hour ${this.hours.toFixed(2)}`);
  }

  /** One of the faults by chance. */
  async chance(): Promise<void> {
    const pick = Math.floor(this.#stream.float() * 10), { stage } = this;
    if (pick === 0) this.silence();
    else if (pick === 1) this.address(`192.168.1.${2 + Math.floor(this.#stream.float() * 200)}`);
    else if (pick === 2) this.once("Hb", { result: -3 });
    else if (pick === 3) this.once("Hb", { result: -1 });
    else if (pick === 4) this.once("Hb", { result: -4 });
    else if (pick === 5) {
      Object.assign(stage.network.conditions, { loss: 0.5, duplicates: 0.2, delayMs: [1, 900] });
    } else if (pick === 6) await this.restart();
    else if (pick === 7) this.jump((this.#stream.float() - 0.3) * 10 * HOUR);
    else if (pick === 8) this.once("Hb", { result: 3 });
    else stage.network.names.clear();
    await this.minutes(3 + this.#stream.float() * 20);
    this.heal();
    await this.minutes(15 + this.#stream.float() * 20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.stage;
    const ending = Promise.all([this.channel[Symbol.asyncDispose](), this.#center.stop()]);
    await clock.advance(10_000);
    await ending;
    await this.stage[Symbol.asyncDispose]();
  }
}

Deno.test("three days with every fault: no message and no change of state is outside the reference", async () => {
  await using life = await Life.begin();
  const { stage } = life;
  await life.minutes(5); // no name service yet
  life.expect("resolving");
  life.heal();
  await life.minutes(2);
  life.expect("registered");

  await life.until(2); // two heartbeats are lost, and forgiven
  life.silence();
  await life.minutes(2.1);
  life.heal();
  await life.minutes(5);
  assertEquals(stage.status.counts.registrations, 1);

  await life.until(3); // ten minutes of silence
  life.silence();
  await life.minutes(10);
  life.heal();
  await life.minutes(5);
  life.expect("registered");

  await life.until(4);
  life.address("192.168.1.77");
  await life.minutes(1);
  life.expect("registered");

  for (const result of [-3, -1, -4, 3]) {
    life.once("Hb", { result });
    await life.minutes(10);
    life.expect("registered");
  }

  life.once("Hb", { result: -3 }); // no name service when it is needed
  stage.network.names.clear();
  await life.minutes(10);
  life.expect("resolving");
  life.heal();
  await life.minutes(2);
  life.expect("registered");

  await life.until(6); // a channel that the platform ends, one that falls silent, one that is not there
  await life.trigger("RequestPlug-in", CENTER);
  await life.minutes(30);
  assertEquals(life.channel.status.state, "open");
  const serving = encodeChannelRequest({ method: "Disconnect", id: 1 });
  life.center.forEach((connection) => connection.send(serving));
  await life.minutes(1);
  assertEquals(life.channel.status.state, "closed");
  await life.trigger("RequestPlug-in", CENTER);
  await life.minutes(10);
  life.channelAnswers = false;
  await life.minutes(5);
  assertEquals(life.channel.status.lastEnd, "heartbeats were not answered");
  life.channelAnswers = true;
  await life.trigger("RequestPlug-in", { host: "10.0.0.66", port: 1 });
  await life.minutes(5);
  assertEquals(life.channel.status.state, "closed");

  await life.until(9); // sent from platform to platform
  life.once("Hb", { result: -5, serverIp: "10.0.0.3:12113" });
  await life.minutes(10);
  assertEquals(stage.state.get().operations, OTHER_OPERATIONS);
  await life.trigger("RequestDistri", OPERATIONS);
  await life.minutes(10);
  assertEquals(stage.state.get().operations, OPERATIONS);
  await life.trigger("RequestDistri", OTHER_DISTRIBUTION, "0");
  await life.minutes(10);
  assertEquals(stage.state.get().distribution, OTHER_DISTRIBUTION);
  await life.trigger("RequestDistri", { host: "10.0.0.66", port: 1 });
  await life.until(12); // nobody is there: back through distribution
  life.expect("registered");

  life.once("Hb", { result: 0, interval: 30 });
  await life.until(13);
  life.once("Hb", { result: 0, interval: 60 });
  await life.until(14); // clocks that jump, a suspension
  for (const jump of [2 * HOUR, -HOUR, 6 * HOUR]) {
    life.jump(jump);
    await life.minutes(20);
    life.expect("registered");
  }

  life.once("Hb", { result: -2 });
  await life.minutes(2);
  life.expect("silent");
  await life.until(18.5);
  life.expect("registered");

  await life.until(20); // six hours without any platform, a new address in the middle
  life.silence();
  await life.until(23);
  life.address("192.168.1.78");
  await life.until(26);
  life.heal();
  await life.until(26.5);
  life.expect("registered");

  await life.until(27);
  await life.restart();
  await life.minutes(1);
  life.expect("registered");

  Object.assign(stage.network.conditions, { loss: 0.3, duplicates: 0.2, delayMs: [1, 2_500] });
  await life.until(31);
  life.heal();
  await life.until(31.5);
  life.expect("registered");

  stage.access = (_, at) => {
    for (const bytes of ["{", "[]", '{"Result":"none"}', '{"RPCMethod":"Hb"}', "\u0000"]) {
      stage.sayBytes(new TextEncoder().encode(bytes), at);
    }
    return undefined;
  };
  await life.until(32.5);
  life.heal();
  await life.until(33.5);
  life.expect("registered");
  for (let i = 0; i < 500; i++) {
    stage.say({
      method: "RequestPlug-in",
      key: "0".repeat(32),
      deviceSn: SN,
      serverAddr: "x",
      serverPort: i + 1,
    });
  }

  await life.until(34); // a platform that no longer knows the gateway, then distribution that does not either
  life.once("Hb", { result: -3 });
  stage.distribution = () => ({ result: -2 });
  await life.minutes(5);
  life.expect("silent");
  life.heal();
  await life.until(37);
  life.expect("registered");

  while (life.hours < 71) await life.chance(); // a day and a half of whatever comes
  life.heal();
  // What a late fault began may last: a silence, or a pause of ten intervals.
  await life.until(72.5);
  life.expect("registered");

  assertEquals(faultsOf(life.events, { sn: SN, loid: "L1", mac: MAC }), []);
  assertEquals(channelFaults(life.channelHeard), []);
  const tally = tallyOf(life.events);
  for (const name of ["BootFirst", "RegisterFirst", "Boot", "Register", "Hb FLAG 1", "Hb FLAG 0", "Reply"]) {
    assert(tally[`sent ${name}`]! > 0, `${name} was never sent`);
  }
  for (const state of ["resolving", "distribution", "registering", "registered", "waiting", "silent"]) {
    assert(tally[`state ${state}`]! > 0, `never ${state}`);
  }
  // deno-lint-ignore no-console -- asked for by whoever writes the documents
  if (Deno.env.has("GATEHOUSE_LIFE_TALLY")) console.log(tally, life.channelHeard.length, stage.state.writes);
});

/** The plug-in channel's rules (reference §4). */
function channelFaults(heard: readonly { at: number; message: ChannelMessage }[]): string[] {
  const faults: string[] = [];
  let before: { at: number; method: string } | undefined;
  for (const { at, message: { method } } of heard) {
    if (method === "Reply") continue;
    const after = before?.method;
    if (method === "Register" && after !== "Boot") faults.push(`${at}: Register after ${after}`);
    if (method === "Heartbeat") {
      if (after !== "Register" && after !== "Heartbeat") faults.push(`${at}: Heartbeat after ${after}`);
      const gap = at - before!.at;
      // Every 100 s; again after 10 s without an answer.
      if (gap !== 100_000 && gap !== 10_000) faults.push(`${at}: Heartbeat after ${gap} ms`);
    }
    if (!["Boot", "Register", "Heartbeat"].includes(method)) faults.push(`${at}: ${method}`);
    before = { at, method };
  }
  return faults;
}

Deno.test("the checker finds what is wrong", async () => {
  await using life = await Life.begin();
  life.heal();
  await life.minutes(20);
  const me = { sn: SN, loid: "L1", mac: MAC }, { events } = life;
  assertEquals(faultsOf(events, me), []);
  const sent = (method: string) => events.findIndex((e) => e.kind === "sent" && e.message.method === method);
  const wrong: readonly [string, LifeEvent[], string][] = [
    ["no Boot", events.filter((_, i) => i !== sent("Boot")), "without a challenge"],
    ["another SN", events, "wrong CheckSN"],
    ["no answers", events.filter(({ kind }) => kind !== "received"), "without a challenge"],
    [
      "twice at once",
      events.flatMap((e, i) => i === sent("BootFirst") ? [e, e, e, e] : [e]),
      "more than three packets",
    ],
    [
      "a strange turn",
      [...events, { at: 2e6, kind: "state", state: "registered", before: "waiting" }],
      "went to",
    ],
    [
      "a silence",
      [...events, { at: 2e6, kind: "state", state: "silent", before: "registered" }],
      "without a refusal",
    ],
    ["an unasked answer", [...events, {
      at: 2e6,
      kind: "sent",
      to: "10.0.0.2:12113",
      message: { method: "Reply", result: 0 },
    }], "no trigger"],
  ];
  for (const [what, changed, fault] of wrong) {
    const found = faultsOf(changed, what === "another SN" ? { ...me, sn: "64D954-X" } : me);
    assert(found.some((each) => each.includes(fault)), `${what}: ${found.slice(0, 3)}`);
  }
});

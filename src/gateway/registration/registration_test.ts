import { assert, assertEquals } from "@std/assert";
import type { AccessReply } from "../../protocol/smart_gateway/mod.ts";
import { checkSn, userId } from "../../protocol/smart_gateway/mod.ts";
import { CHALLENGE, DISTRIBUTION, MAC, OPERATIONS, SN, Stage } from "./testing.ts";

/** Times between those heard messages that `methods` names. */
function gaps(stage: Stage, ...methods: string[]): number[] {
  const times = stage.heard.filter(({ message }) => methods.includes(message.method)).map(({ at }) => at);
  return times.slice(1).map((at, i) => at - times[i]!);
}

Deno.test("a first registration goes through distribution, and every digest is right", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.settle();
  assertEquals(stage.methods(), ["BootFirst", "RegisterFirst", "Boot", "Register", "Hb1"]);
  const [, registerFirst, boot, register, heartbeat] = stage.heard.map(({ message }) => message);
  assertEquals(registerFirst, { method: "RegisterFirst", checkSn: checkSn(CHALLENGE, SN), mac: MAC });
  assert(boot?.method === "Boot" && boot.devRnd === stage.state.get().devRnd && boot.loid === "L1");
  assertEquals(register, {
    method: "Register",
    mac: MAC,
    checkSn: checkSn(CHALLENGE, SN),
    userId: userId(SN, "L1"),
    pppoeName: "",
    flag: "0",
  });
  assertEquals(heartbeat, { method: "Hb", mac: MAC, flag: "1", ipAddr: "192.168.1.1" });
  assertEquals(stage.heard.at(-1)!.at, 0, "nothing waits on the way");
  assertEquals(stage.status.state, "registered");
  assertEquals(stage.state.get().operations, OPERATIONS);
});

Deno.test("a gateway that knows its operations platform skips distribution", async () => {
  await using stage = await Stage.open();
  await stage.state.update({ operations: OPERATIONS });
  stage.start();
  await stage.settle();
  assertEquals(stage.methods(), ["Boot", "Register", "Hb1"]);
});

Deno.test("heartbeats come every interval, flag 1 once and then flag 0", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.advance(180_000);
  assertEquals(stage.methods().slice(4), ["Hb1", "Hb0", "Hb0", "Hb0"]);
  assertEquals(gaps(stage, "Hb"), [60_000, 60_000, 60_000]);
});

Deno.test("a new interval is taken at once, kept, and held within its bounds", async () => {
  await using stage = await Stage.open();
  stage.start();
  const plain = stage.access;
  stage.access = (message, at) => message.method === "Hb" ? { result: 0, interval: 20 } : plain(message, at);
  await stage.advance(40_000);
  assertEquals(gaps(stage, "Hb"), [20_000, 20_000]);
  assertEquals(stage.state.get().intervalSeconds, 20);
  stage.access = () => ({ result: 0, interval: 31_536_000 });
  await stage.advance(20_000);
  assertEquals(stage.status.intervalSeconds, 86_400);
});

Deno.test("heartbeats go where HeartbeatIPAddr says, and triggers are heard from there", async () => {
  await using stage = await Stage.open();
  const other = { host: "10.0.0.3", port: 5000 };
  stage.addAccess(other);
  const plain = stage.access;
  stage.access = (message, at) =>
    message.method === "Register" ? { result: 2, heartbeatAddr: other } : plain(message, at);
  stage.start();
  await stage.advance(60_000);
  assertEquals(stage.heard.filter(({ message }) => message.method === "Hb").map(({ to }) => to), [
    "10.0.0.3:5000",
    "10.0.0.3:5000",
  ]);
});

Deno.test("after three unanswered heartbeats it goes through distribution, after a random wait", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.settle();
  stage.access = () => undefined;
  await stage.advance(180_000 + 10_000 - 1);
  assertEquals(
    stage.methods().slice(4),
    ["Hb1", "Hb0", "Hb0", "Hb0"],
    "the first was answered, three were not",
  );
  const before = stage.clock.monotonic();
  await stage.advance(60_001);
  const again = stage.heard.filter(({ message }) => message.method === "BootFirst")[1]!;
  assert(again.at > before && again.at <= before + 60_001);
  assertEquals(stage.metrics.counter("gatehouse_gateway_heartbeats_unanswered_total", "").value, 3);
});

Deno.test("one lost heartbeat is forgiven", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.settle();
  const plain = stage.access;
  for (let i = 0; i < 6; i++) {
    stage.access = i % 3 === 2 ? plain : () => undefined;
    await stage.advance(60_000);
  }
  assertEquals(stage.methods().filter((method) => method === "BootFirst").length, 1);
  assertEquals(stage.status.state, "registered");
});

Deno.test("Boot is sent twice, Register four times, an interval apart", async () => {
  await using stage = await Stage.open();
  await stage.state.update({ operations: OPERATIONS });
  stage.access = () => undefined;
  stage.start();
  await stage.advance(119_000);
  assertEquals(
    stage.heard.map(({ at }) => at),
    [0, 60_000],
    "one round: two Boots, an answer wait, and the rest",
  );
  stage.access = (message) => message.method === "Boot" ? { result: 0, challengeCode: CHALLENGE } : undefined;
  await stage.advance(1_000 + 239_000);
  assertEquals(stage.methods(), ["Boot", "Boot", "Boot", "Register", "Register", "Register", "Register"]);
  assertEquals(gaps(stage, "Register"), [60_000, 60_000, 60_000]);
});

Deno.test("five failed rounds bring a pause of ten intervals, fifteen bring distribution", async () => {
  await using stage = await Stage.open();
  await stage.state.update({ operations: OPERATIONS });
  stage.access = () => undefined;
  stage.start();
  await stage.advance(30 * 60_000 + 2 * 540_000 + 120_000);
  const boots = gaps(stage, "Boot").slice(0, 29);
  assertEquals(boots.map((gap, i) => gap === 600_000 ? i : -1).filter((i) => i >= 0), [9, 19]);
  assert(boots[1]! >= 60_000 && boots[1]! < 120_000, "after the first round, gateways part");
  assert(boots.every((gap, i) => i === 1 || gap === 60_000 || gap === 600_000));
  assertEquals(stage.methods().slice(0, 33).slice(29), ["Boot", "BootFirst", "RegisterFirst", "Boot"]);
});

Deno.test("results of a running registration: -3 and 3 go through distribution, 3 forgets what it learned", async () => {
  for (const result of [-3, 3]) {
    await using stage = await Stage.open();
    stage.start();
    await stage.settle();
    const plain = stage.access;
    stage.access = (message, at) => message.method === "Hb" ? { result } : plain(message, at);
    await stage.advance(60_000);
    stage.access = plain;
    assertEquals(stage.methods().slice(4, 8), ["Hb1", "Hb0", "BootFirst", "RegisterFirst"], String(result));
  }
});

Deno.test("the result -1 sends a running gateway to distribution and a booting one back to Boot", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.settle();
  stage.access = (message) =>
    message.method === "Hb" || message.method === "Boot" ? { result: -1 } : undefined;
  await stage.advance(60_000);
  assertEquals(stage.status.state, "waiting");
  await stage.advance(60_000);
  assertEquals(stage.methods().slice(5), ["Hb0", "BootFirst", "RegisterFirst", "Boot"]);
  await stage.advance(60_000);
  assertEquals(stage.methods().slice(9), ["Boot"]);
});

Deno.test("the result -4 makes it Boot again", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.settle();
  const plain = stage.access;
  stage.access = (message, at) => message.method === "Hb" ? { result: -4 } : plain(message, at);
  await stage.clock.advance(60_000);
  stage.access = plain;
  await stage.settle();
  assertEquals(stage.methods().slice(5, 7), ["Hb0", "Boot"]);
});

Deno.test("the result -2 brings silence for 9000 seconds, from either platform", async () => {
  await using stage = await Stage.open();
  stage.distribution = () => ({ result: -2 });
  stage.start();
  await stage.settle();
  assertEquals(stage.status.state, "silent");
  await stage.advance(8_999_000);
  assertEquals(stage.methods(), ["BootFirst"]);
  stage.distribution = (message) =>
    message.method === "BootFirst"
      ? { result: 0, challengeCode: CHALLENGE }
      : { result: 2, serverAddr: OPERATIONS.host, serverPort: OPERATIONS.port };
  stage.access = (message) =>
    message.method === "Boot" ? { result: 0, challengeCode: CHALLENGE } : { result: -2 };
  await stage.advance(1_000);
  assertEquals(stage.methods(), ["BootFirst", "BootFirst", "RegisterFirst", "Boot", "Register"]);
  await stage.advance(8_999_000);
  assertEquals(stage.heard.length, 5);
  assertEquals(stage.status.nextTryAt, stage.clock.now() + 1_000);
  await stage.advance(1_000);
  assertEquals(stage.methods().at(-2), "Boot");
});

Deno.test("the result -5 moves it to the platform in ServerIP, and the move is kept", async () => {
  await using stage = await Stage.open();
  const other = { host: "10.0.0.9", port: 12113 };
  stage.addAccess(other);
  const plain = stage.access;
  stage.access = (message, at) =>
    at.host === OPERATIONS.host ? { result: -5, serverIp: "10.0.0.9:12113" } : plain(message, at);
  stage.start();
  await stage.settle();
  assertEquals(stage.heard.slice(2).map(({ to }) => to), [
    "10.0.0.2:12113",
    "10.0.0.9:12113",
    "10.0.0.9:12113",
    "10.0.0.9:12113",
  ]);
  assertEquals(stage.state.get().operations, other);
});

Deno.test("distribution can redirect to another distribution platform", async () => {
  await using stage = await Stage.open();
  stage.addDistribution({ host: "10.0.0.8", port: 4000 });
  const plain = stage.distribution;
  let first = true;
  stage.distribution = (message) => {
    if (!first) return plain(message);
    first = false;
    return { result: -5, serverIp: "10.0.0.8:4000" };
  };
  stage.start();
  await stage.settle();
  assertEquals(stage.heard.slice(0, 3).map(({ to }) => to), [
    "10.0.0.1:12112",
    "10.0.0.8:4000",
    "10.0.0.8:4000",
  ]);
  assertEquals(stage.status.state, "registered");
});

Deno.test("platforms that send a gateway in circles do not set it racing", async () => {
  const circles: [string, AccessReply][] = [
    ["-3", { result: -3 }],
    ["-5", { result: -5, serverIp: "10.0.0.2:12113" }],
    ["3", { result: 3 }],
    ["-4", { result: -4 }],
  ];
  for (const [name, order] of circles) {
    for (const method of ["Boot", "Hb"]) {
      await using stage = await Stage.open();
      const plain = stage.access;
      stage.access = (message, at) => message.method === method ? order : plain(message, at);
      stage.start();
      await stage.advance(600_000);
      const boots = stage.methods().filter((method) => method === "Boot").length;
      assert(boots >= 5 && boots <= 17, `${name} to ${method}: ${boots} Boots in ten minutes`);
    }
  }
});

Deno.test("a name that can't be resolved is tried again every ten seconds", async () => {
  await using stage = await Stage.open();
  stage.network.names.delete("189cube");
  stage.start();
  await stage.advance(29_000);
  assertEquals(stage.status.state, "resolving");
  assertEquals(stage.heard.length, 0);
  stage.network.names.set("189cube", DISTRIBUTION.host);
  await stage.advance(1_000);
  assertEquals(stage.status.state, "registered");
});

Deno.test("a new address of its own makes the gateway Boot again, without distribution", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.settle();
  stage.ipAddr = "192.168.7.7";
  await stage.advance(60_000);
  assertEquals(stage.methods().slice(5), ["Boot", "Register", "Hb1"]);
  const boot = stage.heard[5]!.message;
  assertEquals(boot.method === "Boot" && boot.ipAddr, "192.168.7.7");
});

Deno.test("datagrams that arrive twice or late do not confuse it", async () => {
  await using stage = await Stage.open();
  stage.network.conditions.duplicates = 1;
  let challenge = 0;
  const plain = stage.access;
  stage.access = (message, at) =>
    // Each copy of a Boot makes the platform change its mind: only the last challenge counts.
    message.method === "Boot"
      ? { result: 0, challengeCode: String(++challenge).padStart(32, "0") }
      : message.method === "Register" && message.checkSn !== checkSn(String(challenge).padStart(32, "0"), SN)
      ? undefined
      : plain(message, at);
  stage.start();
  await stage.advance(400_000);
  assertEquals(stage.status.state, "registered");
  assertEquals(stage.metrics.counter("gatehouse_gateway_registrations_total", "").value, 1);
});

Deno.test("it registers over a network that loses a third of everything", async () => {
  await using stage = await Stage.open();
  stage.network.conditions.loss = 0.33;
  stage.network.conditions.delayMs = [5, 400];
  stage.start();
  await stage.advance(3_600_000);
  assert(stage.metrics.counter("gatehouse_gateway_registrations_total", "").value >= 1);
});

Deno.test("garbage and strangers are counted and change nothing", async () => {
  await using stage = await Stage.open();
  stage.start();
  await stage.settle();
  stage.sayBytes(new Uint8Array([0xff, 0x00]));
  stage.sayBytes(new TextEncoder().encode('{"RPCMethod":"Dance"}'));
  stage.addAccess({ host: "10.9.9.9", port: 1 });
  stage.say({ result: -2 }, { host: "10.9.9.9", port: 1 });
  await stage.settle();
  assertEquals(stage.metrics.counter("gatehouse_gateway_stray_datagrams_total", "").value, 3);
  assertEquals(stage.status.state, "registered");
});

Deno.test("stopping leaves no timer behind, whatever it was doing", async () => {
  for (const silent of ["distribution", "access", "none"]) {
    const stage = await Stage.open();
    if (silent === "distribution") stage.distribution = () => undefined;
    if (silent === "access") stage.access = () => undefined;
    stage.start();
    await stage.settle();
    await stage[Symbol.asyncDispose]();
    assertEquals(stage.clock.pendingTimers, 0, silent);
    assertEquals(stage.status.state, "stopped");
  }
});

Deno.test("an interval that is set here holds at once, and until the platform names another", async () => {
  await using stage = await Stage.open();
  const registration = stage.start();
  await stage.settle();
  await stage.clock.advance(1_000);
  const heartbeats = () => stage.heard.filter(({ message }) => message.method === "Hb").length;
  const before = heartbeats();
  await registration.heartbeatEvery(3_600);
  await stage.clock.advance(120_000);
  assertEquals([heartbeats(), registration.status.intervalSeconds], [before, 3_600]);
  const set = registration.heartbeatEvery(10);
  await stage.clock.advance(0);
  await set;
  assertEquals(heartbeats(), before + 1, "it was overdue under the shorter interval");
  await stage.clock.advance(10_000);
  assertEquals(heartbeats(), before + 2);
  assertEquals(stage.state.get().intervalSeconds, undefined);
  stage.access = (message) => message.method === "Hb" ? { result: 0, interval: 30 } : undefined;
  await stage.clock.advance(10_000);
  assertEquals(registration.status.intervalSeconds, 30);
});

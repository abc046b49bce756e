/**
 * Platforms that are silent, names that are not found, addresses that change, clocks that jump (reference §3).
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { triggerKey } from "../../protocol/smart_gateway/mod.ts";
import { DISTRIBUTION, OPERATIONS, SN, Stage } from "./testing.ts";

async function registered(): Promise<Stage> {
  const stage = await Stage.open();
  stage.start();
  await stage.settle();
  assertEquals(stage.status.state, "registered");
  return stage;
}

Deno.test("BootFirst is sent twice a round, RegisterFirst four times, and five rounds bring a long pause", async () => {
  await using stage = await Stage.open();
  stage.distribution = () => undefined;
  stage.start();
  await stage.advance(5 * 120_000 + 60_000 + 540_000);
  const times = stage.heard.map(({ at }) => at), gaps = times.slice(1).map((at, i) => at - times[i]!);
  assert(gaps[1]! >= 60_000 && gaps[1]! < 120_000);
  assertEquals([...gaps.slice(0, 1), ...gaps.slice(2, 10)], [...Array(8).fill(60_000), 600_000]);

  await using other = await Stage.open();
  other.distribution = (message) =>
    message.method === "BootFirst" ? { result: 0, challengeCode: "A".repeat(32) } : undefined;
  other.start();
  await other.advance(4 * 60_000 + 50_000);
  assertEquals(other.methods().slice(0, 5), [
    "BootFirst",
    ...Array(4).fill("RegisterFirst"),
  ]);
});

Deno.test("a gateway keeps asking a silent distribution platform, and takes its first word", async () => {
  await using stage = await Stage.open();
  const answer = stage.distribution;
  stage.distribution = () => undefined;
  stage.start();
  await stage.advance(6 * 3_600_000);
  const rounds = stage.status.counts.distributionRounds;
  // Five rounds and a pause are 19 minutes: an endless outage costs little, and is noticed soon enough.
  assert(rounds >= 90 && rounds <= 100, `${rounds} rounds in six hours`);
  stage.distribution = answer;
  await stage.advance(660_000);
  assertEquals([stage.status.state, stage.status.counts.failedRounds], ["registered", 0]);
});

Deno.test("an operations platform whose name is gone costs rounds, and after fifteen distribution is asked", async () => {
  await using stage = await Stage.open();
  await stage.state.update({ operations: { host: "ops.example", port: 12113 } });
  stage.start();
  await stage.advance(60_000);
  assertEquals(stage.status.counts.operationsRounds, 1);
  assertEquals(stage.status.nextTry, "round");
  await stage.advance(15 * 120_000 + 2 * 600_000 + 120_000);
  assertEquals(stage.methods().slice(0, 3), ["BootFirst", "RegisterFirst", "Boot"]);
  assertEquals(stage.status.state, "registered");
});

Deno.test("a heartbeat address whose name is gone is a failed round, not an endless look-up", async () => {
  await using stage = await Stage.open();
  const access = stage.access;
  stage.access = (message, at) =>
    message.method === "Register"
      ? { result: 2, heartbeatAddr: { host: "hb.example", port: 1 } }
      : access(message, at);
  stage.start();
  await stage.advance(60_000);
  assertEquals([stage.status.state, stage.status.nextTry], ["waiting", "round"]);
});

Deno.test("names that come back after a long outage are not used by all gateways at once", async () => {
  await using stage = await Stage.open();
  stage.network.names.delete("189cube");
  stage.start();
  await stage.advance(600_000);
  assertEquals([stage.status.state, stage.status.nextTry], ["resolving", "name"]);
  stage.network.names.set("189cube", DISTRIBUTION.host);
  await stage.advance(10_000);
  assertEquals([stage.status.state, stage.status.nextTry], ["waiting", "spread"]);
  await stage.advance(60_000);
  assertEquals(stage.status.state, "registered");
});

Deno.test("a platform that is cut off and comes back within two heartbeats is not left", async () => {
  await using stage = await registered();
  const access = stage.access;
  stage.access = () => undefined;
  await stage.advance(120_000 + 10_000);
  stage.access = access;
  await stage.advance(50_000);
  assertEquals([stage.status.state, stage.status.counts.registrations], ["registered", 1]);
  assertEquals(stage.status.counts.heartbeatsUnanswered, 2);
});

Deno.test("a changed address is noticed within half a minute: Boot at once, and no distribution", async () => {
  await using stage = await registered();
  const heard = stage.heard.length;
  stage.ipAddr = "192.168.7.7";
  await stage.advance(30_000);
  assertEquals(stage.methods().slice(heard), ["Boot", "Register", "Hb1"]);
  assertEquals(stage.status.counts.addressChanges, 1);
});

Deno.test("looking at the address is no busy poll", async () => {
  await using stage = await Stage.open();
  let looks = 0;
  stage.start(undefined, {
    ipAddr: () => {
      looks++;
      return "192.168.1.1";
    },
  });
  await stage.advance(3_600_000);
  assert(looks <= 130, `${looks} looks in an hour`);
});

Deno.test("an address that is gone for a while is no change, and a new one ends the wait between rounds", async () => {
  await using stage = await registered();
  stage.ipAddr = "0.0.0.0";
  await stage.advance(60_000);
  assertEquals(stage.status.counts.addressChanges, 0);
  stage.access = () => undefined;
  stage.distribution = () => undefined;
  await stage.advance(2_000_000);
  assertEquals(stage.status.state, "waiting");
  const rounds = stage.status.counts.distributionRounds;
  stage.ipAddr = "192.168.1.99";
  await stage.advance(30_000);
  assertEquals(stage.status.counts.distributionRounds, rounds + 1);
});

Deno.test("a gateway that was suspended speaks at once, and registers again where it was forgotten", async () => {
  await using stage = await registered();
  const heard = stage.heard.length, access = stage.access;
  await stage.advance(15_000);
  stage.clock.jump(4 * 3_600_000); // the monotonic clock stands still while a machine is suspended
  stage.access = (message, at) => message.method === "Hb" ? { result: -3 } : access(message, at);
  await stage.advance(14_999);
  assertEquals(stage.methods().slice(heard), []);
  await stage.advance(1);
  stage.access = access;
  assertEquals(stage.methods().slice(heard, heard + 3), ["Hb0", "BootFirst", "RegisterFirst"]);
  assertEquals(stage.status.counts.clockGaps, 1);
});

Deno.test("a clock that is set, forward or back, changes no wait and no time that people are shown", async () => {
  for (const jump of [-3_600_000, -1_000, 1_000, 30 * 365 * 86_400_000]) {
    await using stage = await registered();
    await stage.advance(10_000);
    stage.clock.jump(jump);
    assertEquals(stage.status.nextTryAt, stage.clock.now() + 50_000, String(jump));
    assertEquals(stage.status.since, stage.clock.now() - 10_000);
    await stage.advance(170_000);
    const heartbeats = stage.heard.filter(({ message }) => message.method === "Hb").length;
    assertEquals(heartbeats, 4, String(jump));
    // What may have been a suspension brings the next heartbeat forward, and nothing else.
    assertEquals(stage.status.counts.clockGaps, jump >= 60_000 ? 1 : 0);
    assertEquals(stage.status.state, "registered");
  }
});

Deno.test("a start may be spread; an order to begin anew cuts that short", async () => {
  await using stage = await Stage.open({ startSpreadMs: 60_000 });
  await stage.state.update({ operations: OPERATIONS });
  const registration = stage.start();
  await stage.settle();
  assertEquals([stage.status.state, stage.status.nextTry, stage.heard.length], ["waiting", "spread", 0]);
  registration.restart("operations");
  await stage.settle();
  assertEquals(stage.status.state, "registered");

  await using fresh = await Stage.open({ startSpreadMs: 60_000 });
  fresh.start();
  await fresh.settle();
  assertEquals(fresh.status.state, "registered", "who was never registered is waited for");
});

for (const [mode, first] of [["0", "BootFirst"], ["1", "Boot"]] as const) {
  Deno.test(`RequestDistri in mode ${mode} is kept, and begins with ${first} at the new platform`, async () => {
    await using stage = await registered();
    const there = { host: "10.0.1.1", port: 4444 };
    if (mode === "0") stage.addDistribution(there);
    else stage.addAccess(there);
    const heard = stage.heard.length;
    stage.say({
      method: "RequestDistri",
      key: triggerKey(stage.state.get().devRnd, SN),
      mode,
      serverAddr: there.host,
      serverPort: there.port,
    });
    await stage.settle();
    stage.say({ result: 1 });
    await stage.settle();
    const after = stage.heard.slice(heard).filter(({ message }) => message.method !== "Reply");
    assertEquals([after[0]!.message.method, after[0]!.to], [first, "10.0.1.1:4444"]);
    assertEquals(stage.status.state, "registered");
    const kept = stage.state.get();
    assertEquals(mode === "0" ? kept.distribution : kept.operations, there);
    await stage.restart();
    await stage.settle();
    assertEquals(stage.status.state, "registered");
    if (mode === "1") assertEquals(stage.heard.at(-1)!.to, "10.0.1.1:4444");
  });
}

Deno.test("a move to a platform that is not there ends at distribution", async () => {
  await using stage = await registered();
  stage.say({
    method: "RequestDistri",
    key: triggerKey(stage.state.get().devRnd, SN),
    mode: "1",
    serverAddr: "10.0.66.66",
    serverPort: 1,
  });
  await stage.settle();
  stage.say({ result: 1 });
  await stage.advance(90 * 60_000);
  assertEquals([stage.status.state, stage.state.get().operations], ["registered", OPERATIONS]);
});

for (const [what, host] of [["silent", "10.0.66.66"], ["without a name", "nowhere.example"]] as const) {
  Deno.test(`a distribution platform that is ${what} after RequestDistri takes turns with that of the settings`, async () => {
    await using stage = await registered();
    const moved = { host, port: 4444 }, rounds: string[] = [];
    stage.addDistribution({ host: "10.0.66.66", port: 4444 });
    const answer = stage.distribution;
    stage.distribution = () => undefined; // the old one is away too, so that every turn is seen
    stage.say({
      method: "RequestDistri",
      key: triggerKey(stage.state.get().devRnd, SN),
      mode: "0",
      serverAddr: host,
      serverPort: 4444,
    });
    await stage.settle();
    stage.say({ result: 1 });
    const heard = stage.heard.length;
    await stage.advance(2 * 3_600_000);
    for (const { to, message } of stage.heard.slice(heard)) {
      if (message.method === "BootFirst") rounds.push(to);
    }
    const turns = rounds.filter((to, i) => to !== rounds[i - 1]);
    const [old, there] = [`${DISTRIBUTION.host}:${DISTRIBUTION.port}`, "10.0.66.66:4444"];
    // BootFirst is sent twice in each of the five rounds of a turn.
    if (what === "silent") {
      assertEquals(turns.slice(0, 4), [there, old, there, old]);
      assertEquals(rounds.slice(0, 20), [...Array(10).fill(there), ...Array(10).fill(old)]);
    } else {
      assertEquals(turns, [old]);
      assert(rounds.length >= 20, `${rounds.length} of the old one in two hours`);
    }
    // The order is not forgotten: after a restart it is the first choice again.
    await stage.restart();
    assertEquals(stage.state.get().distribution, moved);
    stage.distribution = answer;
    await stage.advance(1_200_000);
    assertEquals(stage.status.state, "registered");
  });
}

Deno.test("without settings of another kind the one distribution platform is asked for ever", async () => {
  await using stage = await Stage.open();
  stage.distribution = () => undefined;
  stage.start(DISTRIBUTION, { distributionOfSettings: DISTRIBUTION });
  await stage.advance(2 * 3_600_000);
  const asked = new Set(stage.heard.map(({ to }) => to));
  assertEquals([...asked], [`${DISTRIBUTION.host}:${DISTRIBUTION.port}`]);
  assert(stage.heard.length > 50);
});

Deno.test("a redirection at distribution to a name that nobody knows is a failed round", async () => {
  await using stage = await Stage.open();
  const answer = stage.distribution;
  stage.distribution = () => ({ result: -5, serverIp: "nowhere.example:12112" });
  stage.start();
  await stage.settle();
  stage.distribution = answer;
  await stage.advance(300_000);
  assertEquals(stage.status.state, "registered");
});

Deno.test("a gateway that belongs elsewhere than its settings say turns to them where nobody is there", async () => {
  await using stage = await Stage.open();
  stage.start({ host: "10.0.66.66", port: 4444 }, { distributionOfSettings: DISTRIBUTION });
  await stage.advance(20 * 60_000);
  assertEquals(stage.status.state, "registered");
  assert(stage.status.counts.distributionRounds >= 6);
});

Deno.test("the status tells the last answer to each question, from whom, and counts", async () => {
  await using stage = await registered();
  await stage.advance(130_000);
  const { answers, counts, lastResult, lastAnswerAt, since } = stage.status;
  assertEquals(answers.map(({ method, result, from }) => [method, result, from.host]), [
    ["Hb", 0, "10.0.0.2"],
    ["Register", 2, "10.0.0.2"],
    ["Boot", 0, "10.0.0.2"],
    ["RegisterFirst", 2, "10.0.0.1"],
    ["BootFirst", 0, "10.0.0.1"],
  ]);
  assertEquals([lastResult, lastAnswerAt, since], [
    0,
    stage.clock.now() - 10_000,
    stage.clock.now() - 130_000,
  ]);
  assertEquals(counts, {
    registrations: 1,
    heartbeats: 3,
    heartbeatsUnanswered: 0,
    distributionRounds: 1,
    operationsRounds: 1,
    failedRounds: 0,
    addressChanges: 0,
    clockGaps: 0,
  });
});

Deno.test("the own interval holds until a platform names one, and again after a new device's defaults", async () => {
  await using stage = await Stage.open();
  const access = stage.access;
  stage.distribution = (message) =>
    message.method === "BootFirst"
      ? { result: 0, challengeCode: "A".repeat(32) }
      : { result: 2, serverAddr: OPERATIONS.host, serverPort: OPERATIONS.port };
  stage.access = (message, at) => message.method === "Register" ? { result: 2 } : access(message, at);
  stage.start(() => DISTRIBUTION, { heartbeatMs: () => 40_000 });
  await stage.settle();
  assertEquals(stage.status.intervalSeconds, 40);
  stage.access = (message, at) => message.method === "Hb" ? { result: 0, interval: 90 } : access(message, at);
  await stage.advance(40_000);
  assertEquals(stage.status.intervalSeconds, 90);
  stage.access = (message, at) =>
    message.method === "Hb"
      ? { result: 3 }
      : message.method === "Register"
      ? { result: 2 }
      : access(message, at);
  await stage.advance(90_000);
  assertEquals(stage.status.intervalSeconds, 40);
});

Deno.test("a day of heartbeats writes nothing, nor does a platform that forgets every hour", async () => {
  await using stage = await Stage.open({ addressCheckMs: 600_000 });
  const distribution = stage.distribution, access = stage.access;
  stage.distribution = (message) => ({ ...distribution(message)!, interval: 600 });
  let forgotten = false;
  stage.access = (message, at) => {
    if (message.method === "Register") return { result: 2, interval: 600 };
    if (message.method !== "Hb" || !forgotten) return access(message, at);
    forgotten = false;
    return { result: -3 };
  };
  stage.start();
  await stage.settle();
  const { writes } = stage.state;
  await stage.advance(86_400_000);
  assertEquals(stage.state.writes, writes);
  for (let hour = 0; hour < 24; hour++) {
    forgotten = true;
    await stage.advance(3_600_000);
  }
  assertEquals(stage.status.counts.registrations, 25);
  assertEquals(stage.state.writes, writes, "the same operations platform again is nothing new");
});

Deno.test("a question that is sent again names the address that the gateway has by then", async () => {
  await using stage = await Stage.open();
  const { distribution, access } = stage, named: string[] = [];
  stage.ipAddr = "0.0.0.0"; // the line is not up yet
  const lineComesUp = (method: string, ipAddr: string, address: string) => {
    named.push(`${method} ${ipAddr}`);
    if (stage.ipAddr === address) return true;
    stage.ipAddr = address;
    return false;
  };
  stage.distribution = (message) =>
    message.method !== "BootFirst" || lineComesUp("BootFirst", message.ipAddr, "192.168.1.1")
      ? distribution(message)
      : undefined;
  stage.access = (message, at) =>
    message.method !== "Boot" || lineComesUp("Boot", message.ipAddr, "192.168.1.2")
      ? access(message, at)
      : undefined;
  stage.start();
  await stage.advance(60_000 + 60_000 + 60_000);
  assertEquals(named, ["BootFirst 0.0.0.0", "BootFirst 192.168.1.1", "Boot 192.168.1.1", "Boot 192.168.1.2"]);
  assertEquals(stage.status.state, "registered");
});

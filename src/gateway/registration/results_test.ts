/**
 * What a gateway does on each result, at each question (reference §2, §3): one row a pair.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { CHALLENGE, DISTRIBUTION, OPERATIONS, Stage } from "./testing.ts";

type At = "BootFirst" | "RegisterFirst" | "Boot" | "Register" | "Hb";
/** `next`: the methods that are heard at once after the answer; `state` and `why`: where that leads. */
interface Row {
  readonly result: number;
  readonly at: At;
  readonly next: readonly string[];
  readonly state: string;
  readonly why?: string;
}

const ALL = ["BootFirst", "RegisterFirst", "Boot", "Register", "Hb1"];
const FROM_BOOT = ALL.slice(2);
const again = { state: "waiting", next: [], why: "round" } as const;
const silent = { state: "silent", next: [], why: "refused" } as const;
const registered = { state: "registered", why: "heartbeat" } as const;

const ROWS: readonly Row[] = [
  // -1: again at Boot after an interval; a running gateway through distribution, after a random wait.
  { result: -1, at: "BootFirst", ...again },
  { result: -1, at: "RegisterFirst", ...again },
  { result: -1, at: "Boot", ...again },
  { result: -1, at: "Register", ...again },
  { result: -1, at: "Hb", state: "waiting", next: [], why: "spread" },
  // -2: silence.
  { result: -2, at: "BootFirst", ...silent },
  { result: -2, at: "RegisterFirst", ...silent },
  { result: -2, at: "Boot", ...silent },
  { result: -2, at: "Register", ...silent },
  { result: -2, at: "Hb", ...silent },
  // -3: through distribution, at once; at distribution itself that is a failed round.
  { result: -3, at: "BootFirst", ...again },
  { result: -3, at: "Boot", ...registered, next: ALL },
  { result: -3, at: "Register", ...registered, next: ALL },
  { result: -3, at: "Hb", ...registered, next: ALL },
  // -4: Boot again; a running gateway at once.
  { result: -4, at: "Boot", ...again },
  { result: -4, at: "Register", ...again },
  { result: -4, at: "Hb", ...registered, next: FROM_BOOT },
  // -5 without an address names nowhere to go: a failed round.
  { result: -5, at: "BootFirst", ...again },
  { result: -5, at: "Boot", ...again },
  { result: -5, at: "Hb", state: "waiting", next: [], why: "spread" },
  // 3: defaults, then distribution.
  { result: 3, at: "Boot", ...registered, next: ALL },
  { result: 3, at: "Register", ...registered, next: ALL },
  { result: 3, at: "Hb", ...registered, next: ALL },
  // What nobody documented: negative as -1, else as 0.
  { result: -9, at: "Boot", ...again },
  { result: 7, at: "Hb", ...registered, next: [] },
  { result: 1, at: "Hb", ...registered, next: [] },
];

for (const { result, at, next, state, why } of ROWS) {
  Deno.test(`the result ${result} to ${at} leads to "${state}"${next.length ? " by " + next[0] : ""}`, async () => {
    await using stage = await Stage.open();
    let once = true;
    const hit = (method: string) => method === at && once && !(once = false);
    const distribution = stage.distribution, access = stage.access;
    stage.distribution = (message) => hit(message.method) ? { result } : distribution(message);
    stage.access = (message, from) =>
      // The first heartbeat is let through, so that the gateway runs.
      !(message.method === "Hb" && message.flag === "1") && hit(message.method)
        ? { result }
        : access(message, from);
    stage.start();
    if (at === "Hb") {
      await stage.settle();
      await stage.advance(60_000);
    } else await stage.settle();
    const before = stage.methods().findLastIndex((method) =>
      method === at || (at === "Hb" && method === "Hb0")
    );
    const first = at === "Hb" ? before : stage.methods().indexOf(at);
    assertEquals(stage.methods().slice(first + 1), next);
    assertEquals([stage.status.state, stage.status.nextTry], [state, why]);
  });
}

Deno.test("silence after -2 lasts 9000 s to the millisecond, whatever else happens, but for an order to begin anew", async () => {
  await using stage = await Stage.open();
  const access = stage.access;
  stage.access = () => ({ result: -2 });
  const registration = stage.start();
  await stage.settle();
  const heard = stage.heard.length;
  stage.ipAddr = "192.168.9.9";
  stage.clock.jump(86_400_000);
  await stage.advance(9_000_000 - 1);
  assertEquals([stage.heard.length, stage.status.state], [heard, "silent"]);
  stage.access = access;
  await stage.advance(1);
  assertEquals(stage.methods().slice(heard), ["Boot", "Register", "Hb1"]);
  stage.access = () => ({ result: -2 });
  await stage.advance(60_000);
  assertEquals(stage.status.state, "silent");
  stage.access = access;
  registration.restart("operations");
  await stage.settle();
  assertEquals(stage.status.state, "registered", "an operator's word goes before a platform's");
});

Deno.test("a new device's defaults are restored before it goes to distribution", async () => {
  await using stage = await Stage.open();
  const order: string[] = [];
  stage.start(undefined, {
    onDefaults: () => {
      order.push(`restored, ${stage.methods().length} messages so far`);
      return Promise.resolve();
    },
  });
  const access = stage.access;
  await stage.settle();
  await stage.state.update({ intervalSeconds: 60 });
  stage.access = (message, at) => message.method === "Hb" ? { result: 3 } : access(message, at);
  await stage.advance(60_000);
  assertEquals(order[0], "restored, 6 messages so far");
  assertEquals(stage.methods().slice(6, 9), ["BootFirst", "RegisterFirst", "Boot"]);
});

Deno.test("-5 with an address goes there at once, from every question, and stays there over a restart", async () => {
  for (const at of ["Boot", "Register", "Hb"]) {
    await using stage = await Stage.open();
    const other = { host: "10.0.0.9", port: 12113 };
    stage.addAccess(other);
    const access = stage.access;
    stage.access = (message, to) =>
      to.host === OPERATIONS.host && message.method === at
        ? { result: -5, serverIp: "10.0.0.9:12113" }
        : access(message, to);
    stage.start();
    await stage.advance(1_000);
    assertEquals(stage.status.state, "registered", at);
    assertEquals(stage.heard.slice(-3).map(({ to }) => to), Array(3).fill("10.0.0.9:12113"), at);
    const heard = stage.heard.length;
    await stage.restart();
    await stage.settle();
    assertEquals(stage.heard.slice(heard).map(({ to }) => to), Array(3).fill("10.0.0.9:12113"), at);
  }
});

Deno.test("wrong answers are no answers: the question is sent again until the right one comes", async () => {
  const wrong: readonly [string, string][] = [
    ["garbage", "\u0000\u0001"],
    ["not an object", "[]"],
    ["no result", '{"ChallengeCode":"00"}'],
    ["a challenge that is none", '{"Result":0,"ChallengeCode":{"of":"no text"}}'],
    ["a late heartbeat's answer", '{"Result":0}'],
    ["a request", '{"RPCMethod":"Hb","MAC":"64D95420214B","FLAG":"0"}'],
    ["a half surrogate", '{"Result":0,"ChallengeCode":"\\ud800"}'],
  ];
  for (const [name, bytes] of wrong) {
    await using stage = await Stage.open();
    await stage.state.update({ operations: OPERATIONS });
    const access = stage.access;
    let boots = 0;
    stage.access = (message, at) => {
      if (message.method !== "Boot" || ++boots > 1) return access(message, at);
      queueMicrotask(() => stage.sayBytes(new TextEncoder().encode(bytes)));
      return undefined;
    };
    stage.start();
    await stage.advance(59_999);
    assertEquals([stage.methods(), stage.status.nextTry], [["Boot"], "resend"], name);
    await stage.advance(1);
    assertEquals(stage.methods(), ["Boot", "Boot", "Register", "Hb1"], name);
  }
});

Deno.test("a RegisterFirst that names no platform is a failed round; one that names none but a challenge goes on", async () => {
  await using stage = await Stage.open();
  stage.distribution = (message) =>
    message.method === "BootFirst" ? { result: 0, challengeCode: CHALLENGE } : { result: 2 };
  stage.start();
  await stage.settle();
  assertEquals([stage.status.state, stage.status.nextTry], ["waiting", "round"]);
  assert(stage.heard.every(({ to }) => to === `${DISTRIBUTION.host}:${DISTRIBUTION.port}`));
});

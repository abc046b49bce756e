/**
 * The bus between nodes over a real NATS server: what is told of a request, whatever stands between the two.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Metrics, silentLog, systemClock } from "../src/base/mod.ts";
import { BusError, NatsBus, type NatsBusOptions, type NodeAddress } from "../src/cluster/mod.ts";
import { until } from "./support/nodes.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";
import { noNatsBecause, type OwnNats, startOwnNats } from "./support/own_nats.ts";

type Events = { told: { n: number } };
type Requests = { double: { request: number; reply: number }; wait: { request: null; reply: null } };
type TestBus = NatsBus<Events, Requests>;

const missing = await noNatsBecause();

/** A node on the bus: `at` is who it thinks can answer. */
async function join(nats: OwnNats, self: NodeAddress, more: Partial<NatsBusOptions> = {}): Promise<TestBus> {
  return await NatsBus.connect<Events, Requests>(
    { clock: systemClock, log: silentLog, metrics: new Metrics() },
    {
      url: nats.url,
      cluster: "test",
      self: () => self,
      now: () => systemClock.now(),
      mayAct: () => true,
      route: () => Promise.resolve(undefined),
      ...more,
    },
  );
}

const A: NodeAddress = { node: "a", epoch: 1 }, B: NodeAddress = { node: "b", epoch: 3 };
const toB = () => Promise.resolve(B);

/** A test with a server of its own and node `b`, which doubles and counts what it was asked. */
function onNats(
  name: string,
  fn: (nats: OwnNats, b: TestBus, asked: () => number) => Promise<void>,
  b: Partial<NatsBusOptions> = {},
) {
  Deno.test({
    name: missing === undefined ? name : `${name} (ignored: ${missing})`,
    ignore: missing !== undefined,
    async fn() {
      await using nats = await startOwnNats("first");
      await using bus = await join(nats, B, b);
      let asked = 0;
      using _responder = bus.respond("double", (n) => {
        asked++;
        return n < 0 ? Promise.reject(new RangeError("below zero")) : Promise.resolve(2 * n);
      });
      await fn(nats, bus, () => asked);
    },
  });
}

/**
 * The library leaves a socket that it is done with without a listener for errors; one that is reset just then is an
 * error of nobody. The program counts such ones as stray (`src/cli/run_role.ts`), where a test would end.
 */
function straysOfTheLibrary(): Disposable {
  const stray = (event: ErrorEvent) => {
    if (event.error?.code === "ECONNRESET") event.preventDefault();
  };
  globalThis.addEventListener("error", stray);
  return { [Symbol.dispose]: () => globalThis.removeEventListener("error", stray) };
}

const codeOf = async (asked: Promise<unknown>) => (await assertRejects(() => asked, BusError)).code;

onNats(
  "a request is answered by the node that can, and events reach the others with who told them",
  async (nats, b) => {
    await using a = await join(nats, A, { route: toB });
    const heard: unknown[] = [];
    using _subscription = b.subscribe("told", ({ n }, from) => void heard.push([n, from]));
    assertEquals(await a.request("double", 21, 5000), 42);
    a.publish("told", { n: 7 });
    await until("it is heard", () => Promise.resolve(heard.length > 0));
    assertEquals(heard, [[7, A]]);
    const failed = await assertRejects(() => a.request("double", -1, 5000), BusError);
    assertEquals([failed.code, failed.message], ["failed", 'node "b": below zero']);
  },
);

onNats(
  "nodes whose times of day are an hour apart answer each other: deadlines go by the time that they share",
  async (nats, _, asked) => {
    // What the membership counts by the database's clock; each node's own is wrong, and nobody asks it.
    const wrong = { ...systemClock, now: () => systemClock.now() - 3_600_000 };
    await using a = await NatsBus.connect<Events, Requests>(
      { clock: wrong, log: silentLog, metrics: new Metrics() },
      {
        url: nats.url,
        cluster: "test",
        self: () => A,
        now: () => systemClock.now(),
        mayAct: () => true,
        route: toB,
      },
    );
    assertEquals([await a.request("double", 4, 5000), asked()], [8, 1]);
  },
);

onNats(
  "a node that leaves answers first what it was asked, and takes nothing more",
  async (nats, b) => {
    await using a = await join(nats, A, { route: toB });
    const begun = Promise.withResolvers<void>(), done = Promise.withResolvers<null>();
    using _responder = b.respond("wait", () => {
      begun.resolve();
      return done.promise;
    });
    const asked = a.request("wait", null, 5000);
    await begun.promise;
    const left = b[Symbol.asyncDispose]();
    assertEquals(await codeOf(a.request("double", 1, 5000)), "no_responder");
    done.resolve(null);
    assertEquals(await asked, null);
    await left;
  },
);

onNats(
  "what comes after its deadline is not begun with, and whoever asked is told that nothing was done",
  async (nats, _, asked) => {
    await using a = await join(nats, A, { route: toB });
    assertEquals([await codeOf(a.request("double", 1, 5000)), asked()], ["no_responder", 0]);
  },
  { now: () => systemClock.now() + 60_000 },
);

onNats(
  "what was meant for an earlier life of a node, or comes while its lease is over, is not begun with",
  async (nats, _, asked) => {
    await using a = await join(nats, A, { route: () => Promise.resolve({ ...B, epoch: 2 }) });
    assertEquals([await codeOf(a.request("double", 1, 5000)), asked()], ["no_responder", 0]);
    await using late = await join(nats, { node: "late", epoch: 1 }, { mayAct: () => false });
    using _responder = late.respond("double", (n) => Promise.resolve(n));
    await using c = await join(nats, { node: "c", epoch: 1 }, {
      route: () => Promise.resolve({ node: "late", epoch: 1 }),
    });
    assertEquals(await codeOf(c.request("double", 1, 5000)), "no_responder");
  },
);

onNats("where nobody knows who answers, or nobody is there, nothing was sent", async (nats, _, asked) => {
  const misrouted: unknown[] = [];
  await using a = await join(nats, A, { route: () => Promise.reject(new Error("the database is away")) });
  const unknown = await assertRejects(() => a.request("double", 1, 5000), BusError);
  assertEquals(unknown.code, "no_responder");
  assert(unknown.message.includes("the database is away"), unknown.message);
  await using c = await join(nats, { node: "c", epoch: 1 }, {
    route: () => Promise.resolve({ node: "nobody", epoch: 1 }),
    misrouted: (...what) => misrouted.push(what),
  });
  assertEquals(await codeOf(c.request("double", 1, 5000)), "no_responder");
  assertEquals([misrouted.length, asked()], [1, 0]);
});

onNats("who is given up, or loses the server, leaves nobody waiting", async (nats, b) => {
  await using a = await join(nats, A, { route: toB });
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  using _responder = b.respond("wait", () => (resolve(), new Promise(() => {})));
  const waiting = codeOf(a.request("wait", null, 60_000));
  await begun;
  a.gone({ ...B, epoch: B.epoch - 1 }); // an earlier life: this one is not meant
  a.gone(B);
  assertEquals(await waiting, "lost");
  const again = codeOf(a.request("wait", null, 60_000));
  await a.request("double", 1, 5000); // what was asked before has gone out
  await nats.stop();
  assertEquals(await again, "lost");
  assertEquals(await codeOf(a.request("double", 1, 5000)), "no_responder");
  assertEquals(a.connected, false);
});

onNats("a server that refuses the password for a while is come back to", async (nats, b) => {
  using _strays = straysOfTheLibrary();
  await using a = await join(nats, A, { route: toB });
  await nats.stop();
  await nats.start("another");
  await until("it is noticed", () => Promise.resolve(!a.connected && !b.connected));
  // Longer than several attempts, each of which is refused.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assertEquals([a.connected, b.connected], [false, false]);
  await nats.stop();
  await nats.start();
  await until("both are back", () => Promise.resolve(a.connected && b.connected));
  assertEquals(await a.request("double", 5, 5000), 10);
});

onNats(
  "a server that falls silent is given up within seconds, however much is on its way to it",
  async (nats) => {
    using _strays = straysOfTheLibrary();
    await using proxy = new TcpProxy(nats.port);
    await using a = await join(nats, A, {
      route: toB,
      url: `nats://gatehouse:first@127.0.0.1:${proxy.port}`,
    });
    assertEquals(await a.request("double", 4, 5000), 8);
    proxy.stall();
    // More than the kernel takes: the library would wait until it is sent before it hangs up.
    const big = a as unknown as NatsBus<{ told: { text: string } }, Requests>;
    for (let n = 0; n < 40; n++) big.publish("told", { text: "x".repeat(500_000) });
    const waiting = codeOf(a.request("double", 5, 60_000));
    await until("it is noticed", () => Promise.resolve(!a.connected));
    assert(["lost", "no_responder"].includes(await waiting));
    proxy.heal();
    await until("it is back", () => Promise.resolve(a.connected));
    assertEquals(await a.request("double", 6, 5000), 12);
  },
);

onNats(
  "a request or answer that is larger than the server takes is said to be, and harms nobody",
  async (nats, b) => {
    await using a = await join(nats, A, { route: toB });
    using _responder = (b as unknown as NatsBus<Events, { big: { request: string; reply: string } }>)
      .respond("big", (text) => Promise.resolve(text + "x".repeat(2 << 20)));
    const big = a as unknown as NatsBus<Events, { big: { request: string; reply: string } }>;
    assertEquals(await codeOf(big.request("big", "x".repeat(2 << 20), 5000)), "too_large");
    const answer = await assertRejects(() => big.request("big", "", 5000), BusError);
    assert(answer.message.includes("too large"), answer.message);
    assertEquals(await a.request("double", 5, 5000), 10);
  },
);

/** Connects as a program that is no node. */
async function outsider(nats: OwnNats, user: string, pass: string) {
  const { connect } = await import("@nats-io/transport-node");
  return await connect({ servers: `127.0.0.1:${nats.port}`, user, pass, reconnect: false });
}

onNats(
  "what is no message of a node is counted and harms nobody, however much comes",
  async (nats, b, asked) => {
    await using a = await join(nats, A, { route: toB });
    const heard: unknown[] = [];
    using _subscription = b.subscribe("told", ({ n }) => void heard.push(n));
    const stranger = await outsider(nats, "gatehouse", "first");
    const now = systemClock.now();
    const asks = [
      ...["", "{", "null", "[]", "7", '"x"', "{}", `{"subject":7,"deadlineAt":${now + 5000}}`],
      `{"subject":"double","message":1,"epoch":3,"deadlineAt":"soon"}`,
      `{"subject":"double","message":1,"epoch":2,"deadlineAt":${now + 5000}}`,
      `{"subject":"double","message":1,"epoch":"3","deadlineAt":${now + 5000}}`,
      `{"subject":"double","message":1,"epoch":3,"deadlineAt":${now - 5000}}`,
      `{"subject":"__proto__","message":{},"epoch":3,"deadlineAt":${now + 5000}}`,
      `{"subject":"nobody.answers","message":{},"epoch":3,"deadlineAt":${now + 5000}}`,
      "[".repeat(100_000),
      "x".repeat(1_000_000),
    ];
    const events = ["", "{", "null", "7", "{}", '{"from":"a","message":{"n":1}}', '{"from":{"node":"a"}}'];
    for (let times = 0; times < 50; times++) {
      for (const text of asks) stranger.publish("gatehouse.test.ask.b", text);
      for (const text of events) {
        stranger.publish("gatehouse.test.event.told", text);
        stranger.publish("gatehouse.test.event.no.such", text);
      }
      await stranger.flush();
    }
    assertEquals(await a.request("double", 21, 5000), 42);
    assertEquals([asked(), heard], [1, []]);
    await stranger.close();
  },
);

Deno.test({
  name: `another program on the same server that may not use the cluster's subjects reaches no node${
    missing === undefined ? "" : ` (ignored: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    using _strays = straysOfTheLibrary();
    // As docs/cluster.md advises.
    const config = await Deno.makeTempFile({ suffix: ".conf" });
    await Deno.writeTextFile(
      config,
      `authorization { users = [
        { user: gatehouse, password: first,
          permissions { publish: ["gatehouse.>", "_INBOX.>"], subscribe: ["gatehouse.>", "_INBOX.>"] } }
        { user: other, password: second, permissions { publish: "other.>", subscribe: ["other.>", "_INBOX.>"] } }
      ] }`,
    );
    await using nats = await startOwnNats("first", undefined, config);
    await using a = await join(nats, A, { route: toB });
    await using b = await join(nats, B);
    let asked = 0;
    using _responder = b.respond("double", (n) => Promise.resolve((asked++, 2 * n)));
    const other = await outsider(nats, "other", "second");
    const ask = { subject: "double", message: 1, epoch: 3, deadlineAt: systemClock.now() + 60_000 };
    let overheard = 0;
    other.subscribe("gatehouse.>", { callback: (error) => void (error || overheard++) });
    other.publish("gatehouse.test.ask.b", JSON.stringify(ask));
    await other.flush();
    assertEquals(await a.request("double", 21, 5000), 42);
    assertEquals([asked, overheard], [1, 0]);
    await other.close();
    const nobody = await outsider(nats, "", "").then(() => "let in", () => "turned away");
    assertEquals(nobody, "turned away");
    await Deno.remove(config);
  },
});

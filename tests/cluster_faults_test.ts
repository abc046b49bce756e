/**
 * A cluster whose nodes are killed, paused, stopped and restarted, and that loses NATS: what goes on, what is taken over,
 * and that nothing is done twice.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { AppUser, type Ask } from "./support/app_user.ts";
import { startBalancer } from "./support/balancer.ts";
import { clusterChaos, type Fault } from "./support/cluster_chaos.ts";
import { ClusterGateway, startNodes, there, until, why } from "./support/nodes.ts";
import { noNatsBecause, startOwnNats } from "./support/own_nats.ts";
import { identity } from "./support/scripted_gateway.ts";
import { asked, codeOf, commandsOf, gatewayAt, withNodes } from "./support/with_nodes.ts";

type Json = Record<string, unknown>;

const noNats = await noNatsBecause();
const whyNats = noNats === undefined || !there ? why : ` (ignored: ${noNats})`;

withNodes(
  "kill -9: the others take the commands over; what may have been done is told unknown, the rest is done once",
  async (nodes) => {
    await using gateway = await gatewayAt(nodes, 1);
    const { promise: held, resolve: go } = Promise.withResolvers<void>();
    gateway.hold = held;
    // The first is under way on the gateway when the node that runs it dies; the second waits for another gateway.
    const first = await nodes.call(0, "POST", commandsOf(gateway), asked("under way"));
    await until("at the gateway", () => Promise.resolve(gateway.done.get("under way") === 1));
    const other = new ClusterGateway(identity(2));
    await nodes.preset(other.me);
    const second = await nodes.call(0, "POST", commandsOf(other), asked("waiting"));
    nodes.node(0).program.kill("SIGKILL");
    await nodes.node(0).program.status;
    go();
    const end = await until("the first one's end", async () => {
      const { body } = await nodes.call(1, "GET", `/api/v1/commands/${first.body.id}`);
      return body.status === "failed" && body;
    });
    assertEquals([codeOf(end), gateway.done.get("under way")], ["outcome_unknown", 1]);
    await other.register(nodes.node(1));
    await other.triggered();
    await other.accept(nodes.node(1));
    await other.connect(nodes.node(1));
    const { body } = await nodes.call(1, "GET", `/api/v1/commands/${second.body.id}?wait=20`);
    assertEquals([body.status, other.done.get("waiting")], ["succeeded", 1]);
    await other[Symbol.asyncDispose]();
  },
);

withNodes("whoever asks over a node that dies is told within seconds, not at the deadline", async (nodes) => {
  await using gateway = await gatewayAt(nodes, 1);
  gateway.hold = new Promise(() => {});
  const asking = nodes.call(0, "POST", `${commandsOf(gateway)}?wait=60`, asked("lost", 60_000));
  await until("at the gateway", () => Promise.resolve(gateway.done.get("lost") === 1));
  const begun = performance.now();
  nodes.node(1).program.kill("SIGKILL");
  const { body } = await asking;
  assertEquals([body.status, codeOf(body)], ["failed", "outcome_unknown"]);
  assert(performance.now() - begun < 30_000, "long before its deadline");
});

withNodes("a paused node that wakes acts on nothing that was taken over", async (nodes) => {
  const me = identity(1);
  await nodes.preset(me);
  const { body: { id } } = await nodes.call(0, "POST", `/api/v1/gateways/${me.mac}/commands`, asked("once"));
  nodes.node(0).program.kill("SIGSTOP");
  // Its lease ends, and with it its right to the command: the other node runs it.
  await using gateway = new ClusterGateway(me);
  await gateway.register(nodes.node(1));
  const called = gateway.triggered(60_000);
  await called;
  await gateway.accept(nodes.node(1));
  await gateway.connect(nodes.node(1));
  const { body } = await nodes.call(1, "GET", `/api/v1/commands/${id}?wait=30`);
  assertEquals([body.status, gateway.done.get("once")], ["succeeded", 1]);
  nodes.node(0).program.kill("SIGCONT");
  // It finds out that it was given up, joins anew, and works with the others again.
  const again = await until("a command of the node that woke", async () => {
    const answer = await nodes.call(0, "POST", `${commandsOf(gateway)}?wait=20`, asked("after"));
    return answer.status === 200 && answer.body;
  });
  assertEquals([again.status, gateway.done.get("once"), gateway.done.get("after")], ["succeeded", 1, 1]);
  assertEquals((await nodes.call(0, "GET", `/api/v1/commands/${id}`)).body.status, "succeeded");
  assert(nodes.node(0).program.log().includes("joined anew"), nodes.node(0).program.log());
});

withNodes(
  "a node that wakes gives up the channel of a gateway that opened another one elsewhere meanwhile",
  async (nodes) => {
    await using before = await gatewayAt(nodes, 0);
    nodes.node(0).program.kill("SIGSTOP");
    await until(
      "it is given up",
      () => Promise.resolve(nodes.node(1).program.log().includes("a node is gone")),
    );
    // The gateway's line was cut, and it comes again; the node that was paused has heard nothing of that.
    await using after = new ClusterGateway(before.me);
    await after.register(nodes.node(1));
    await after.connect(nodes.node(1));
    nodes.node(0).program.kill("SIGCONT");
    let closed = false;
    void before.closed.then(() => closed = true);
    await until("the old one is closed", () => Promise.resolve(closed)).catch((error) => {
      throw new Error(`${nodes.node(0).program.log()}\n${nodes.node(1).program.log()}`, { cause: error });
    });
    for (const i of [0, 1, 0]) {
      const { body } = await nodes.call(i, "POST", `${commandsOf(after)}?wait=20`, asked(`over ${i}`));
      assertEquals(body.status, "succeeded", JSON.stringify(body));
    }
    assertEquals([after.done.get("over 0"), after.done.get("over 1"), before.done.size], [2, 1, 0]);
  },
);

withNodes(
  "SIGTERM hands channels over: what is under way ends, and the rest goes on elsewhere",
  async (nodes) => {
    await using gateway = await gatewayAt(nodes, 0);
    const { promise: held, resolve: go } = Promise.withResolvers<void>();
    gateway.hold = held;
    const asking = nodes.call(1, "POST", `${commandsOf(gateway)}?wait=30`, asked("under way"));
    await until("at the gateway", () => Promise.resolve(gateway.done.get("under way") === 1));
    nodes.node(0).program.kill("SIGTERM");
    await until(
      "it takes nothing new",
      () => nodes.call(0, "GET", "/healthz").then(({ status }) => status === 503, () => true),
    );
    go();
    assertEquals((await asking).body.status, "succeeded");
    await gateway.closed; // by Disconnect
    assertEquals(await gateway.beat(nodes.node(1)), { Result: 0 });
    const next = nodes.call(1, "POST", `${commandsOf(gateway)}?wait=30`, asked("next"));
    await gateway.triggered();
    await gateway.accept(nodes.node(1));
    await gateway.connect(nodes.node(1));
    assertEquals([(await next).body.status, gateway.done.get("next")], ["succeeded", 1]);
    assertEquals((await nodes.node(0).program.status).code, 0);
  },
);

withNodes(
  "three nodes that are restarted one after the other fail no app's call behind a balancer that goes on to the next",
  async (nodes) => {
    await using stack = new AsyncDisposableStack();
    const balancer = stack.use(startBalancer(nodes));
    const ask: Ask = async (method, path, body, token) => {
      const response = await fetch(balancer.url + path, {
        method,
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() as Json };
    };
    const fleet = Array.from({ length: 6 }, (_, i) => new ClusterGateway(identity(i + 1)));
    await nodes.preset(...fleet.map(({ me }) => me));
    const over = new AbortController(), lives: Promise<void>[] = [];
    for (const gateway of fleet) stack.use(gateway);
    stack.defer(async () => {
      over.abort();
      await Promise.all(lives);
    });
    for (const [i, gateway] of fleet.entries()) {
      await gateway.register(nodes.node(i % 3));
      lives.push(gateway.live(nodes, i % 3, over.signal));
    }
    const failed: string[] = [];
    let calls = 0, done = false;
    const asking = fleet.map(async ({ me }, i) => {
      const user = await AppUser.begin(ask, `user.${i}`, [me]);
      for (let n = 0; !done; n++, calls++) {
        const { status, body } = await user.postToItsEnd(
          me.mac,
          { CmdType: "ASK", Tag: `${i}-${n}` },
          30_000,
        );
        if (status !== 200 || body.status !== "succeeded") failed.push(`${status} ${JSON.stringify(body)}`);
        await new Promise((resolve) => setTimeout(resolve, 60)); // at most so many posts a second are a user's
      }
    });
    const more = (n: number) => {
      const before = calls;
      return until(`${n} more calls`, () => Promise.resolve(calls >= before + n), 60_000);
    };
    await more(30);
    for (const i of [0, 1, 2]) {
      nodes.node(i).program.kill("SIGTERM");
      assertEquals((await nodes.node(i).program.status).code, 0);
      await nodes.restart(i);
      await more(30);
    }
    done = true;
    await Promise.all(asking);
    assertEquals(failed, [], `of ${calls} calls`);
    assert(balancer.passedOn > 0);
    const twice = fleet.flatMap(({ done }) => [...done].filter(([, times]) => times !== 1));
    assertEquals(twice, []);
  },
  3,
);

withNodes(
  "a rollout runs once, moves when its node dies, and begins with no gateway twice",
  async (nodes) => {
    const gateways = await Promise.all(Array.from({ length: 6 }, (_, i) => gatewayAt(nodes, i % 3, i + 1)));
    await using stack = new AsyncDisposableStack();
    for (const gateway of gateways) stack.use(gateway);
    const over = new AbortController();
    const lives = gateways.map((gateway, i) => gateway.live(nodes, i % 3, over.signal));
    stack.defer(async () => {
      over.abort();
      await Promise.all(lives);
    });
    const { status, body: made } = await nodes.call(1, "POST", "/api/v1/rollouts", {
      name: "tell them",
      action: { kind: "post", parameter: { CmdType: "ASK", Tag: "roll" } },
      maxInFlight: 1,
      stages: [{ percent: 100, successThreshold: 0, errorThreshold: 100 }],
    });
    assertEquals(status, 201, JSON.stringify(made));
    const { promise: held, resolve: go } = Promise.withResolvers<void>();
    for (const gateway of gateways) gateway.hold = held;
    await nodes.call(2, "POST", `/api/v1/rollouts/${made.id}/start`);
    const begun = () => gateways.filter(({ done }) => done.has("roll")).length;
    await until("the first gateway is asked", () => Promise.resolve(begun() === 1));
    const seer = await until(
      "who sees to it",
      () => Promise.resolve(nodes.all.find(({ program }) => program.log().includes("sees to rollouts now"))),
    );
    seer.program.kill("SIGKILL");
    await seer.program.status;
    go();
    const left = nodes.all.findIndex((node) => node !== seer);
    const end = await until("its end", async () => {
      const { body } = await nodes.call(left, "GET", `/api/v1/rollouts/${made.id}`);
      return body.status === "finished" && body;
    }, 120_000);
    const times = gateways.map(({ done }) => done.get("roll") ?? 0);
    assertEquals(times, gateways.map(() => 1), JSON.stringify(end));
  },
  3,
);

Deno.test({
  name:
    `without NATS a node goes on with its own gateways, waits with those of others, and all is well after${whyNats}`,
  ignore: !there || noNats !== undefined,
  async fn() {
    await using nats = await startOwnNats();
    await using nodes = await startNodes({ count: 2, nats: nats.url });
    await using near = await gatewayAt(nodes, 0, 1);
    await using far = await gatewayAt(nodes, 1, 2);
    await nats.stop();
    await until("it is told", async () => {
      const { body } = await nodes.call(0, "GET", "/healthz");
      return body.status === "degraded";
    });
    assertEquals(await near.beat(nodes.node(0)), { Result: 0 });
    const own = await nodes.call(0, "POST", `${commandsOf(near)}?wait=20`, asked("near"));
    assertEquals(own.body.status, "succeeded");
    const other = await nodes.call(0, "POST", commandsOf(far), asked("far"));
    assertEquals(other.status, 202);
    assertEquals(far.done.get("far"), undefined);
    await nats.start();
    const { body } = await nodes.call(0, "GET", `/api/v1/commands/${other.body.id}?wait=30`);
    assertEquals([body.status, far.done.get("far")], ["succeeded", 1]);
    await until("it is told", async () => (await nodes.call(0, "GET", "/healthz")).body.status === "up");
  },
});

Deno.test({
  name:
    `under load, each way to lose a node or NATS loses no command that was acknowledged, and does none twice${whyNats}`,
  ignore: !there || noNats !== undefined,
  async fn() {
    const faults: readonly Fault[] = ["kill", "pause", "drain", "nats"];
    const askers = 4, users = 2;
    const result = await clusterChaos({ faults, gateways: 6, askers, users, calmMs: 3000 });
    const shown = JSON.stringify(result);
    assertEquals(result.breaches, []);
    assert(result.byApps > 20 && result.acknowledged - result.byApps > 20, shown);
    assert((result.ended.succeeded ?? 0) > 0.5 * result.acknowledged, shown);
    assert(result.rollouts > 0 && result.rolledOut > 6, shown);
    // What callers see of a fault ends within 5 s on a machine of its own; here others may have it for a while.
    for (const fault of ["kill", "drain", "nats"]) {
      assert(result.faults[fault]!.worstWindowMs < 20_000, shown);
    }
    // Cut off is who had asked the node that was killed or paused; refused, who came while no node could take it.
    assert(result.cutOff <= faults.length * (askers + users), shown);
    assert(result.refused <= faults.length * (askers + users) + result.acknowledged / 20, shown);
  },
});

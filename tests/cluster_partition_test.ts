/**
 * Nodes whose network is cut: PostgreSQL and NATS run in a network namespace of their own, each node has cables of its
 * own to them, and what goes over one is dropped without a word, as by a switch that has gone.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ClusterLoad } from "./support/cluster_load.ts";
import { type Namespace, Namespaces, unless, without, withoutNamespaces } from "./support/namespaces.ts";
import { ClusterGateway, type Nodes, startNodes, until } from "./support/nodes.ts";
import { noNatsBecause, startOwnNats } from "./support/own_nats.ts";
import { noPostgresBecause, startOwnPostgres } from "./support/own_postgres.ts";
import { identity } from "./support/scripted_gateway.ts";

const missing = await withoutNamespaces() ?? await without("nft") ?? await noNatsBecause() ??
  await noPostgresBecause();

/** Cables: of the node that is cut off to either server, and of all others. */
const CABLES = ["others", "bus", "data"] as const;
type Cable = typeof CABLES[number];

/** Addresses of a cable's ends: the servers', and this side's. From the range for benchmarks (RFC 2544). */
let place = Math.floor(Math.random() * 250);
const address = (cable: Cable, end: 1 | 2) => `198.18.${place}.${4 * CABLES.indexOf(cable) + end}`;

const LEASE_S = 2;

class Servers {
  constructor(private readonly space: Namespace) {}

  async cut(...cables: Cable[]): Promise<void> {
    await this.space.run("nft", "add", "table", "inet", "cut");
    for (const [hook, side] of [["input", "iifname"], ["output", "oifname"]] as const) {
      await this.space.run("nft", `add chain inet cut ${hook} { type filter hook ${hook} priority 0; }`);
      for (const cable of cables) {
        await this.space.run("nft", `add rule inet cut ${hook} ${side} ${cable} drop`);
      }
    }
  }

  async heal(): Promise<void> {
    await this.space.run("nft", "delete", "table", "inet", "cut");
  }
}

/** Three nodes under load; node 3 is cut off while `during` looks, which `after` it is healed. */
function partition(
  name: string,
  cables: Cable[],
  during: (nodes: Nodes, own: ClusterGateway) => Promise<void>,
  after: (nodes: Nodes) => Promise<unknown>,
): void {
  Deno.test({
    ...unless(name, missing),
    async fn() {
      place = (place + 1) % 250; // an interface is not gone the moment that its namespace is
      await using stack = new AsyncDisposableStack();
      const spaces = stack.use(new Namespaces()), space = await spaces.make("servers");
      for (const cable of CABLES) {
        await spaces.cableOut(space, cable, `${address(cable, 2)}/30`, `${address(cable, 1)}/30`);
      }
      const servers = new Servers(space), { within } = space;
      const nats = stack.use(await startOwnNats(undefined, { within, address: address("others", 2) }));
      const { port } = stack.use(await startOwnPostgres(within));
      const at = (i: number, own: Cable) => address(i === 2 ? own : "others", 2);
      const nodes = stack.use(
        await startNodes({
          count: 3,
          leaseSeconds: LEASE_S,
          heartbeatSeconds: 5,
          database: (i) => `postgres://postgres@${at(i, "data")}:${port}/postgres`,
          nats: (i) => `nats://${at(i, "bus")}:${nats.port}`,
        }),
      );
      // A gateway that stays with the node that is cut off, and some that are anywhere.
      const own = stack.use(new ClusterGateway(identity(99)));
      const fleet = Array.from({ length: 6 }, (_, i) => stack.use(new ClusterGateway(identity(i + 1))));
      await nodes.preset(own.me, ...fleet.map(({ me }) => me));
      await own.register(nodes.node(2));
      await own.connect(nodes.node(2));
      const over = new AbortController(), lives: Promise<void>[] = [];
      stack.defer(async () => {
        over.abort();
        await Promise.all(lives);
      });
      for (const [i, gateway] of fleet.entries()) {
        await gateway.register(nodes.node(i % 3));
        lives.push(gateway.live(nodes, i % 3, over.signal));
      }
      const load = new ClusterLoad(nodes, fleet, over.signal, [own]);
      await load.begin(3, 1);
      await new Promise((resolve) => setTimeout(resolve, 3000)); // of load before the cut
      await servers.cut(...cables);
      try {
        await during(nodes, own);
      } finally {
        await servers.heal();
      }
      await after(nodes);
      await until(
        "node 3 is well",
        async () => (await nodes.call(2, "GET", "/healthz")).body.status === "up",
      );
      for (const i of [0, 1, 2]) {
        const { mac } = fleet[i]!.me, path = `/api/v1/gateways/${mac}/commands?wait=20`;
        await until(`node ${i + 1} reaches the gateways`, async () => {
          const parameter = { CmdType: "ASK", Tag: `after ${i}` };
          const { body } = await nodes.call(i, "POST", path, { parameter, timeoutMs: 20_000 });
          return body.status === "succeeded";
        });
      }
      await load.stop();
      const result = await load.judge(), shown = JSON.stringify(result);
      assertEquals(result.breaches, []);
      assert(result.acknowledged > 20 && (result.ended.succeeded ?? 0) > 20 && result.rolledOut > 0, shown);
    },
  });
}

const ask = (nodes: Nodes, i: number, { me }: ClusterGateway, tag: string) =>
  nodes.call(i, "POST", `/api/v1/gateways/${me.mac}/commands?wait=20`, {
    parameter: { CmdType: "ASK", Tag: tag },
    timeoutMs: 20_000,
  });
const logOf = (nodes: Nodes, i: number) => nodes.node(i).program.log();
const givenUp = (nodes: Nodes) =>
  until(
    "the others give it up",
    () => Promise.resolve([0, 1].some((i) => logOf(nodes, i).includes("a node is gone"))),
  );
const joinedAnew = (nodes: Nodes) =>
  until("it joins anew", () => Promise.resolve(logOf(nodes, 2).includes("joined anew")), 60_000);

partition(
  "a node cut off from NATS alone keeps its lease and its own gateways, and loses no command and does none twice",
  ["bus"],
  async (nodes, own) => {
    await until(
      "it is told",
      async () => (await nodes.call(2, "GET", "/healthz")).body.status === "degraded",
      60_000,
    ).catch((error) => {
      throw new Error(logOf(nodes, 2), { cause: error });
    });
    assertEquals(await own.beat(nodes.node(2)), { Result: 0 });
    assertEquals((await ask(nodes, 2, own, "own")).body.status, "succeeded");
    assertEquals(own.done.get("own"), 1);
  },
  (nodes) => {
    assert(!logOf(nodes, 2).includes("joined anew"), "PostgreSQL was there: nobody gave it up");
    return Promise.resolve();
  },
);

partition(
  "a node cut off from PostgreSQL alone answers heartbeats, refuses the rest, is given up and acts on nothing it held",
  ["data"],
  cutOffFromData,
  joinedAnew,
);

partition(
  "a node cut off from both is as one that is gone, and comes back as a new one",
  ["data", "bus"],
  cutOffFromData,
  joinedAnew,
);

async function cutOffFromData(nodes: Nodes, own: ClusterGateway): Promise<void> {
  await givenUp(nodes);
  assertEquals(await own.beat(nodes.node(2)), { Result: 0 });
  const refused = await ask(nodes, 2, own, "refused");
  assertEquals(refused.status, 503, JSON.stringify(refused.body));
  assert(
    ["no_lease", "database_unavailable"].includes(String(refused.body.code)),
    JSON.stringify(refused.body),
  );
  assertEquals(own.done.get("refused"), undefined);
  assertEquals((await nodes.call(0, "GET", "/healthz")).body.status, "up");
}

import { assert, assertEquals } from "@std/assert";
import { silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { Owners } from "./owners.ts";
import { eventually, LEASE_MS, type NodesStage, onPostgres, type TestNode } from "./testing.ts";

const MAC = "64D954000001", OTHER = "64D954000002";

interface OwningNode extends TestNode {
  readonly owners: Owners;
  /** Claims that it told the others of. */
  readonly told: string[];
}

async function owningNode(stage: NodesStage, name: string): Promise<OwningNode> {
  const node = await stage.join(name);
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(node.clock, silentLog), told: string[] = [];
  bus.subscribe("gateway.claimed", ({ mac, held }) => void told.push(`${held} ${mac}`));
  const owners = new Owners(node.deps, stage.db, node.membership, bus);
  return {
    ...node,
    owners,
    told,
    async [Symbol.asyncDispose]() {
      await owners[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

/** Claims, and waits until that is on disk. */
async function claim({ owners }: OwningNode, mac: string, held: "association" | "channel" = "association") {
  owners.claim(mac, held);
  await eventually(() => owners.confirmed(mac, held));
}

/** Has `node` be given up by `other`, and know nothing of it. */
async function giveUp(stage: NodesStage, node: string, other: TestNode): Promise<void> {
  await stage.expire(node);
  for (let n = 0; n < 4; n++) await other.beat();
}

onPostgres("two nodes that claim a gateway in turns: the last one has it", async (stage) => {
  await using a = await owningNode(stage, "a");
  await using b = await owningNode(stage, "b");
  assertEquals(await a.owners.ownerOf(MAC, "association"), undefined);
  for (const [one, other] of [[a, b], [b, a], [a, b]] as const) {
    await claim(one, MAC);
    other.owners.release(MAC); // as it does when it hears of that
    other.owners.doubt(MAC, "association");
    assertEquals(await other.owners.ownerOf(MAC, "association"), one.membership.self);
    assertEquals(await one.owners.still([MAC, OTHER]), new Set([MAC]));
    assertEquals(await other.owners.still([MAC, OTHER]), new Set());
  }
  assertEquals(a.told, [`association ${MAC}`, `association ${MAC}`]);
});

onPostgres("what a node writes under an epoch that is over counts for nothing", async (stage) => {
  await using a = await owningNode(stage, "a");
  await using b = await owningNode(stage, "b");
  await claim(a, MAC, "channel");
  await giveUp(stage, "a", b);
  assertEquals(await b.owners.ownerOf(MAC, "channel"), undefined);
  a.owners.claim(OTHER); // it was paused, and knows nothing of that
  await eventually(() => a.clock.pendingTimers === 2); // to renew its lease, and to write again what was refused
  assertEquals([a.membership.held, a.owners.confirmed(OTHER)], [true, false]);
  assertEquals(await b.owners.ownerOf(OTHER, "association"), undefined);
  // Nor does it take from another one what it held before.
  await claim(b, MAC, "channel");
  a.owners.channelClosed(MAC);
  await a.owners[Symbol.asyncDispose]();
  a.owners.doubt(MAC, "channel");
  assertEquals(await a.owners.ownerOf(MAC, "channel"), b.membership.self);
});

onPostgres(
  "a node whose lease is over writes nothing, and makes up for it when it has one",
  async (stage) => {
    await using a = await owningNode(stage, "a");
    await using b = await owningNode(stage, "b");
    a.clock.pause(LEASE_MS);
    a.owners.claim(MAC);
    await eventually(() => a.clock.pendingTimers === 2); // to renew its lease, and to write again
    assertEquals([a.owners.has(MAC), a.owners.confirmed(MAC)], [true, false]);
    assertEquals(await b.owners.ownerOf(MAC, "association"), undefined);
    assertEquals(await a.owners.still([MAC]), new Set([MAC]), "what is not yet written counts as held");
    await a.clock.advance(LEASE_MS / 4);
    await eventually(() => a.membership.held);
    await a.clock.advance(1000);
    await eventually(() => a.owners.confirmed(MAC));
    assertEquals(await b.owners.ownerOf(MAC, "association"), a.membership.self);
  },
);

onPostgres(
  "a node that joined anew takes its open channels back, but none that was opened elsewhere meanwhile",
  async (stage) => {
    await using a = await owningNode(stage, "a");
    await using b = await owningNode(stage, "b");
    const lost: string[] = [];
    a.owners.onChannelLost((mac) => lost.push(mac));
    for (const mac of [MAC, OTHER]) await claim(a, mac, "channel");
    await claim(a, MAC);
    await giveUp(stage, "a", b);
    await claim(b, OTHER, "channel");
    await a.beat();
    await eventually(() => lost.length > 0 && a.owners.confirmed(MAC, "channel"));
    assertEquals(lost, [OTHER]);
    assertEquals(a.owners.has(MAC), false, "whether it still hears it, the next heartbeat says");
    b.owners.doubt(MAC, "channel");
    assertEquals(await b.owners.ownerOf(MAC, "channel"), a.membership.self);
    assertEquals(await b.owners.ownerOf(OTHER, "channel"), b.membership.self);
  },
);

onPostgres("what is remembered of a node is forgotten when it is gone", async (stage) => {
  await using a = await owningNode(stage, "a");
  await using b = await owningNode(stage, "b");
  await claim(a, MAC);
  assertEquals(await b.owners.ownerOf(MAC, "association"), a.membership.self);
  await giveUp(stage, "a", b);
  assert(!b.membership.isLive(a.membership.self));
  assertEquals(await b.owners.ownerOf(MAC, "association"), undefined);
});

onPostgres("many claims at once by two nodes all come to an end, each gateway one node's", async (stage) => {
  await using a = await owningNode(stage, "a");
  await using b = await owningNode(stage, "b");
  const macs = Array.from({ length: 300 }, (_, n) => `64D955${String(n).padStart(6, "0")}`);
  for (const mac of macs) a.owners.claim(mac);
  for (const mac of macs.toReversed()) b.owners.claim(mac);
  await eventually(() => macs.every((mac) => a.owners.confirmed(mac) && b.owners.confirmed(mac)));
  const [ofA, ofB] = [await a.owners.still(macs), await b.owners.still(macs)];
  assertEquals([ofA.size + ofB.size, ofA.intersection(ofB).size], [300, 0]);
});

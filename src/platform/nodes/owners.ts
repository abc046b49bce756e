/**
 * Who holds which gateway: the node that hears its heartbeats, and the node that its plug-in channel ends at.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import type { NodeAddress } from "../../cluster/mod.ts";
import { WriteBatch, writesWaiting } from "../../storage/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { Membership } from "./membership.ts";
import type { NodeTables } from "./schema.ts";

/** What of a gateway is held: `association` is the UDP socket that its NAT lets through. */
export type Held = "association" | "channel";

/** How long until what could not be written is tried again; how many look-ups of others' gateways are remembered. */
const AGAIN_MS = 1000;
const REMEMBERED = 200_000;
/** Writes that may wait for the database; what does not fit is tried again like what could not be written. */
const MAX_WAITING = 200_000;

const COLUMNS = {
  association: { node: "node", epoch: "epoch" },
  channel: { node: "channel_node", epoch: "channel_epoch" },
} as const;

interface Write {
  readonly held: Held;
  readonly mac: string;
  /** `again`: what this node had in an earlier life, and has still unless another one that lives has it by now. */
  readonly claim: boolean | "again";
}

/** What this node holds, and who holds the rest. */
export class Owners implements AsyncDisposable {
  readonly #own: Record<Held, Set<string>> = { association: new Set(), channel: new Set() };
  readonly #others: Record<Held, Map<string, NodeAddress>> = { association: new Map(), channel: new Map() };
  /** Claims that are not on disk yet. */
  readonly #waiting = new Map<string, Write>();
  readonly #writes: WriteBatch<Write>;
  readonly #onChannelLost: ((mac: string) => void)[] = [];
  #timer: Timer | undefined;
  #closed = false;

  constructor(
    private readonly deps: Deps,
    private readonly db: Kysely<NodeTables>,
    private readonly membership: Membership,
    private readonly bus: PlatformBus,
  ) {
    this.#writes = new WriteBatch((writes) => this.#writeAll(writes), undefined, MAX_WAITING);
    deps.metrics.gauge(...writesWaiting("owners", () => this.waiting));
    deps.metrics.gauge(
      "gatehouse_owned_gateways",
      "Gateways whose heartbeats come to this node",
      () => this.#own.association.size,
    );
    membership.onGone((gone) => {
      for (const cache of Object.values(this.#others)) {
        for (const [mac, { node, epoch }] of cache) {
          if (node === gone.node && epoch <= gone.epoch) cache.delete(mac);
        }
      }
    });
    membership.onRejoined(() => {
      this.#own.association.clear();
      this.#waiting.clear();
      // A channel that is open may be one that its gateway has given up: it may have opened another one elsewhere.
      for (const mac of this.#own.channel) this.#write({ held: "channel", mac, claim: "again" });
    });
  }

  /** Calls `handler` for each gateway whose channel this node held, and that has opened another one elsewhere. */
  onChannelLost(handler: (mac: string) => void): void {
    this.#onChannelLost.push(handler);
  }

  /** Writes that wait for the database. */
  get waiting(): number {
    return this.#writes.pending;
  }

  /** Whether this node holds it. */
  has(mac: string, held: Held = "association"): boolean {
    return this.#own[held].has(mac);
  }

  /** Whether that is on disk too. */
  confirmed(mac: string, held: Held = "association"): boolean {
    return this.#own[held].has(mac) && !this.#waiting.has(`${held} ${mac}`);
  }

  /** Takes it: the gateway speaks to this node. Others are told, and asked later where that can't be written now. */
  claim(mac: string, held: Held = "association"): void {
    this.#own[held].add(mac);
    this.#others[held].delete(mac);
    this.#write({ held, mac, claim: true });
  }

  /** It is no longer held here: another node has it, or nobody. */
  release(mac: string, held: Held = "association"): void {
    this.#own[held].delete(mac);
    this.#waiting.delete(`${held} ${mac}`);
  }

  /** This node's channel of the gateway is closed. */
  channelClosed(mac: string): void {
    if (!this.#own.channel.has(mac)) return;
    this.release(mac, "channel");
    this.#write({ held: "channel", mac, claim: false });
  }

  /** What was heard of another node: it holds it now. */
  heard(mac: string, held: Held, node: NodeAddress): void {
    this.#others[held].delete(mac);
    if (this.#others[held].size < REMEMBERED) this.#others[held].set(mac, node);
  }

  /** Another node says that a channel ends there which this one holds too: the database says whose it is. */
  async recheckChannel(mac: string): Promise<void> {
    if (!this.confirmed(mac, "channel")) return;
    try {
      const row = await this.#row(mac, "channel");
      if (!row || row.node === this.membership.self.node || !this.confirmed(mac, "channel")) return;
      this.release(mac, "channel");
      this.heard(mac, "channel", row);
      for (const handler of this.#onChannelLost) handler(mac);
    } catch (error) {
      this.deps.log.warn("whose channel it is could not be looked up", { mac, error: messageOf(error) });
    }
  }

  /** What was known of another node turned out wrong. */
  doubt(mac: string, held: Held): void {
    this.#others[held].delete(mac);
  }

  /** Who holds it; undefined: nobody that lives. */
  async ownerOf(mac: string, held: Held): Promise<NodeAddress | undefined> {
    if (this.#own[held].has(mac)) return this.membership.self;
    const known = this.#others[held].get(mac);
    if (known && this.membership.isLive(known)) return known;
    const row = await this.#row(mac, held);
    if (!row || row.node === this.membership.self.node) return undefined;
    this.heard(mac, held, row);
    return row;
  }

  /** Those of `macs` whose association this node holds, by the database. Whatever is not yet written counts as held. */
  async still(macs: readonly string[]): Promise<Set<string>> {
    const { node, epoch } = this.membership.self, held = new Set<string>();
    for (let at = 0; at < macs.length; at += 1000) {
      const rows = await this.db.selectFrom("gateway_owner").select("mac")
        .where("mac", "in", macs.slice(at, at + 1000)).where("node", "=", node).where("epoch", "=", epoch)
        .execute();
      for (const { mac } of rows) held.add(mac);
    }
    for (const mac of macs) if (this.#waiting.has(`association ${mac}`)) held.add(mac);
    return held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#writes.flush();
  }

  /** Which living node has it, by the database. */
  #row(mac: string, held: Held): Promise<NodeAddress | undefined> {
    const { node, epoch } = COLUMNS[held];
    return this.db.selectFrom("gateway_owner as o")
      .innerJoin(
        "cluster_node as n",
        (join) => join.onRef("n.node", "=", `o.${node}`).onRef("n.epoch", "=", `o.${epoch}`),
      )
      .select(["n.node", "n.epoch"]).where("o.mac", "=", mac).executeTakeFirst();
  }

  #write(write: Write): void {
    const key = `${write.held} ${write.mac}`;
    this.#waiting.set(key, write);
    this.#writes.write(write).then(() => {
      if (this.#waiting.get(key) !== write) return;
      this.#waiting.delete(key);
      if (write.claim === "again") return void this.recheckChannel(write.mac);
      if (write.claim) this.bus.publish("gateway.claimed", { mac: write.mac, held: write.held });
    }, (error) => {
      this.deps.log.warn("a gateway's owner was not written", { mac: write.mac, error: messageOf(error) });
      if (!this.#closed) this.#timer ??= this.deps.clock.setTimer(() => this.#again(), AGAIN_MS);
    });
  }

  #again(): void {
    this.#timer = undefined;
    for (const write of [...this.#waiting.values()]) this.#write(write);
  }

  async #writeAll(writes: readonly Write[]): Promise<void> {
    if (!this.membership.held) throw new Error("this node's lease is over");
    await this.db.transaction().execute(async (tx) => {
      // A node that was paused on its way here may have been given up since: what it says no longer counts.
      const { node, epoch } = await this.membership.fence(tx);
      for (const held of ["association", "channel"] as const) {
        const columns = COLUMNS[held];
        // The last word on each counts. In one order, so that nodes that write at the same time don't wait in a circle.
        const last = new Map(
          writes.filter((write) => write.held === held).map((write) => [write.mac, write]),
        );
        const macs = [...last.keys()].sort();
        for (const claim of [true, "again"] as const) {
          const claimed = macs.filter((mac) => last.get(mac)!.claim === claim);
          if (claimed.length === 0) continue;
          await tx.insertInto("gateway_owner")
            .values(claimed.map((mac) => ({ mac, [columns.node]: node, [columns.epoch]: epoch })))
            .onConflict((conflict) => {
              const taken = conflict.column("mac").doUpdateSet({
                [columns.node]: node,
                [columns.epoch]: epoch,
              });
              return claim === true ? taken : taken.where((eb) =>
                eb.not(eb.exists(
                  eb.selectFrom("cluster_node as n").select("n.node")
                    .whereRef("n.node", "=", `gateway_owner.${columns.node}`)
                    .whereRef("n.epoch", "=", `gateway_owner.${columns.epoch}`)
                    .where("n.node", "<>", node),
                ))
              );
            }).execute();
        }
        const released = macs.filter((mac) => !last.get(mac)!.claim);
        if (released.length > 0) {
          await tx.updateTable("gateway_owner").set({ [columns.node]: null, [columns.epoch]: null })
            .where("mac", "in", released).where(columns.node, "=", node).where(columns.epoch, "=", epoch)
            .execute();
        }
      }
    });
  }
}

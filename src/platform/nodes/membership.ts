/**
 * This node's membership: a lease in the database that it renews, and what became of the others.
 *
 * A lease says until when a node may act. A node whose lease is over may be given up by any other: its epoch is
 * counted up, and from then on nothing that it wrote under the old one counts, and nothing that it writes is taken.
 * So a node that was paused, cut off or slow finds out at its next write, whatever it believes; and one that comes
 * back in time, because the database was away from everybody, goes on as if nothing had been.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, GatehouseError, messageOf, newId, sleep } from "../../base/mod.ts";
import type { NodeAddress } from "../../cluster/mod.ts";
import { DATABASE_NOW, type NodeTables } from "./schema.ts";

/** - `node_taken`: another process runs under this node's name */
export class NodeError extends GatehouseError<"node_taken"> {
  override readonly name = "NodeError";
}

/** Who this node is, and for how long a lease holds. */
export interface MembershipSettings {
  readonly node: string;
  readonly leaseMs: number;
}

/** How often within a lease it is renewed, so that one slow answer loses nothing. */
const RENEWALS = 4;
/** How much less the last good word on the time is worth with each look that brings no better one. */
const TIME_FADES = 1.1;

/** This node among the others. Dispose of it to leave: what it held is free at once. */
export class Membership implements AsyncDisposable {
  #epoch = 0;
  /** Monotonic times. */
  #heldUntil = -Infinity;
  #heldSince = -Infinity;
  /** The database's clock, less this node's monotonic one, and how long the answer took that told it. */
  #ahead = 0;
  #aheadWithinMs = Infinity;
  #live = new Map<string, number>();
  readonly #stop = new AbortController();
  #life: Promise<void> = Promise.resolve();
  readonly #onGone: ((gone: NodeAddress) => void)[] = [];
  readonly #onRejoined: (() => void)[] = [];

  private constructor(
    private readonly deps: Deps,
    private readonly db: Kysely<NodeTables>,
    private readonly settings: MembershipSettings,
    /** The cluster's own name, made once. */
    readonly cluster: string,
  ) {}

  /** Joins. @throws {NodeError} where another process holds that name, and keeps renewing it */
  static async join(deps: Deps, db: Kysely<NodeTables>, settings: MembershipSettings): Promise<Membership> {
    await db.insertInto("cluster").values({ id: 1, name: newId() }).onConflict((c) => c.doNothing())
      .execute();
    const { name } = await db.selectFrom("cluster").select("name").where("id", "=", 1)
      .executeTakeFirstOrThrow();
    const membership = new Membership(deps, db, settings, name);
    await membership.#awaitName();
    await membership.#enter();
    await membership.#look();
    membership.#life = membership.#keep();
    return membership;
  }

  /** This node, in its life of the moment. */
  get self(): NodeAddress {
    return { node: this.settings.node, epoch: this.#epoch };
  }

  /** Whether this node may act, as far as it can know: nobody can have given it up yet. */
  get held(): boolean {
    return this.deps.clock.monotonic() < this.#heldUntil;
  }

  /** The nodes that live, this one among them, as of the last look. */
  get live(): NodeAddress[] {
    return [...this.#live].map(([node, epoch]) => ({ node, epoch }));
  }

  /** Whether a node lives in that life, as of the last look. */
  isLive({ node, epoch }: NodeAddress): boolean {
    return this.#live.get(node) === epoch;
  }

  /** Calls `handler` for each node that left or was given up. */
  onGone(handler: (gone: NodeAddress) => void): void {
    this.#onGone.push(handler);
  }

  /** Calls `handler` when this node was given up by others and has joined anew: it holds nothing of what it held. */
  onRejoined(handler: () => void): void {
    this.#onRejoined.push(handler);
  }

  /**
   * The time that all nodes share: milliseconds since 1970 by the database's clock, as this node last heard it and has
   * counted on since, so that no node's own time of day matters. Right within the time that an answer takes.
   */
  now(): number {
    return this.deps.clock.monotonic() + this.#ahead;
  }

  /**
   * Whether this node does `duty` for all, taking it over where nobody does. What is done in its name is fenced by
   * the row: see {@linkcode Membership.guard}.
   */
  async holds(duty: string): Promise<boolean> {
    if (!this.held) return false;
    const { node, epoch } = this.self;
    const row = await this.db.insertInto("cluster_duty").values({ name: duty, node, epoch })
      .onConflict((conflict) =>
        conflict.column("name").doUpdateSet({ node, epoch }).where((eb) =>
          eb.or([
            eb.and([eb("cluster_duty.node", "=", node), eb("cluster_duty.epoch", "=", epoch)]),
            eb.not(eb.exists(
              eb.selectFrom("cluster_node as n").select("n.node")
                .whereRef("n.node", "=", "cluster_duty.node").whereRef("n.epoch", "=", "cluster_duty.epoch"),
            )),
          ])
        )
      ).returning("name").executeTakeFirst();
    return row !== undefined;
  }

  /** Within a transaction: throws unless this node does `duty`, and lets nobody take it over before the end. */
  async guard(tx: Kysely<NodeTables>, duty: string): Promise<void> {
    const { node, epoch } = this.self;
    const row = await tx.selectFrom("cluster_duty").select("name").where("name", "=", duty)
      .where("node", "=", node).where("epoch", "=", epoch)
      .where((eb) =>
        eb.exists(
          eb.selectFrom("cluster_node as n").select("n.node").where("n.node", "=", node)
            .where("n.epoch", "=", epoch),
        )
      ).forShare().executeTakeFirst();
    if (!row) throw new Error(`another node does "${duty}" now`);
  }

  /** Within a transaction: who this node is, whom nobody gives up before the end. @throws where that has happened */
  async fence(tx: Kysely<NodeTables>): Promise<NodeAddress> {
    const { node, epoch } = this.self;
    const row = await tx.selectFrom("cluster_node").select("node").where("node", "=", node)
      .where("epoch", "=", epoch).forShare().executeTakeFirst();
    if (!row) throw new Error("the others have given this node up");
    return { node, epoch };
  }

  /** Leaves: what this node held is free for the others. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#life;
    this.#heldUntil = -Infinity;
    const { node, epoch } = this.self;
    await this.db.updateTable("cluster_node").set({ expires_at: 0, epoch: epoch + 1 })
      .where("node", "=", node).where("epoch", "=", epoch).execute()
      .catch((error) =>
        this.deps.log.warn("this node could not say that it leaves", { error: messageOf(error) })
      );
  }

  /** A name in use is waited for as long as a lease lasts: a node that was killed may come back under its name. */
  async #awaitName(): Promise<void> {
    const read = () =>
      this.db.selectFrom("cluster_node").select(["expires_at", DATABASE_NOW.as("now")])
        .where("node", "=", this.settings.node).executeTakeFirst();
    const first = await read();
    if (!first || first.expires_at < first.now) return;
    for (;;) {
      await sleep(this.deps.clock, Math.max(50, this.settings.leaseMs / 10));
      const row = await read();
      if (!row || row.expires_at < row.now) return;
      if (row.expires_at === first.expires_at) continue;
      throw new NodeError(
        "node_taken",
        `another process is node "${this.settings.node}": give this one its own name`,
      );
    }
  }

  async #enter(): Promise<void> {
    const { node, leaseMs } = this.settings, began = this.deps.clock.monotonic();
    const { epoch } = await this.db.insertInto("cluster_node")
      .values((eb) => ({
        node,
        epoch: 1,
        expires_at: eb(DATABASE_NOW, "+", leaseMs),
        joined_at: DATABASE_NOW,
      }))
      .onConflict((conflict) =>
        conflict.column("node").doUpdateSet((eb) => ({
          epoch: eb("cluster_node.epoch", "+", 1),
          expires_at: eb.ref("excluded.expires_at"),
          joined_at: eb.ref("excluded.joined_at"),
        }))
      ).returning("epoch").executeTakeFirstOrThrow();
    this.#epoch = Number(epoch);
    this.#heldSince = began;
    this.#heldUntil = began + leaseMs;
  }

  async #keep(): Promise<void> {
    const { clock, log } = this.deps, { leaseMs } = this.settings;
    for (;;) {
      await sleep(clock, leaseMs / RENEWALS, this.#stop.signal).catch(() => {});
      if (this.#stop.signal.aborted) return;
      try {
        await this.#renew();
        await this.#look();
      } catch (error) {
        log.warn("the node's lease could not be renewed, trying again", { error: messageOf(error) });
      }
    }
  }

  async #renew(): Promise<void> {
    const { node, leaseMs } = this.settings, began = this.deps.clock.monotonic();
    const row = await this.db.updateTable("cluster_node")
      .set((eb) => ({ expires_at: eb(DATABASE_NOW, "+", leaseMs) }))
      .where("node", "=", node).where("epoch", "=", this.#epoch).returning("epoch").executeTakeFirst();
    if (row) {
      // After a gap others deserve the same chance to come back before this node gives anybody up.
      if (began >= this.#heldUntil) this.#heldSince = began;
      this.#heldUntil = began + leaseMs;
      return;
    }
    const before = this.self;
    await this.#enter();
    this.deps.log.warn("this node was given up by the others and has joined anew", { ...this.self });
    for (const handler of this.#onGone) handler(before);
    for (const handler of this.#onRejoined) handler();
  }

  /** Learns who lives, and gives up whoever's lease is over. */
  async #look(): Promise<void> {
    const began = this.deps.clock.monotonic();
    const rows = await this.db.selectFrom("cluster_node").selectAll().select(DATABASE_NOW.as("now"))
      .execute();
    const mine = rows.find(({ node }) => node === this.settings.node);
    if (mine) this.#heardTime(Number(mine.now), began);
    const live = new Map<string, number>();
    for (const { node, epoch, expires_at, now } of rows) {
      if (node === this.settings.node || expires_at >= now) live.set(node, epoch);
      else if (expires_at > 0 && !await this.#giveUp({ node, epoch })) live.set(node, epoch);
    }
    const before = this.#live;
    this.#live = live;
    for (const [node, epoch] of before) {
      if (node === this.settings.node || live.get(node) === epoch) continue;
      this.deps.log.warn("a node is gone", { other: node, epoch });
      for (const handler of this.#onGone) handler({ node, epoch });
    }
  }

  /** A slow answer tells the time badly: it counts only where none told it better, or that one is long outdone. */
  #heardTime(now: number, began: number): void {
    const ended = this.deps.clock.monotonic(), tookMs = ended - began;
    if (tookMs > this.#aheadWithinMs) return void (this.#aheadWithinMs *= TIME_FADES);
    this.#ahead = now - (began + ended) / 2;
    this.#aheadWithinMs = Math.max(1, tookMs);
  }

  /** Ends another node's life; false where it is not this node's to do, or the other one came back. */
  async #giveUp({ node, epoch }: NodeAddress): Promise<boolean> {
    if (this.deps.clock.monotonic() - this.#heldSince < this.settings.leaseMs || !this.held) return false;
    const row = await this.db.updateTable("cluster_node").set({ expires_at: 0, epoch: epoch + 1 })
      .where("node", "=", node).where("epoch", "=", epoch).where("expires_at", "<", DATABASE_NOW)
      .returning("node").executeTakeFirst();
    return row !== undefined;
  }
}

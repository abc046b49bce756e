/**
 * This node among others: the bus over NATS, the lease, who holds what, and what is heard of it.
 *
 * @module
 */
import { type Kysely, sql } from "kysely";
import { type Deps, messageOf, parseHostPort, type Service, type Timer } from "../../base/mod.ts";
import { NatsBus, type NodeAddress } from "../../cluster/mod.ts";
import { ProtocolError } from "../../protocol/smart_gateway/mod.ts";
import type { PresenceOwner, PresenceTable } from "../registry/mod.ts";
import type { PlatformBus, PlatformEvents, PlatformRequests } from "../subjects.ts";
import { Membership } from "./membership.ts";
import { Owners } from "./owners.ts";
import { DATABASE_NOW, type NodeTables } from "./schema.ts";

/** What a node is told. */
export interface ClusterSettings {
  readonly node: string;
  readonly nats: string;
  /** How long a node may be silent until others take over what it held; default 3 s. */
  readonly leaseMs?: number | undefined;
  /** How long a gateway may be silent until it counts as offline. */
  readonly silenceMs: number;
}

/** A node that has joined. Dispose of it to leave, after everything that works with it. */
export interface Cluster extends Service {
  readonly bus: PlatformBus;
  readonly membership: Membership;
  readonly owners: Owners;
  /** What presence asks. */
  readonly presence: PresenceOwner;
  /** Lets `presence` hear of the gateways of other nodes. */
  attach(presence: PresenceTable): void;
}

/** How many heartbeats may be missed before a gateway counts as offline (reference §3). */
export const MISSED_HEARTBEATS = 3;

const LEASE_MS = 3000;
/** The duty of whoever sees to the gateways of nodes that are gone, how many at once, and the pause between looks. */
const ORPHANS = "orphans";
const ORPHAN_ROWS = 1000;
const ORPHAN_LOOK_MS = 5000;

/** Joins. @throws {NodeError} `node_taken`; {@link BusError} where NATS can't be reached */
export async function startCluster(
  deps: Deps,
  db: Kysely<NodeTables>,
  settings: ClusterSettings,
): Promise<Cluster> {
  await using starting = new AsyncDisposableStack();
  const leaseMs = settings.leaseMs ?? LEASE_MS;
  const membership = starting.use(await Membership.join(deps, db, { node: settings.node, leaseMs }));
  let owners: Owners | undefined = undefined;
  const routes = new Routes(db, () => owners!, membership);
  const bus = starting.use(
    await NatsBus.connect<PlatformEvents, PlatformRequests>(deps, {
      url: settings.nats,
      cluster: membership.cluster,
      self: () => membership.self,
      now: () => membership.now(),
      mayAct: () => membership.held,
      route: (subject, message) => routes.find(subject, message),
      misrouted: (subject, message) => routes.doubt(subject, message),
      revive: (name, code, message) =>
        name === "ProtocolError" ? new ProtocolError(code as ProtocolError["code"], message) : undefined,
    }),
  );
  const own = owners = starting.use(new Owners(deps, db, membership, bus));
  membership.onGone((gone) => bus.gone(gone));
  deps.metrics.gauge("gatehouse_nodes", "Nodes that live, this one among them", () => membership.live.length);

  let attached: PresenceTable | undefined;
  const presence: PresenceOwner = {
    get self() {
      return membership.self;
    },
    still: (macs) => own.still(macs),
    lost(mac) {
      if (!own.confirmed(mac)) return; // its claim is on its way
      own.release(mac);
      attached?.release(mac);
    },
  };
  const orphans = starting.use(new Orphans(deps, db, membership, bus, settings.silenceMs));
  const stack = starting.move();
  return {
    name: "cluster",
    bus,
    membership,
    owners: own,
    presence,
    attach(presence) {
      attached = presence;
      membership.onRejoined(() => {
        // Every gateway is claimed anew by its next heartbeat, here or elsewhere.
        deps.log.info("gateways are taken over anew as they speak");
      });
      bus.subscribe("gateway.claimed", ({ mac, held }, from) => {
        if (!from) return;
        if (held === "channel") {
          // It may be that the gateway gave the one here up, which has not ended yet, or that it came back since.
          if (own.has(mac, "channel")) void own.recheckChannel(mac);
          else own.heard(mac, held, from);
          return;
        }
        own.heard(mac, held, from);
        own.release(mac);
        presence.release(mac);
      });
      bus.subscribe(
        "channel.opened",
        ({ mac }, from) => void (from && !own.has(mac, "channel") && own.heard(mac, "channel", from)),
      );
      bus.subscribe("channel.closed", ({ mac }, from) => void (from && own.doubt(mac, "channel")));
      bus.subscribe("presence.changed", ({ mac, online }, from) => {
        if (from && !own.has(mac)) presence.heard(mac, online);
      });
      bus.subscribe("gateway.registered", ({ mac, address }, from) => {
        if (!from) return;
        own.release(mac);
        presence.release(mac);
        presence.heard(mac, true, parseHostPort(address));
      });
      orphans.start(presence);
    },
    addresses: [],
    health() {
      if (!membership.held) return { status: "degraded", detail: "its lease is over: the database is away" };
      return bus.connected
        ? { status: "up", detail: `node ${membership.self.node}, ${membership.live.length} live` }
        : { status: "degraded", detail: "NATS is away: other nodes can't be reached" };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Finds the node that can answer a request. */
class Routes {
  constructor(
    private readonly db: Kysely<NodeTables>,
    private readonly owners: () => Owners,
    private readonly membership: Membership,
  ) {}

  async find(subject: string, message: unknown): Promise<NodeAddress | undefined> {
    switch (subject as keyof PlatformRequests) {
      case "access.trigger":
        return await this.owners().ownerOf((message as { mac: string }).mac, "association");
      case "channel.exchange":
      case "channel.state":
      case "channel.close":
        return await this.owners().ownerOf((message as { mac: string }).mac, "channel");
      case "command.cancel": {
        const row = await this.db.selectFrom("command").select(["node", "epoch"])
          .where("id", "=", (message as { id: string }).id).executeTakeFirst();
        if (typeof row?.node !== "string" || typeof row.epoch !== "number") return undefined;
        return row.node === this.membership.self.node ? undefined : { node: row.node, epoch: row.epoch };
      }
    }
  }

  doubt(subject: string, message: unknown): void {
    const { mac } = message as { mac?: string };
    if (mac !== undefined) this.owners().doubt(mac, subject === "access.trigger" ? "association" : "channel");
  }
}

/** Gateways that nobody hears since their node is gone: one node tells when their time is over. */
class Orphans implements AsyncDisposable {
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly deps: Deps,
    private readonly db: Kysely<NodeTables>,
    private readonly membership: Membership,
    private readonly bus: PlatformBus,
    private readonly silenceMs: number,
  ) {}

  /** Begins when every gateway has had its time to be heard. */
  start(presence: PresenceTable): void {
    const again = (ms: number) => {
      if (this.#closed) return;
      this.#timer = this.deps.clock.setTimer(() => {
        this.#looking = this.#look(presence).catch((error) =>
          this.deps.log.warn("gateways that nobody hears were not looked for", { error: messageOf(error) })
        ).finally(() => again(Math.max(ORPHAN_LOOK_MS, this.silenceMs / 6)));
      }, ms);
    };
    again(this.silenceMs);
  }

  async #look(presence: PresenceTable): Promise<void> {
    if (!await this.membership.holds(ORPHANS)) return;
    const { rows } = await sql<{ mac: string }>`
      update gateway set online = 0 where mac in (
        select g.mac from gateway g
        where g.online = 1 and coalesce(g.last_seen_at, 0) < ${DATABASE_NOW} - ${this.silenceMs}::bigint and not exists (
          select 1 from gateway_owner o join cluster_node n on n.node = o.node and n.epoch = o.epoch where o.mac = g.mac
        ) limit ${ORPHAN_ROWS}
      ) returning mac`.execute(this.db);
    for (const { mac } of rows) {
      presence.heard(mac, false);
      this.bus.publish("presence.changed", { mac, online: false });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#looking;
  }
}

/**
 * What this gateway has to do with others, put together: peers, routes, and the traffic between.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { FramedConnection, Framing, Network } from "../../net/mod.ts";
import type { Deps } from "../../base/mod.ts";
import { Routes } from "../../control/mod.ts";
import type { AccountStore } from "./accounts.ts";
import { GnsClient } from "./gns/mod.ts";
import type { Ismg } from "./ismg.ts";
import type { MsgIds } from "./msg_ids.ts";
import type { Outlet } from "./outlet.ts";
import { Desk, Ledger, PeerHub, type PeerLink, peerRoutes, PeerStore, Traffic } from "./peer/mod.ts";
import { routingRoutes } from "./routing_routes.ts";
import { RoutedOutlet, Router, RouteStore, type RoutingTables } from "./routing/mod.ts";
import type { Seal } from "../credentials/mod.ts";
import type { SmsSettings } from "./settings.ts";
import type { SmsStore } from "./store.ts";
import type { Unreadable } from "./unreadable.ts";

/** What it is put together of. */
export interface ElsewhereParts {
  readonly sql: Kysely<RoutingTables>;
  readonly settings: SmsSettings;
  readonly framing: Framing;
  readonly network: Pick<Network, "connect">;
  readonly seal: Seal;
  readonly store: SmsStore;
  readonly unreadable: Unreadable;
  readonly ids: MsgIds;
  readonly accounts: AccountStore;
  readonly ismg: Ismg;
  /** The way to the own centre. */
  readonly outlet: Outlet;
}

/** Everything that has to do with other gateways. Dispose of it before the dispatcher. */
export class Elsewheres implements AsyncDisposable {
  private constructor(
    readonly peers: PeerStore,
    readonly routes: RouteStore,
    readonly router: Router,
    readonly ledger: Ledger,
    readonly hub: PeerHub,
    readonly traffic: Traffic,
    readonly desk: Desk,
    /** What the dispatcher hands messages to. */
    readonly outlet: RoutedOutlet,
    /** The name server, where there is one. */
    readonly nameServer: GnsClient | undefined,
    private readonly settings: SmsSettings,
  ) {}

  /** Opens the tables and takes up what an earlier run has left; nothing is sent before {@linkcode start}. */
  static async open(
    deps: Pick<Deps, "clock" | "log" | "metrics" | "random">,
    parts: ElsewhereParts,
  ): Promise<Elsewheres> {
    const { settings, ismg, sql, seal, store } = parts;
    const peers = await PeerStore.open(sql, seal, deps.clock);
    const routes = await RouteStore.open(sql);
    const ledger = await Ledger.open(sql, seal, parts.unreadable, settings.outboxMs);
    const nameServer = settings.gnsServer && await GnsClient.open(deps, {
      ...parts,
      routes,
      server: settings.gnsServer,
      gatewayCode: settings.gatewayCode,
      times: settings,
      refreshMs: settings.routeFreshMs / 2,
      changed: () => all.changed(),
    });
    const router = new Router(deps, { ...settings, routes, nameServer });
    const hub = new PeerHub(deps, { ...parts, peers });
    const knows = (code: string) => peers.find(code) !== undefined;
    const { tallies, times } = ismg;
    const shared = { ...parts, ledger, hub, router, knows, tallies, times };
    const traffic: Traffic = new Traffic(deps, { ...shared, tell: (receipt) => outlet.tell(receipt) });
    const outlet = new RoutedOutlet(
      deps,
      parts.outlet,
      router,
      (message, code) => traffic.forward(message, code),
    );
    const desk = new Desk(deps, {
      ...shared,
      store,
      traffic,
      outbox: ismg.outbox,
      dispatcher: () => ismg.dispatcher,
    });
    hub.events = {
      take: (peer, fwd) => desk.take(peer, fwd),
      load: (code, after, limit) => traffic.load(code, after, limit),
      mtAccepted: (item) => traffic.mtAccepted(item),
      mtFailed: (item, stat) => traffic.mtFailed(item, stat),
      alive: (item) => traffic.alive(item),
      done: (item, result) => traffic.done(item, result),
    };
    await traffic.start();
    const all = new Elsewheres(
      peers,
      routes,
      router,
      ledger,
      hub,
      traffic,
      desk,
      outlet,
      nameServer,
      settings,
    );
    return all;
  }

  /** What the control API shows of it. */
  routesOf(deps: Pick<Deps, "clock">): Routes {
    const { peers, routes, router, ledger, hub, nameServer, settings } = this;
    const { gatewayCode, utcOffsetMinutes } = settings, changed = () => this.changed();
    const api = new Routes();
    api.mount("", routingRoutes(deps, { routes, router, utcOffsetMinutes, nameServer, changed }));
    api.mount(
      "",
      peerRoutes({
        peers,
        hub,
        ledger,
        gatewayCode,
        changed: (code) => {
          hub.changed(code);
          this.changed();
        },
      }),
    );
    return api;
  }

  /** Begins to connect to the peers, and to ask the name server. */
  start(): void {
    this.hub.start();
    this.nameServer?.start();
  }

  /** A connection was made from outside. */
  accept(connection: FramedConnection): PeerLink {
    return this.hub.accept(connection);
  }

  /** Routes or peers have changed: what waits for a gateway that is away may have another way. */
  changed(): void {
    this.router.changed();
    this.outlet.again(this.traffic.recall());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nameServer?.[Symbol.asyncDispose]();
    await this.hub[Symbol.asyncDispose]();
  }
}

/**
 * The connections with other gateways: who is let in, and the line of each.
 *
 * @module
 */
import type { Clock, Deps } from "../../../base/mod.ts";
import type { FramedConnection, Framing, Network } from "../../../net/mod.ts";
import {
  authenticatorIsmg,
  authenticatorSource,
  type Connect,
  ConnectStatus,
  dialectOf,
  equalAuthenticators,
  type Fwd,
  VERSION_3_0,
} from "../../../protocol/cmpp/mod.ts";
import { Doorkeeper } from "../doorkeeper.ts";
import type { SmsSettings } from "../settings.ts";
import type { ForwardItem } from "./item.ts";
import { dialer, type LineEvents, PeerLine } from "./line.ts";
import { type LinkHost, PeerLink } from "./link.ts";
import type { Peer, PeerStore } from "./peers.ts";

/** What the hub tells. */
export interface HubEvents extends LineEvents {
  /** Takes a FWD of a peer; its Result. Never rejects. */
  take(peer: Peer, fwd: Fwd): Promise<number>;
}

/** What the hub works with. */
export interface HubParts {
  readonly settings: SmsSettings;
  readonly network: Pick<Network, "connect">;
  readonly framing: Framing;
  readonly peers: PeerStore;
}

/** Connections that one peer may make here at once. */
const MOST_LINKS = 4;
const NO_AUTHENTICATOR = new Uint8Array(16);

/** All peers' lines. */
export class PeerHub implements LinkHost {
  readonly clock: Clock;
  readonly settings: SmsSettings;
  /** Every connection, those that have not said who they are included. */
  readonly links = new Set<PeerLink>();
  readonly #lines = new Map<string, PeerLine>();
  readonly #doorkeeper: Doorkeeper;
  /** Set before the first connection. */
  events!: HubEvents;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics" | "random">,
    private readonly parts: HubParts,
  ) {
    this.clock = deps.clock;
    this.settings = parts.settings;
    this.#doorkeeper = new Doorkeeper(deps.clock, parts.settings.wrongSecretsPerMinute);
  }

  /** Begins to connect to all peers that have an address. */
  start(): void {
    for (const { code } of this.parts.peers.list()) this.line(code).dial();
  }

  /** Whether connections from an address are let in at all. */
  welcome(address: string): boolean {
    return this.#doorkeeper.welcome(address);
  }

  /** A connection that was made from outside. */
  accept(connection: FramedConnection): PeerLink {
    const link = new PeerLink(connection, "in", this);
    this.links.add(link);
    return link;
  }

  /** It is over. */
  gone(link: PeerLink): void {
    this.links.delete(link);
    if (link.peer) this.line(link.peer.code).closed(link);
    else link.close();
  }

  /** The line of a peer. */
  line(code: string): PeerLine {
    let line = this.#lines.get(code);
    if (!line) {
      line = new PeerLine(this.deps, () => this.parts.peers.find(code), code, {
        settings: this.settings,
        network: this.parts.network,
        links: this,
        events: this.events,
        connect: dialer(this.deps, this.settings, this.parts.framing),
      });
      this.#lines.set(code, line);
    }
    return line;
  }

  /** A peer was created, changed or removed. */
  changed(code: string): void {
    this.line(code).renew();
  }

  /** Messages to phones that wait for peers that are away: routes may have changed. */
  drainMts(): ForwardItem[] {
    return [...this.#lines.values()].flatMap((line) => line.drainMts());
  }

  /** What waits in memory for peers. */
  get waiting(): number {
    return [...this.#lines.values()].reduce((sum, line) => sum + line.waiting, 0);
  }

  connect(link: PeerLink, message: Connect): void {
    const { sequence, Version: version } = message, dialect = dialectOf(version);
    const address = link.connection.remote.host, peer = this.parts.peers.find(message.Source_Addr);
    const status = dialect === undefined
      ? (version > VERSION_3_0 ? ConnectStatus.version : ConnectStatus.structure)
      : this.#status(message, peer);
    link.dialect = version < VERSION_3_0 && version !== 0 ? 2 : 3;
    const accepted = status === ConnectStatus.ok && peer !== undefined;
    this.deps.metrics.counter("gatehouse_sms_peer_connects_total", "CONNECTs of gateways by their Status", {
      status: String(status),
    }).inc();
    if (accepted) link.admit(peer, version);
    link.send({
      command: "CONNECT_RESP",
      sequence,
      Status: status,
      AuthenticatorISMG: accepted
        ? authenticatorIsmg(status, message.AuthenticatorSource, peer.secret, link.dialect)
        : NO_AUTHENTICATOR,
      Version: peer?.version ?? VERSION_3_0,
    });
    if (!accepted) {
      this.deps.log.warn("CONNECT of a gateway refused", { peer: message.Source_Addr, address, status });
      if (status === ConnectStatus.authentication || status === ConnectStatus.sourceAddress) {
        this.#doorkeeper.countWrong(address);
      }
      return link.end();
    }
    this.deps.log.info("gateway connected", { peer: peer.code, address, version });
    this.line(peer.code).opened(link);
  }

  opened(link: PeerLink): void {
    this.deps.log.info("connected to gateway", { peer: link.peer!.code, version: link.version });
    this.line(link.peer!.code).opened(link);
  }

  take(link: PeerLink, fwd: Fwd): Promise<number> {
    return this.events.take(link.peer!, fwd);
  }

  answered(link: PeerLink, item: ForwardItem, result: number): void {
    this.deps.metrics.counter("gatehouse_sms_forwards_total", "FWDs to gateways by their Result", {
      result: String(result),
    }).inc();
    this.line(item.peer).answered(link, item, result);
  }

  unanswered(link: PeerLink, item: ForwardItem): void {
    this.fault(link, "forward_unanswered");
    this.line(item.peer).unanswered(item);
  }

  fault(link: PeerLink, fault: string): void {
    this.deps.metrics.counter("gatehouse_sms_peer_faults_total", "What gateways did wrong, by what it was", {
      fault,
    }).inc();
    this.deps.log.debug("gateway fault", {
      fault,
      peer: link.peer?.code,
      address: link.connection.remote.host,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line[Symbol.asyncDispose]()));
  }

  #status(message: Connect, peer: Peer | undefined): number {
    if (!peer) return ConnectStatus.sourceAddress;
    const expected = authenticatorSource(peer.code, peer.secret, message.Timestamp);
    if (!equalAuthenticators(expected, message.AuthenticatorSource)) return ConnectStatus.authentication;
    if (message.Version > peer.version) return ConnectStatus.version;
    const here = [...this.links].filter((link) => link.peer?.code === peer.code).length;
    return here >= MOST_LINKS ? ConnectStatus.tooManyConnections : ConnectStatus.ok;
  }
}

/**
 * Heartbeats of gateways that spoke to another node before: looked up, and taken over (docs/cluster.md).
 *
 * @module
 */
import { type Deps, type HostPort, messageOf } from "../../base/mod.ts";
import type { Owners } from "../nodes/mod.ts";
import type { GatewayStore, PresenceTable } from "../registry/mod.ts";

/** What answers a heartbeat. */
export interface AdoptionAnswers {
  /** It is this node's from here on. */
  readonly adopted: (from: HostPort) => void;
  /** It has to register: it never did, or from another address. */
  readonly refused: (from: HostPort) => void;
}

/** Look-ups under way at once; heartbeats beyond that go unanswered, and come again. */
const MAX_LOOKING = 500;

/** Takes gateways over that begin to speak to this node. */
export class Adoption {
  readonly #looking = new Set<string>();

  constructor(
    private readonly deps: Pick<Deps, "log">,
    private readonly gateways: GatewayStore,
    private readonly presence: PresenceTable,
    private readonly owners: Owners,
    private readonly answers: AdoptionAnswers,
  ) {}

  /** Whether heartbeats of that gateway come here by right. */
  isOurs(mac: string): boolean {
    return this.owners.has(mac);
  }

  /**
   * A heartbeat of a gateway that is not this node's. One that is known from where it speaks is answered at once,
   * whatever the database does; it becomes this node's when its keys have been read.
   */
  beat(mac: string, from: HostPort): void {
    const entry = this.presence.get(mac);
    const known = entry !== undefined && entry.hostname === from.host;
    if (known) this.answers.adopted(from);
    if (this.#looking.has(mac) || this.#looking.size >= MAX_LOOKING) return;
    this.#looking.add(mac);
    this.#look(mac, from, known).catch((error) =>
      this.deps.log.debug("a gateway could not be looked up, waiting for its next heartbeat", {
        mac,
        error: messageOf(error),
      })
    ).finally(() => this.#looking.delete(mac));
  }

  async #look(mac: string, from: HostPort, answered: boolean): Promise<void> {
    const row = await this.gateways.find(mac);
    const host = row?.address?.slice(0, row.address.lastIndexOf(":"));
    if (!row || row.registered_at === null || host !== from.host) {
      // What was known here was out of date: it registered elsewhere, from another address, or is no longer preset.
      if (answered) this.presence.drop(mac);
      else this.answers.refused(from);
      return;
    }
    if (this.owners.has(mac)) return; // it registered here meanwhile
    this.presence.adopt(row, from.port);
    this.owners.claim(mac);
    if (!answered) this.answers.adopted(from);
  }
}

/**
 * The other gateways: in memory, because every FWD asks; in the database, because they stay.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Clock, HostPort } from "../../../base/mod.ts";
import { VERSION_3_0 } from "../../../protocol/cmpp/mod.ts";
import { type OwnTimes, parseTimes, timesText } from "../link_times.ts";
import type { PeerRow, RoutingTables } from "../routing/mod.ts";
import type { Seal } from "../../credentials/mod.ts";

/** What an operator says of another gateway. */
export interface PeerInput {
  /** Its ISMG_Id, six digits. */
  readonly code: string;
  /** The secret that the two share, in both directions. */
  readonly secret: string;
  /** Where it listens for gateways; undefined: it connects here, and is sent to on its own connections. */
  readonly address?: HostPort | undefined;
  /** The highest Version octet that is spoken with it. Default 0x30. */
  readonly version?: number | undefined;
  /** W, in both directions. Default 16, the standard's. */
  readonly window?: number | undefined;
  /** T, N and C on its links. Default null: the service's. */
  readonly times?: OwnTimes | null;
  /** Its answer to our CONNECT must prove that it knows the secret (AuthenticatorISMG). Default false. */
  readonly proveAnswer?: boolean | undefined;
}

/** Another gateway as the service works with it. */
export interface Peer {
  readonly code: string;
  readonly secret: string;
  readonly address: HostPort | undefined;
  readonly version: number;
  readonly window: number;
  readonly times: OwnTimes | null;
  readonly proveAnswer: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly updatedBy: string;
}

/** All peers. */
export class PeerStore {
  readonly #byCode = new Map<string, Peer>();

  private constructor(
    private readonly db: Kysely<RoutingTables>,
    private readonly seal: Seal,
    private readonly clock: Pick<Clock, "now">,
  ) {}

  static async open(db: Kysely<RoutingTables>, seal: Seal, clock: Pick<Clock, "now">): Promise<PeerStore> {
    const store = new PeerStore(db, seal, clock);
    for (const row of await db.selectFrom("sms_peer").selectAll().execute()) store.#remember(row);
    return store;
  }

  find(code: string): Peer | undefined {
    return this.#byCode.get(code);
  }

  /** Every peer, by code. */
  list(): Peer[] {
    return [...this.#byCode.values()].sort((a, b) => a.code < b.code ? -1 : 1);
  }

  /** Creates a peer or changes it; `actor` is who does. */
  async put(input: PeerInput, actor: string): Promise<{ peer: Peer; created: boolean }> {
    const before = this.#byCode.get(input.code), now = this.clock.now();
    const row: PeerRow = {
      code: input.code,
      secret: this.seal.seal(new TextEncoder().encode(input.secret)),
      host: input.address?.host ?? null,
      port: input.address?.port ?? null,
      version: input.version ?? VERSION_3_0,
      window: input.window ?? 16,
      times: timesText(input.times),
      prove_answer: input.proveAnswer ? 1 : 0,
      created_at: before?.createdAt ?? now,
      updated_at: now,
      updated_by: actor,
    };
    await this.db.insertInto("sms_peer").values(row)
      .onConflict((conflict) => conflict.column("code").doUpdateSet(row)).execute();
    return { peer: this.#remember(row), created: before === undefined };
  }

  async remove(code: string): Promise<boolean> {
    await this.db.deleteFrom("sms_peer").where("code", "=", code).execute();
    return this.#byCode.delete(code);
  }

  #remember(row: PeerRow): Peer {
    const peer: Peer = {
      code: row.code,
      secret: new TextDecoder().decode(this.seal.open(row.secret)),
      address: row.host === null || row.port === null ? undefined : { host: row.host, port: row.port },
      version: row.version,
      window: row.window,
      times: parseTimes(row.times),
      proveAnswer: row.prove_answer === 1,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      updatedBy: row.updated_by,
    };
    this.#byCode.set(peer.code, peer);
    return peer;
  }
}

/**
 * Who owns which gateway: checking the proof that an app brings from the LAN, and keeping the answer.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Clock } from "../../base/mod.ts";
import { bindingSn, equalDigest } from "../../protocol/smart_gateway/mod.ts";
import type { GatewayRow, GatewayStore, PresenceTable } from "../registry/mod.ts";
import type { AppTables, BindingRow } from "./schema.ts";

/** Gateways looked at for one LOID: a LOID names one line, so that more than a few are a mistake. */
const MAX_CANDIDATES = 32;
/** Gateways that one user may own. */
export const MAX_BINDINGS = 32;

/** How an attempt to bind ended. */
export type BindOutcome =
  | { readonly kind: "bound"; readonly binding: BindingRow; readonly created: boolean }
  /** The proof is good, but the gateway has another owner. */
  | { readonly kind: "owned" }
  /** The user owns as many as they may. */
  | { readonly kind: "full" };

/** What is known of a gateway and of its binding to the user who asks. */
export interface OwnedGateway
  extends Pick<GatewayRow, "mac" | "vendor" | "model" | "firmware" | "last_seen_at"> {
  readonly bound_at: number;
}

/** Bindings as rows. Only bindings whose gateway still has the LOID that was proved count. */
export class BindingStore {
  constructor(
    private readonly db: Kysely<AppTables>,
    private readonly gateways: GatewayStore,
    private readonly presence: Pick<PresenceTable, "get">,
    private readonly clock: Pick<Clock, "now">,
  ) {}

  /**
   * The gateway that `sn` and `loid` prove (reference §10, bind): one of that LOID for which `sn` is
   * MD5(DevRND, SN). Also the DevRND before the current one counts, since a handshake whose last word was lost
   * leaves the gateway one behind. Every candidate is looked at, so that the time tells nothing.
   */
  async prove(sn: string, loid: string): Promise<GatewayRow | undefined> {
    let proved: GatewayRow | undefined;
    for (const row of await this.gateways.byLoid(loid, MAX_CANDIDATES)) {
      // What access holds in memory is newer than the row, which a handshake writes a moment later.
      const known = this.presence.get(row.mac);
      const values = known ? [known.devRnd, known.previousDevRnd] : [row.dev_rnd, row.previous_dev_rnd];
      for (const devRnd of values) {
        if (devRnd && equalDigest(bindingSn(devRnd, row.sn), sn)) proved = row;
      }
    }
    return proved;
  }

  /** Makes `userId` the owner of a gateway that was proved. */
  bind(userId: string, gateway: Pick<GatewayRow, "mac" | "loid">): Promise<BindOutcome> {
    const { mac, loid } = gateway;
    return this.db.transaction().execute(async (tx): Promise<BindOutcome> => {
      // A binding under an earlier LOID belongs to an earlier customer.
      await tx.deleteFrom("app_binding").where("mac", "=", mac).where("loid", "<>", loid).execute();
      const before = await tx.selectFrom("app_binding").selectAll().where("mac", "=", mac).executeTakeFirst();
      if (before) {
        return before.user_id === userId
          ? { kind: "bound", binding: before, created: false }
          : { kind: "owned" };
      }
      const { count } = await tx.selectFrom("app_binding").select((e) => e.fn.countAll<number>().as("count"))
        .where("user_id", "=", userId).executeTakeFirstOrThrow();
      if (Number(count) >= MAX_BINDINGS) return { kind: "full" };
      const binding = { mac, user_id: userId, loid, bound_at: this.clock.now() };
      await tx.insertInto("app_binding").values(binding).execute();
      return { kind: "bound", binding, created: true };
    });
  }

  /** Ends a user's ownership; false where there was none. */
  async unbind(userId: string, mac: string): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("app_binding")
      .where("mac", "=", mac).where("user_id", "=", userId).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** The user's gateways, by MAC. */
  list(userId: string): Promise<OwnedGateway[]> {
    return this.#owned(userId).orderBy("gateway.mac").limit(MAX_BINDINGS).execute();
  }

  /** One of the user's gateways; undefined for any other, whether it exists or not. */
  find(userId: string, mac: string): Promise<OwnedGateway | undefined> {
    return this.#owned(userId).where("gateway.mac", "=", mac).executeTakeFirst();
  }

  #owned(userId: string) {
    return this.db.selectFrom("app_binding")
      .innerJoin(
        "gateway",
        (join) =>
          join.onRef("gateway.mac", "=", "app_binding.mac").onRef("gateway.loid", "=", "app_binding.loid")
            .on("gateway.deleted_at", "is", null),
      )
      .select([
        "gateway.mac",
        "gateway.vendor",
        "gateway.model",
        "gateway.firmware",
        "gateway.last_seen_at",
        "app_binding.bound_at",
      ])
      .where("app_binding.user_id", "=", userId);
  }
}

/**
 * Who owns which gateway: checking the proof that an app brings from the LAN, and keeping the answer.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Clock } from "../../base/mod.ts";
import { tokenHash } from "../../control/mod.ts";
import { bindingSn, equalDigest } from "../../protocol/smart_gateway/mod.ts";
import type { GatewayRow, GatewayStore, PresenceTable } from "../registry/mod.ts";
import type { AppTables, BindingRow, Rights } from "./schema.ts";

/** Gateways looked at for one LOID: a LOID names one line, so that more than a few are a mistake. */
const MAX_CANDIDATES = 32;
/** Gateways that one user may own, and of how many of others they may be a member. */
export const MAX_BINDINGS = 32;

/** How long a used proof is remembered: far longer than gateways keep a DevRND. */
const PROOF_MS = 365 * 86_400_000;

/** How an attempt to bind ended. */
export type BindOutcome =
  | { readonly kind: "bound"; readonly binding: BindingRow; readonly created: boolean }
  /** The proof is good, but the gateway has another owner. */
  | { readonly kind: "owned" }
  /** The proof has bound this gateway before. */
  | { readonly kind: "used" }
  /** The user owns as many as they may. */
  | { readonly kind: "full" };

/** What is known of a gateway and of its binding to the user who asks. */
export interface OwnedGateway
  extends Pick<GatewayRow, "mac" | "vendor" | "model" | "firmware" | "last_seen_at"> {
  /** Since when it is theirs: since it was bound, of members since they joined. */
  readonly bound_at: number;
  readonly role: "owner" | "member";
  readonly rights: Rights;
}

/** Who owns a gateway, as operators see it. */
export interface Ownership {
  readonly user_id: string;
  readonly name: string;
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
      // Unless it speaks to another node: then nothing here is newer.
      const values = known && known.lastSeen > -Infinity
        ? [known.devRnd, known.previousDevRnd]
        : [row.dev_rnd, row.previous_dev_rnd];
      for (const devRnd of values) {
        if (devRnd && equalDigest(bindingSn(devRnd, row.sn), sn)) proved = row;
      }
    }
    return proved;
  }

  /**
   * Makes `userId` the owner of the gateway that `sn` proved. A proof binds once: what somebody noted down of an
   * earlier binding is worth nothing, even where the gateway has kept its DevRND since.
   */
  bind(userId: string, gateway: Pick<GatewayRow, "mac" | "loid">, sn: string): Promise<BindOutcome> {
    const { mac, loid } = gateway, proof_hash = tokenHash(sn.toUpperCase()).toHex();
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
      const now = this.clock.now();
      const { numInsertedOrUpdatedRows } = await tx.insertInto("app_used_proof")
        .values({ mac, proof_hash, used_at: now })
        .onConflict((conflict) => conflict.columns(["mac", "proof_hash"]).doNothing()).executeTakeFirst();
      if (!numInsertedOrUpdatedRows) return { kind: "used" };
      const binding = { mac, user_id: userId, loid, bound_at: now };
      await tx.insertInto("app_binding").values(binding).execute();
      return { kind: "bound", binding, created: true };
    });
  }

  /** Forgets used proofs of more than a year ago. */
  async forgetProofs(): Promise<void> {
    await this.db.deleteFrom("app_used_proof").where("used_at", "<", this.clock.now() - PROOF_MS).execute();
  }

  /** Ends a user's ownership; false where there was none. */
  async unbind(userId: string, mac: string): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("app_binding")
      .where("mac", "=", mac).where("user_id", "=", userId).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Ends whoever's ownership, or only one that is as old as `boundBy`; answers whose it was. */
  async release(mac: string, boundBy?: number): Promise<string | undefined> {
    let remove = this.db.deleteFrom("app_binding").where("mac", "=", mac);
    if (boundBy !== undefined) remove = remove.where("bound_at", "<=", boundBy);
    return (await remove.returning("user_id").executeTakeFirst())?.user_id;
  }

  /** Who owns a gateway, where its LOID is still the one that was proved. */
  ownerOf(mac: string): Promise<Ownership | undefined> {
    return this.db.selectFrom("app_binding")
      .innerJoin(
        "gateway",
        (join) =>
          join.onRef("gateway.mac", "=", "app_binding.mac").onRef("gateway.loid", "=", "app_binding.loid"),
      )
      .innerJoin("app_user", "app_user.id", "app_binding.user_id")
      .select(["app_user.id as user_id", "app_user.name", "app_binding.bound_at"])
      .where("app_binding.mac", "=", mac).executeTakeFirst();
  }

  /** The gateways that a user owns. */
  async ownedBy(userId: string): Promise<string[]> {
    return (await this.db.selectFrom("app_binding").select("mac").where("user_id", "=", userId).execute())
      .map(({ mac }) => mac);
  }

  /** The user's gateways, their own and those of which they are a member, by MAC. */
  async list(userId: string): Promise<OwnedGateway[]> {
    const [own, shared] = await Promise.all([
      this.#owned(userId).limit(MAX_BINDINGS).execute(),
      this.#shared(userId).limit(MAX_BINDINGS).execute(),
    ]);
    return [...own.map(asOwner), ...shared].sort((a, b) => a.mac < b.mac ? -1 : 1);
  }

  /** One of the user's gateways; undefined for any other, whether it exists or not. */
  async find(userId: string, mac: string): Promise<OwnedGateway | undefined> {
    const own = await this.#owned(userId).where("gateway.mac", "=", mac).executeTakeFirst();
    return own ? asOwner(own) : await this.#shared(userId).where("gateway.mac", "=", mac).executeTakeFirst();
  }

  #bound() {
    return this.db.selectFrom("app_binding")
      .innerJoin(
        "gateway",
        (join) =>
          join.onRef("gateway.mac", "=", "app_binding.mac").onRef("gateway.loid", "=", "app_binding.loid")
            .on("gateway.deleted_at", "is", null),
      );
  }

  #owned(userId: string) {
    return this.#bound()
      .select([
        "gateway.mac",
        "gateway.vendor",
        "gateway.model",
        "gateway.firmware",
        "gateway.last_seen_at",
        "app_binding.bound_at",
      ])
      .where("app_binding.user_id", "=", userId).orderBy("gateway.mac");
  }

  #shared(userId: string) {
    return this.#bound()
      .innerJoin("app_member", "app_member.mac", "app_binding.mac")
      .select((e) => [
        "gateway.mac",
        "gateway.vendor",
        "gateway.model",
        "gateway.firmware",
        "gateway.last_seen_at",
        "app_member.joined_at as bound_at",
        e.val("member" as const).as("role"),
        "app_member.rights",
      ])
      .where("app_member.user_id", "=", userId).orderBy("gateway.mac");
  }
}

function asOwner(row: Omit<OwnedGateway, "role" | "rights">): OwnedGateway {
  return { ...row, role: "owner", rights: "use" };
}

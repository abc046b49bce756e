/**
 * Sharing a gateway: its owner invites, others become members, leave or are removed. All of it ends with the binding.
 *
 * @module
 */
import type { Kysely, Transaction } from "kysely";
import { type Deps, newId } from "../../base/mod.ts";
import { tokenHash } from "../../control/mod.ts";
import { MAX_BINDINGS } from "./bindings.ts";
import type { AppTables, InvitationRow, Rights } from "./schema.ts";

/** Members of one gateway, and invitations that wait for an answer. */
export const MAX_MEMBERS = 16, MAX_INVITATIONS = 16;
/** How long an invitation by name and one by code hold, in milliseconds: a code is good for whoever has it. */
const NAME_MS = 7 * 86_400_000, CODE_MS = 86_400_000;
/** The characters of codes: none that is taken for another one. 12 of them: 2^60. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", CODE_LENGTH = 12;

/** Someone who may use a gateway. */
export interface Member {
  readonly user_id: string;
  readonly name: string;
  readonly rights: Rights;
  readonly joined_at: number;
}

/** An invitation, with what whoever got it wants to know. */
export interface Offer {
  readonly id: string;
  readonly rights: Rights;
  readonly expires_at: number;
  readonly from: string;
  readonly vendor: string | null;
  readonly model: string | null;
}

/** How accepting ended. */
export type Joining =
  | { readonly kind: "joined"; readonly mac: string }
  | { readonly kind: "unknown" | "full" | "too_many" | "owner" };

/** The one spelling of a code, however it was typed. */
export function codeOf(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
}

/** Members and invitations as rows. */
export class MemberStore {
  constructor(
    private readonly db: Kysely<AppTables>,
    private readonly deps: Pick<Deps, "clock" | "random">,
  ) {}

  list(mac: string): Promise<Member[]> {
    return this.db.selectFrom("app_member").innerJoin("app_user", "app_user.id", "app_member.user_id")
      .select(["app_member.user_id", "app_user.name", "app_member.rights", "app_member.joined_at"])
      .where("app_member.mac", "=", mac).orderBy("app_member.joined_at").orderBy("app_member.user_id")
      .execute();
  }

  /** Changes what a member may; false where there is no such member. */
  async allow(mac: string, userId: string, rights: Rights): Promise<boolean> {
    const { numUpdatedRows } = await this.db.updateTable("app_member").set({ rights })
      .where("mac", "=", mac).where("user_id", "=", userId).executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Ends a membership; false where there was none. */
  async remove(mac: string, userId: string): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("app_member")
      .where("mac", "=", mac).where("user_id", "=", userId).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /**
   * Makes an invitation, for a user or for whoever has the code that is answered, this once. Undefined where too many
   * wait. A name that is nobody's gets one that nobody can accept: the answer tells nothing of who exists.
   */
  invite(
    mac: string,
    to: { readonly name: string } | undefined,
    rights: Rights,
  ): Promise<{ row: InvitationRow; code?: string } | undefined> {
    const now = this.deps.clock.now();
    return this.db.transaction().execute(async (tx) => {
      await tx.deleteFrom("app_invitation").where("expires_at", "<=", now).execute();
      // The same name is invited once: the newer invitation counts.
      if (to) {
        await tx.deleteFrom("app_invitation").where("mac", "=", mac).where("name", "=", to.name).execute();
      }
      const { count } = await tx.selectFrom("app_invitation").select((e) =>
        e.fn.countAll<number>().as("count")
      )
        .where("mac", "=", mac).executeTakeFirstOrThrow();
      if (Number(count) >= MAX_INVITATIONS) return undefined;
      const user = to && await tx.selectFrom("app_user").select("id").where("name", "=", to.name)
        .executeTakeFirst();
      const code = to ? undefined : this.#code();
      const row: InvitationRow = {
        id: newId(),
        mac,
        user_id: user?.id ?? null,
        name: to?.name ?? null,
        code_hash: code === undefined ? null : tokenHash(code).toHex(),
        rights,
        created_at: now,
        expires_at: now + (to ? NAME_MS : CODE_MS),
      };
      await tx.insertInto("app_invitation").values(row).execute();
      return code === undefined ? { row } : { row, code };
    });
  }

  /** A gateway's invitations that wait for an answer. */
  invitations(mac: string): Promise<InvitationRow[]> {
    return this.db.selectFrom("app_invitation").selectAll().where("mac", "=", mac)
      .where("expires_at", ">", this.deps.clock.now()).orderBy("id").execute();
  }

  /** Takes an invitation back; false where there is none. */
  async withdraw(mac: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("app_invitation").where("mac", "=", mac)
      .where("id", "=", id).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** What a user is invited to by name. */
  offers(userId: string): Promise<Offer[]> {
    return this.db.selectFrom("app_invitation")
      .innerJoin("app_binding", "app_binding.mac", "app_invitation.mac")
      .innerJoin(
        "gateway",
        (join) =>
          join.onRef("gateway.mac", "=", "app_binding.mac").onRef("gateway.loid", "=", "app_binding.loid")
            .on("gateway.deleted_at", "is", null),
      )
      .innerJoin("app_user", "app_user.id", "app_binding.user_id")
      .select([
        "app_invitation.id",
        "app_invitation.rights",
        "app_invitation.expires_at",
        "app_user.name as from",
        "gateway.vendor",
        "gateway.model",
      ])
      .where("app_invitation.user_id", "=", userId)
      .where("app_invitation.expires_at", ">", this.deps.clock.now())
      .orderBy("app_invitation.id").limit(100).execute();
  }

  /** Turns an offer down; false where the user has none of that id. */
  async decline(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.db.deleteFrom("app_invitation").where("id", "=", id)
      .where("user_id", "=", userId).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Takes an offer by its id. */
  accept(userId: string, id: string): Promise<Joining> {
    return this.#join(
      userId,
      (tx) =>
        tx.selectFrom("app_invitation").selectAll().where("id", "=", id).where("user_id", "=", userId)
          .executeTakeFirst(),
    );
  }

  /** Takes the offer of a code. */
  redeem(userId: string, code: string): Promise<Joining> {
    const hash = tokenHash(codeOf(code)).toHex();
    return this.#join(
      userId,
      (tx) => tx.selectFrom("app_invitation").selectAll().where("code_hash", "=", hash).executeTakeFirst(),
    );
  }

  #join(
    userId: string,
    find: (tx: Transaction<AppTables>) => Promise<InvitationRow | undefined>,
  ): Promise<Joining> {
    const now = this.deps.clock.now();
    return this.db.transaction().execute(async (tx): Promise<Joining> => {
      const offer = await find(tx);
      if (!offer || offer.expires_at <= now) return { kind: "unknown" };
      const { mac, rights } = offer;
      const binding = await tx.selectFrom("app_binding")
        .innerJoin(
          "gateway",
          (join) =>
            join.onRef("gateway.mac", "=", "app_binding.mac").onRef("gateway.loid", "=", "app_binding.loid")
              .on("gateway.deleted_at", "is", null),
        )
        .select("app_binding.user_id").where("app_binding.mac", "=", mac).executeTakeFirst();
      if (!binding) return { kind: "unknown" };
      if (binding.user_id === userId) return { kind: "owner" };
      const count = async (column: "mac" | "user_id", value: string) => {
        const row = await tx.selectFrom("app_member").select((e) => e.fn.countAll<number>().as("count"))
          .where(column, "=", value).executeTakeFirstOrThrow();
        return Number(row.count);
      };
      const member = await tx.selectFrom("app_member").select("mac").where("mac", "=", mac)
        .where("user_id", "=", userId).executeTakeFirst();
      if (!member && await count("mac", mac) >= MAX_MEMBERS) return { kind: "full" };
      if (!member && await count("user_id", userId) >= MAX_BINDINGS) return { kind: "too_many" };
      // Whoever takes it away is the one who has it: of two at the same time only one.
      const { numDeletedRows } = await tx.deleteFrom("app_invitation").where("id", "=", offer.id)
        .executeTakeFirst();
      if (numDeletedRows === 0n) return { kind: "unknown" };
      await tx.insertInto("app_member").values({ mac, user_id: userId, rights, joined_at: now })
        .onConflict((conflict) => conflict.columns(["mac", "user_id"]).doUpdateSet({ rights })).execute();
      return { kind: "joined", mac };
    });
  }

  #code(): string {
    return [...this.deps.random.bytes(CODE_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  }
}

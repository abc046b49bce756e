/**
 * Distribution policies: every version that was ever in force, and the one that is, in memory.
 *
 * @module
 */
import * as v from "valibot";
import type { Kysely } from "kysely";
import { type Clock, formatHostPort, type HostPort } from "../../base/mod.ts";
import type { Migrations } from "../../storage/mod.ts";
import { type Policy, PolicySchema } from "./policy.ts";

/** One version of the policy. */
export interface PolicyVersionRow {
  /** 1, 2, 3 … The highest is in force. */
  version: number;
  /** JSON. */
  body: string;
  note: string;
  made_at: number;
  made_by: string;
}

/** The tables of distribution. */
export type DistributionTables = { policy_version: PolicyVersionRow };

/** Makes the tables of {@linkcode DistributionTables}. */
export const distributionMigrations: Migrations = {
  "2026-11-23-versions-of-the-policy": {
    async up(db) {
      await db.schema.createTable("policy_version")
        .addColumn("version", "integer", (c) => c.primaryKey())
        .addColumn("body", "text", (c) => c.notNull())
        .addColumn("note", "text", (c) => c.notNull())
        .addColumn("made_at", "bigint", (c) => c.notNull())
        .addColumn("made_by", "text", (c) => c.notNull())
        .execute();
      // The one document of before there were versions is the first of them.
      const before = await db.selectFrom("document").selectAll().where("name", "=", "distribution.policy")
        .executeTakeFirst();
      if (!before) return;
      await db.insertInto("policy_version").values({
        version: 1,
        body: before.body,
        note: "",
        made_at: before.updated_at,
        made_by: before.updated_by,
      }).execute();
      await db.deleteFrom("document").where("name", "=", "distribution.policy").execute();
    },
  },
};

/** Somebody else put another version into force meanwhile. */
export class PolicyConflict extends Error {
  override readonly name = "PolicyConflict";
}

/** How often another node may be quicker. */
const LOOK_MS = 10_000;

/** Holds the policy; until an operator writes one, everybody goes to this platform's own access service. */
export class PolicyStore {
  #current: Policy;
  #version: number;
  #looked: number;
  #looking: Promise<void> | undefined;

  private constructor(
    private readonly db: Kysely<DistributionTables>,
    private readonly clock: Pick<Clock, "now" | "monotonic">,
    own: HostPort,
  ) {
    this.#current = ownPolicy(own);
    this.#version = 0;
    this.#looked = -Infinity;
  }

  static async open(
    db: Kysely<DistributionTables>,
    clock: Pick<Clock, "now" | "monotonic">,
    ownAccess: HostPort,
  ): Promise<PolicyStore> {
    const store = new PolicyStore(db, clock, ownAccess);
    await store.refresh();
    return store;
  }

  /** The policy in force. Another node's change is seen within seconds, since asking looks for it behind. */
  get current(): Policy {
    if (this.clock.monotonic() - this.#looked >= LOOK_MS) {
      // Distribution goes on by what it knows, also where the database is away.
      this.refresh().catch(() => {});
    }
    return this.#current;
  }

  /** Its number; 0 where no operator ever wrote one. */
  get version(): number {
    return this.#version;
  }

  /** Looks what is in force. */
  refresh(): Promise<void> {
    this.#looked = this.clock.monotonic();
    return this.#looking ??= this.#refresh().finally(() => this.#looking = undefined);
  }

  async #refresh(): Promise<void> {
    const row = await this.db.selectFrom("policy_version").selectAll().orderBy("version", "desc").limit(1)
      .executeTakeFirst();
    if (!row || row.version <= this.#version) return;
    this.#current = v.parse(PolicySchema, JSON.parse(row.body));
    this.#version = row.version;
  }

  /**
   * Puts a policy into force; it is kept before it holds.
   *
   * @throws {PolicyConflict} where `from` is given and is not the version in force
   */
  async replace(policy: Policy, by: string, note = "", from?: number): Promise<number> {
    await this.refresh();
    const base = this.#version;
    if (from !== undefined && from !== base) {
      throw new PolicyConflict(`version ${base} is in force, not ${from}: look at it and try again`);
    }
    const row = {
      version: base + 1,
      body: JSON.stringify(policy),
      note,
      made_at: this.clock.now(),
      made_by: by,
    };
    const { numInsertedOrUpdatedRows } = await this.db.insertInto("policy_version").values(row)
      .onConflict((conflict) => conflict.column("version").doNothing()).executeTakeFirst();
    if (!numInsertedOrUpdatedRows) {
      throw new PolicyConflict(
        "somebody else put another policy into force at this moment: look at it and try again",
      );
    }
    this.#current = policy;
    this.#version = row.version;
    return row.version;
  }

  /** Versions, the newest first, from before `before`. */
  versions(limit: number, before?: number): Promise<PolicyVersionRow[]> {
    let select = this.db.selectFrom("policy_version").selectAll().orderBy("version", "desc").limit(limit);
    if (before !== undefined) select = select.where("version", "<", before);
    return select.execute();
  }

  find(version: number): Promise<PolicyVersionRow | undefined> {
    return this.db.selectFrom("policy_version").selectAll().where("version", "=", version).executeTakeFirst();
  }
}

function ownPolicy(access: HostPort): Policy {
  return {
    rules: [{ name: "this platform", match: {}, targets: [{ address: formatHostPort(access), weight: 1 }] }],
  };
}

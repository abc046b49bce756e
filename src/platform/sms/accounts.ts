/**
 * The service providers: in memory, because every CONNECT and SUBMIT asks; in the database, because they stay.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Clock, GatehouseError, TokenBucket } from "../../base/mod.ts";
import { VERSION_3_0 } from "../../protocol/cmpp/mod.ts";
import { type OwnTimes, parseTimes, timesText } from "./link_times.ts";
import type { AccountRow, SmsTables } from "./schema.ts";
import type { Seal } from "../credentials/mod.ts";

/** What an operator says of a provider. */
export interface AccountInput {
  /** Six characters. */
  readonly spId: string;
  readonly secret: string;
  /** The number that phones see and write to; what the provider appends counts as its own too. */
  readonly spCode: string;
  /** Services that it may name; empty: any. */
  readonly serviceIds?: readonly string[];
  /** IP addresses that it may connect from; empty: any. */
  readonly addresses?: readonly string[];
  /** The highest Version octet it may speak. Default 0x30. */
  readonly version?: number;
  /** Connections at once. Default 4. */
  readonly maxConnections?: number;
  /** Messages a second, each number of a group counted. Default 200. */
  readonly ratePerSecond?: number;
  /** W: requests not answered yet on one connection. Default 16, the standard's. */
  readonly window?: number;
  /** Its own T, N and C. Default null: the service's. */
  readonly times?: OwnTimes | null;
}

/** A provider as the service works with it. */
export interface Account extends Required<AccountInput> {
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The brake of `ratePerSecond`, over all its connections. */
  readonly rate: TokenBucket;
}

/** `sp_code_taken`: another provider has this number. */
export class AccountError extends GatehouseError<"sp_code_taken"> {
  override readonly name = "AccountError";
}

/** All providers. */
export class AccountStore {
  readonly #bySpId = new Map<string, Account>();
  readonly #bySpCode = new Map<string, Account>();

  private constructor(
    private readonly db: Kysely<SmsTables>,
    private readonly seal: Seal,
    private readonly clock: Clock,
  ) {}

  static async open(db: Kysely<SmsTables>, seal: Seal, clock: Clock): Promise<AccountStore> {
    const store = new AccountStore(db, seal, clock);
    for (const row of await db.selectFrom("sms_account").selectAll().execute()) store.#remember(row);
    return store;
  }

  find(spId: string): Account | undefined {
    return this.#bySpId.get(spId);
  }

  /** Every provider, by SP_Id. */
  list(): Account[] {
    return [...this.#bySpId.values()].sort((a, b) => a.spId < b.spId ? -1 : 1);
  }

  /** The provider of a number: the one with the longest SP_Code that the number begins with. */
  byNumber(number: string): Account | undefined {
    for (let length = number.length; length > 0; length--) {
      const account = this.#bySpCode.get(number.slice(0, length));
      if (account) return account;
    }
    return undefined;
  }

  /** Creates a provider or changes it. @throws {AccountError} */
  async put(input: AccountInput): Promise<{ account: Account; created: boolean }> {
    const { row, before } = this.#rowOf(input);
    await this.db.insertInto("sms_account").values(row)
      .onConflict((conflict) => conflict.column("sp_id").doUpdateSet(row)).execute();
    this.#forget(input.spId);
    return { account: this.#remember(row), created: before === undefined };
  }

  #rowOf(input: AccountInput): { row: AccountRow; before: Account | undefined } {
    const before = this.#bySpId.get(input.spId), holder = this.#bySpCode.get(input.spCode);
    if (holder && holder.spId !== input.spId) {
      throw new AccountError("sp_code_taken", `the SP_Code "${input.spCode}" is that of "${holder.spId}"`);
    }
    const now = this.clock.now();
    const row: AccountRow = {
      sp_id: input.spId,
      secret: this.seal.seal(new TextEncoder().encode(input.secret)),
      sp_code: input.spCode,
      service_ids: JSON.stringify(input.serviceIds ?? []),
      addresses: JSON.stringify(input.addresses ?? []),
      version: input.version ?? VERSION_3_0,
      max_connections: input.maxConnections ?? 4,
      rate_per_second: input.ratePerSecond ?? 200,
      window: input.window ?? 16,
      times: timesText(input.times),
      created_at: before?.createdAt ?? now,
      // Each change has a time of its own, so that it tells one state from the next.
      updated_at: Math.max(now, (before?.updatedAt ?? 0) + 1),
    };
    return { row, before };
  }

  /**
   * Changes a provider in what is given; undefined where there is none, or where it was changed since `seen`, the
   * `updatedAt` that somebody saw. @throws {AccountError}
   */
  async change(
    spId: string,
    changes: Partial<Omit<AccountInput, "spId">>,
    seen?: number,
  ): Promise<Account | undefined> {
    const before = this.#bySpId.get(spId);
    if (!before) return undefined;
    if (seen === undefined) return (await this.put({ ...before, ...changes, spId })).account;
    const { row } = this.#rowOf({ ...before, ...changes, spId });
    const { numUpdatedRows } = await this.db.updateTable("sms_account").set(row)
      .where("sp_id", "=", spId).where("updated_at", "=", seen).executeTakeFirst();
    if (numUpdatedRows === 0n) return undefined;
    this.#forget(spId);
    return this.#remember(row);
  }

  /** Removes a provider; false where there is none, or where it was changed since `seen`. */
  async remove(spId: string, seen?: number): Promise<boolean> {
    let removal = this.db.deleteFrom("sms_account").where("sp_id", "=", spId);
    if (seen !== undefined) removal = removal.where("updated_at", "=", seen);
    const { numDeletedRows } = await removal.executeTakeFirst();
    return numDeletedRows === 0n && seen !== undefined ? false : this.#forget(spId);
  }

  #forget(spId: string): boolean {
    const account = this.#bySpId.get(spId);
    if (account) this.#bySpCode.delete(account.spCode);
    return this.#bySpId.delete(spId);
  }

  #remember(row: AccountRow): Account {
    const account: Account = {
      spId: row.sp_id,
      secret: new TextDecoder().decode(this.seal.open(row.secret)),
      spCode: row.sp_code,
      serviceIds: JSON.parse(row.service_ids),
      addresses: JSON.parse(row.addresses),
      version: row.version,
      maxConnections: row.max_connections,
      ratePerSecond: row.rate_per_second,
      window: row.window,
      times: parseTimes(row.times),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      // A group of 99 must be able to pass at all, however low the rate.
      rate: new TokenBucket(this.clock, row.rate_per_second, Math.max(row.rate_per_second, 99)),
    };
    this.#bySpId.set(account.spId, account);
    this.#bySpCode.set(account.spCode, account);
    return account;
  }
}

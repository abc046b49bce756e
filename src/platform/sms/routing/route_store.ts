/**
 * The gateway's routes: in memory, because every message asks; in the database, because they stay.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { GatehouseError } from "../../../base/mod.ts";
import { RouteTable, type TableRoute, type Target } from "./route_table.ts";
import type { RouteKind, RouteRow, RoutingTables } from "./schema.ts";

/** A route as the service works with it. */
export interface Route extends TableRoute {
  readonly kind: RouteKind;
  readonly target: Target;
  readonly origin: RouteRow["origin"];
  readonly address: string | undefined;
  /** When it was last written, or heard of again. */
  updatedAt: number;
  readonly updatedBy: string;
}

/** `segment_taken`: another route of the operators' has this very segment. */
export class RouteError extends GatehouseError<"segment_taken"> {
  override readonly name = "RouteError";
}

/** All routes. */
export class RouteStore {
  readonly tables: Readonly<Record<RouteKind, RouteTable<Route>>> = {
    mt: new RouteTable(),
    mo: new RouteTable(),
  };

  private constructor(private readonly db: Kysely<RoutingTables>) {}

  static async open(db: Kysely<RoutingTables>): Promise<RouteStore> {
    const store = new RouteStore(db);
    const rows = await db.selectFrom("sms_route").selectAll().execute();
    for (const kind of ["mt", "mo"] as const) {
      store.tables[kind].putAll(rows.filter((row) => row.kind === kind).map(routeOf));
    }
    return store;
  }

  get(id: string): Route | undefined {
    return this.tables.mt.get(id) ?? this.tables.mo.get(id);
  }

  find(kind: RouteKind, number: string): Route | undefined {
    return this.tables[kind].find(number);
  }

  /** A page by id, behind `after`. */
  list(
    filter: { kind?: RouteKind | undefined; origin?: string | undefined },
    limit: number,
    after?: string,
  ): Route[] {
    const kinds = filter.kind ? [filter.kind] : ["mo", "mt"] as const;
    return kinds.flatMap((kind) => this.tables[kind].list())
      .filter((one) =>
        (!filter.origin || one.origin === filter.origin) && (after === undefined || one.id > after)
      )
      .slice(0, limit);
  }

  /**
   * Creates a route or changes it; undefined where it was changed since `seen`, the `updatedAt` that somebody saw.
   * @throws {RouteError}
   */
  async put(row: RouteRow): Promise<Route>;
  async put(row: RouteRow, seen: number | undefined): Promise<Route | undefined>;
  async put(row: RouteRow, seen?: number): Promise<Route | undefined> {
    const taken = row.origin === "operator" &&
      this.tables[row.kind].list().find((one) =>
        one.origin === "operator" && one.id !== row.id && one.first === row.first && one.last === row.last
      );
    if (taken) {
      throw new RouteError(
        "segment_taken",
        `route "${taken.id}" has the segment ${row.first} to ${row.last}`,
      );
    }
    const { id, ...rest } = row;
    if (seen === undefined) {
      await this.db.insertInto("sms_route").values(row)
        .onConflict((conflict) => conflict.column("id").doUpdateSet(rest)).execute();
    } else {
      const { numUpdatedRows } = await this.db.updateTable("sms_route").set(rest)
        .where("id", "=", id).where("updated_at", "=", seen).executeTakeFirst();
      if (numUpdatedRows === 0n) return undefined;
    }
    const route = routeOf(row);
    this.tables[row.kind].put(route);
    return route;
  }

  /** Takes many of the name server's routes at once, which are all of one kind. */
  async putAll(kind: RouteKind, rows: readonly RouteRow[]): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      for (const row of rows) {
        const { id: _, ...rest } = row;
        await transaction.insertInto("sms_route").values(row)
          .onConflict((conflict) => conflict.column("id").doUpdateSet(rest)).execute();
      }
    });
    this.tables[kind].putAll(rows.map(routeOf));
  }

  /** Removes a route; false where there is none, or where it was changed since `seen`. */
  async remove(id: string, seen?: number): Promise<boolean> {
    let removal = this.db.deleteFrom("sms_route").where("id", "=", id);
    if (seen !== undefined) removal = removal.where("updated_at", "=", seen);
    const { numDeletedRows } = await removal.executeTakeFirst();
    if (seen !== undefined && numDeletedRows === 0n) return false;
    const fromMt = this.tables.mt.remove(id);
    return this.tables.mo.remove(id) || fromMt;
  }
}

function routeOf(row: RouteRow): Route {
  return {
    id: row.id,
    kind: row.kind,
    first: row.first,
    last: row.last,
    target: targetOf(row.target),
    rank: row.origin === "operator" ? 2 : 1,
    origin: row.origin,
    address: row.address ?? undefined,
    timeStamp: row.time_stamp,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
  };
}

/** The target that a row, or an operator, names. */
export function targetOf(text: string): Target {
  return text === "local" || text === "none" ? { kind: text } : { kind: "gateway", code: text };
}

/** The name of a target. */
export function targetText(target: Target): string {
  return target.kind === "gateway" ? target.code : target.kind;
}

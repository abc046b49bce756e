/**
 * The name server's routes and gateways: in memory, because every question asks; in the database, because they stay.
 *
 * @module
 */
import type { Kysely, Transaction } from "kysely";
import type { Clock, HostPort } from "../../../base/mod.ts";
import { routeTime } from "../../../protocol/cmpp/mod.ts";
import { RouteTable, type TableRoute } from "../routing/mod.ts";
import type { Seal } from "../../credentials/mod.ts";
import { GnsResult, refusalOfRoute, UpdateType } from "./codes.ts";
import type { GnsChangeRow, GnsGatewayRow, GnsRouteFields, GnsRouteRow, GnsTables } from "./schema.ts";

/** The kinds of routes. */
export type GnsKind = "mt" | "mo";

/** A route as the name server works with it. */
export interface GnsRoute extends TableRoute {
  readonly row: GnsRouteRow;
}

/** What an operator says of a gateway. */
export interface GnsGatewayInput {
  readonly code: string;
  readonly secret: string;
  /** Where it takes updates; undefined: it only asks. */
  readonly address?: HostPort | undefined;
  readonly trusted?: boolean | undefined;
  readonly version?: number | undefined;
}

/** A gateway as the name server works with it. */
export interface GnsGateway {
  readonly code: string;
  readonly secret: string;
  readonly address: HostPort | undefined;
  readonly trusted: boolean;
  readonly version: number;
  /** Up to which change it has been told. */
  told: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly updatedBy: string;
}

/** A change that somebody wants. */
export interface WantedChange extends GnsRouteFields {
  readonly kind: GnsKind;
  readonly update_type: number;
  readonly route_id: number;
}

/** How it was taken. */
export interface ChangeOutcome {
  /** See {@linkcode GnsResult}. */
  readonly result: number;
  readonly routeId: number;
  readonly timeStamp: string;
  readonly change?: GnsChangeRow;
}

/** All of it. */
export class GnsStore {
  readonly tables: Readonly<Record<GnsKind, RouteTable<GnsRoute>>> = {
    mt: new RouteTable(),
    mo: new RouteTable(),
  };
  /** Routes by Route_Id, for whoever takes the whole table one by one. */
  readonly #byId: Record<GnsKind, Map<number, GnsRoute>> = { mt: new Map(), mo: new Map() };
  /** Route_Ids in their order; undefined where one has come or gone since it was made. */
  readonly #ids: Partial<Record<GnsKind, number[]>> = {};
  readonly #gateways = new Map<string, GnsGateway>();
  #lastChange = 0;
  #lastStamp = "";
  /** Changes are made one after the other: each looks at what the one before has left. */
  #work: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly db: Kysely<GnsTables>,
    private readonly seal: Seal,
    private readonly clock: Pick<Clock, "now">,
    private readonly utcOffsetMinutes: number,
  ) {}

  static async open(
    db: Kysely<GnsTables>,
    seal: Seal,
    clock: Pick<Clock, "now">,
    utcOffsetMinutes: number,
  ): Promise<GnsStore> {
    const store = new GnsStore(db, seal, clock, utcOffsetMinutes);
    const rows = await db.selectFrom("gns_route").selectAll().execute();
    for (const kind of ["mt", "mo"] as const) {
      const routes = rows.filter((row) => row.kind === kind).map(tableRoute);
      store.tables[kind].putAll(routes);
      for (const route of routes) store.#byId[kind].set(route.row.route_id, route);
    }
    for (const row of await db.selectFrom("gns_gateway").selectAll().execute()) store.#know(row);
    const last = await db.selectFrom("gns_change")
      .select((eb) => [eb.fn.max("id").as("id"), eb.fn.max("time_stamp").as("stamp")]).executeTakeFirst();
    store.#lastChange = Number(last?.id ?? 0);
    store.#lastStamp = last?.stamp ?? "";
    return store;
  }

  gateway(code: string): GnsGateway | undefined {
    return this.#gateways.get(code);
  }

  /** Every gateway, by code. */
  gateways(): GnsGateway[] {
    return [...this.#gateways.values()].sort((a, b) => a.code < b.code ? -1 : 1);
  }

  async putGateway(
    input: GnsGatewayInput,
    actor: string,
  ): Promise<{ gateway: GnsGateway; created: boolean }> {
    const before = this.#gateways.get(input.code), now = this.clock.now();
    const row: GnsGatewayRow = {
      code: input.code,
      secret: this.seal.seal(new TextEncoder().encode(input.secret)),
      host: input.address?.host ?? null,
      port: input.address?.port ?? null,
      trusted: input.trusted ? 1 : 0,
      version: input.version ?? 0x30,
      // A new one takes the whole table itself; it is told what comes from now on.
      told: before?.told ?? this.#lastChange,
      created_at: before?.createdAt ?? now,
      updated_at: now,
      updated_by: actor,
    };
    await this.db.insertInto("gns_gateway").values(row)
      .onConflict((conflict) => conflict.column("code").doUpdateSet(row)).execute();
    return { gateway: this.#know(row), created: before === undefined };
  }

  async removeGateway(code: string): Promise<boolean> {
    await this.db.deleteFrom("gns_gateway").where("code", "=", code).execute();
    return this.#gateways.delete(code);
  }

  /** A gateway has taken every change up to this one. */
  async told(gateway: GnsGateway, change: number): Promise<void> {
    gateway.told = change;
    await this.db.updateTable("gns_gateway").set({ told: change }).where("code", "=", gateway.code).execute();
  }

  /** The route behind `last` in the order of Route_Ids, with how many there are and which of them it is. */
  next(kind: GnsKind, last: number): { route: GnsRoute; total: number; number: number } | undefined {
    const ids = this.#ordered(kind);
    let at = 0, end = ids.length;
    while (at < end) {
      const middle = (at + end) >>> 1;
      if (ids[middle]! <= last) at = middle + 1;
      else end = middle;
    }
    if (at >= ids.length) return undefined;
    return { route: this.#byId[kind].get(ids[at]!)!, total: ids.length, number: at + 1 };
  }

  route(kind: GnsKind, routeId: number): GnsRoute | undefined {
    return this.#byId[kind].get(routeId);
  }

  /** A page of routes by Route_Id. */
  list(kind: GnsKind, limit: number, after = -1): GnsRouteRow[] {
    const routes = this.#byId[kind];
    return this.#ordered(kind).filter((id) => id > after).slice(0, limit).map((id) => routes.get(id)!.row);
  }

  /** Takes a change; `effective` at once, or to be looked at by an operator first. */
  change(wanted: WantedChange, source: string, effective: boolean): Promise<ChangeOutcome> {
    return this.#inTurn(() => this.#change(wanted, source, effective));
  }

  /** An operator decides about a change that waits; undefined where none of that id does. */
  decide(id: number, valid: boolean, actor: string): Promise<ChangeOutcome | undefined> {
    return this.#inTurn(async () => {
      const change = await this.db.selectFrom("gns_change").selectAll().where("id", "=", id)
        .where("state", "=", "waiting").executeTakeFirst();
      if (!change) return undefined;
      if (!valid) {
        await this.db.updateTable("gns_change").set({ state: "refused", decided_by: actor })
          .where("id", "=", id).execute();
        return { result: GnsResult.ok, routeId: change.route_id, timeStamp: change.time_stamp, change };
      }
      const refused = this.#refused(change);
      if (refused !== undefined) {
        return { result: refused, routeId: change.route_id, timeStamp: change.time_stamp };
      }
      // It counts from now: what is told later must not look older than what was told before it.
      const decided: GnsChangeRow = {
        ...change,
        id: ++this.#lastChange,
        state: "valid",
        time_stamp: this.#stamp(),
        decided_by: actor,
      };
      await this.db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("gns_change").where("id", "=", id).execute();
        await transaction.insertInto("gns_change").values(decided).execute();
        await this.#apply(transaction, decided);
      });
      this.#settle(decided);
      return {
        result: GnsResult.ok,
        routeId: decided.route_id,
        timeStamp: decided.time_stamp,
        change: decided,
      };
    });
  }

  /** A page of changes in a state, the oldest first. */
  async changes(state: GnsChangeRow["state"], limit: number, after = 0): Promise<GnsChangeRow[]> {
    return await this.db.selectFrom("gns_change").selectAll().where("state", "=", state)
      .where("id", ">", after).orderBy("id").limit(limit).execute();
  }

  /** Forgets decided changes of before `before` that every gateway has been told; gives how many. */
  async forget(before: number): Promise<number> {
    const told = this.gateways().filter(({ address }) => address).map(({ told }) => told);
    // The last one stays: ids go on from it after a restart.
    const upTo = Math.min(this.#lastChange - 1, ...told);
    const result = await this.db.deleteFrom("gns_change").where("state", "<>", "waiting")
      .where("created_at", "<", before).where("id", "<=", upTo).executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  async #change(wanted: WantedChange, source: string, effective: boolean): Promise<ChangeOutcome> {
    const timeStamp = this.#stamp();
    const refused = this.#refused(wanted);
    if (refused !== undefined) return { result: refused, routeId: wanted.route_id, timeStamp };
    const { kind } = wanted, adds = wanted.update_type === UpdateType.add;
    const routeId = adds ? await this.#nextId(kind) : wanted.route_id;
    const before = this.#byId[kind].get(routeId)?.row;
    const change: GnsChangeRow = {
      // Who deletes a route need not say what was in it.
      ...(wanted.update_type === UpdateType.remove && before ? fieldsOf(before) : fieldsOf(wanted)),
      id: ++this.#lastChange,
      kind,
      route_id: routeId,
      update_type: wanted.update_type,
      state: effective ? "valid" : "waiting",
      time_stamp: timeStamp,
      source,
      created_at: this.clock.now(),
      decided_by: effective ? source : null,
    };
    await this.db.transaction().execute(async (transaction) => {
      await transaction.insertInto("gns_change").values(change).execute();
      if (adds) {
        const next = { kind, next: routeId + 1 };
        await transaction.insertInto("gns_next").values(next)
          .onConflict((conflict) => conflict.column("kind").doUpdateSet(next)).execute();
      }
      if (effective) await this.#apply(transaction, change);
    });
    if (effective) this.#settle(change);
    return { result: GnsResult.ok, routeId, timeStamp, change };
  }

  #refused(wanted: WantedChange): number | undefined {
    const { update_type, kind, route_id } = wanted;
    if (update_type > UpdateType.update) return GnsResult.updateType;
    if (update_type !== UpdateType.add && !this.#byId[kind].has(route_id)) return GnsResult.routeId;
    return update_type === UpdateType.remove ? undefined : refusalOfRoute(kind, wanted);
  }

  async #apply(transaction: Transaction<GnsTables>, change: GnsChangeRow): Promise<void> {
    if (change.update_type === UpdateType.remove) {
      await transaction.deleteFrom("gns_route").where("kind", "=", change.kind)
        .where("route_id", "=", change.route_id).execute();
      return;
    }
    const row = routeOf(change);
    await transaction.insertInto("gns_route").values(row)
      .onConflict((conflict) => conflict.columns(["kind", "route_id"]).doUpdateSet(row)).execute();
  }

  /** In memory what is on disk now. */
  #settle(change: GnsChangeRow): void {
    if (change.update_type !== UpdateType.remove) return this.#remember(routeOf(change));
    this.tables[change.kind].remove(String(change.route_id));
    this.#byId[change.kind].delete(change.route_id);
    delete this.#ids[change.kind];
  }

  #remember(row: GnsRouteRow): void {
    const route = tableRoute(row);
    this.tables[row.kind].put(route);
    this.#byId[row.kind].set(row.route_id, route);
    delete this.#ids[row.kind];
  }

  #ordered(kind: GnsKind): readonly number[] {
    return this.#ids[kind] ??= [...this.#byId[kind].keys()].sort((a, b) => a - b);
  }

  #know(row: GnsGatewayRow): GnsGateway {
    const gateway: GnsGateway = {
      code: row.code,
      secret: new TextDecoder().decode(this.seal.open(row.secret)),
      address: row.host === null || row.port === null ? undefined : { host: row.host, port: row.port },
      trusted: row.trusted === 1,
      version: row.version,
      told: row.told,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      updatedBy: row.updated_by,
    };
    this.#gateways.set(gateway.code, gateway);
    return gateway;
  }

  async #nextId(kind: GnsKind): Promise<number> {
    const row = await this.db.selectFrom("gns_next").select("next").where("kind", "=", kind)
      .executeTakeFirst();
    return row?.next ?? 0;
  }

  /** Never goes back: not even where the clock does. */
  #stamp(): string {
    const now = routeTime(this.clock.now(), this.utcOffsetMinutes);
    return this.#lastStamp = now > this.#lastStamp ? now : this.#lastStamp;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#work.then(work, work);
    this.#work = mine.catch(() => {}); // whoever asked is told; the next one goes on
    return mine;
  }
}

function tableRoute(row: GnsRouteRow): GnsRoute {
  return {
    id: String(row.route_id),
    first: row.kind === "mt" ? row.start_id : row.sp_code,
    last: row.kind === "mt" ? row.end_id : row.sp_code,
    // A provider's main access comes before its mirror.
    rank: row.sp_access_type === 0 ? 1 : 0,
    timeStamp: row.time_stamp,
    row,
  };
}

function routeOf(change: GnsChangeRow): GnsRouteRow {
  return {
    ...fieldsOf(change),
    kind: change.kind,
    route_id: change.route_id,
    time_stamp: change.time_stamp,
    updated_by: change.source,
  };
}

/** Only what a route says. */
export function fieldsOf(from: GnsRouteFields): GnsRouteFields {
  return {
    destination_id: from.destination_id,
    gateway_ip: from.gateway_ip,
    gateway_port: from.gateway_port,
    start_id: from.start_id,
    end_id: from.end_id,
    area_code: from.area_code,
    user_type: from.user_type,
    sp_id: from.sp_id,
    sp_code: from.sp_code,
    sp_access_type: from.sp_access_type,
    service_id: from.service_id,
    start_code: from.start_code,
    end_code: from.end_code,
  };
}

/** What a route of a kind that lacks most fields says. */
export const NO_FIELDS: GnsRouteFields = {
  destination_id: "",
  gateway_ip: "",
  gateway_port: 0,
  start_id: "",
  end_id: "",
  area_code: "",
  user_type: 0,
  sp_id: "",
  sp_code: "",
  sp_access_type: 0,
  service_id: "",
  start_code: 0,
  end_code: 0,
};

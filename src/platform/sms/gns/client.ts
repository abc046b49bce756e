/**
 * The gateway's side of the name server: asking it for routes, taking its whole table, and what it tells of its own
 * accord (reference §6).
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, GatehouseError, type HostPort, messageOf, type Timer } from "../../../base/mod.ts";
import type { Network } from "../../../net/mod.ts";
import { type Dialect, type Message, routeTime, VERSION_3_0 } from "../../../protocol/cmpp/mod.ts";
import {
  type NameServer,
  type NameServerRow,
  type Route,
  type RouteKind,
  type RouteRow,
  type RouteStore,
  type RoutingTables,
  targetText,
} from "../routing/mod.ts";
import type { Seal } from "../../credentials/mod.ts";
import { GnsResult, UpdateType } from "./codes.ts";
import { updateOf } from "./questions.ts";
import { type Answering, type Caller, ShortCall, type ShortTimes } from "./short_link.ts";
import type { WantedChange } from "./store.ts";

/** Who the name server is. */
export interface NameServerInput {
  /** Its code: who it says it is when it tells of changes. */
  readonly code: string;
  readonly secret: string;
  /** The highest Version octet that is spoken with it. Default 0x30. */
  readonly version?: number | undefined;
  /** Its answer to our CONNECT must prove that it knows the secret. Default false. */
  readonly proveAnswer?: boolean | undefined;
}

/** What is known of it. */
export interface NameServerStatus {
  readonly address: HostPort;
  readonly code: string | undefined;
  readonly version: number | undefined;
  readonly proveAnswer: boolean;
  /** When the whole table was last taken over, in milliseconds since 1970. */
  readonly refreshedAt: number | undefined;
  readonly lastError: string | undefined;
}

/** What a route at the name server says; 2.0, and some servers in 3.0, leave the Time_stamp out. */
interface Told {
  readonly Route_Id: number;
  readonly Destination_Id: string;
  readonly Gateway_IP: string;
  readonly Gateway_port: number;
  readonly Time_stamp: string;
  readonly Start_Id?: string;
  readonly End_Id?: string;
  readonly SP_Code?: string;
}

/** What the client works with. */
export interface GnsClientParts {
  readonly sql: Kysely<RoutingTables>;
  readonly seal: Seal;
  readonly network: Pick<Network, "connect">;
  readonly routes: RouteStore;
  readonly server: HostPort;
  readonly gatewayCode: string;
  readonly times: ShortTimes;
  /** How often the whole table is taken over, in milliseconds. */
  readonly refreshMs: number;
  /** Told when routes have changed. */
  readonly changed: () => void;
}

/**
 * `unset`: nobody has said who the name server is; `answer`: it answered what can't be used; `unsayable`: its version
 * can't say what it should be told.
 */
export class NameServerError extends GatehouseError<"unset" | "answer" | "unsayable"> {
  override readonly name = "NameServerError";
}

/** How long to wait before the table is asked for again after a failure, in milliseconds. */
const RETRY_MS = 30_000;
/** Routes written at once. */
const PAGE = 500;
/** Routes taken over at most: a name server that never says "last" must not fill the disk. */
const MOST_ROUTES = 1_000_000;

/** The client. */
export class GnsClient implements NameServer, Answering, AsyncDisposable {
  #known: Required<Caller> | undefined;
  #refreshedAt: number | undefined;
  #lastError: string | undefined;
  #timer: Timer | undefined;
  #refreshing: Promise<boolean> | undefined;
  readonly #stop = new AbortController();

  private constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    private readonly parts: GnsClientParts,
  ) {}

  static async open(
    deps: Pick<Deps, "clock" | "log" | "metrics">,
    parts: GnsClientParts,
  ): Promise<GnsClient> {
    const client = new GnsClient(deps, parts);
    const row = await parts.sql.selectFrom("sms_name_server").selectAll().executeTakeFirst();
    if (row) client.#know(row);
    return client;
  }

  /** Begins to take the table over, now and then again. */
  start(): void {
    this.#schedule(0);
  }

  get status(): NameServerStatus {
    return {
      address: this.parts.server,
      code: this.#known?.code,
      version: this.#known?.version,
      proveAnswer: this.#known?.proveAnswer ?? false,
      refreshedAt: this.#refreshedAt,
      lastError: this.#lastError,
    };
  }

  /** Says who the name server is. */
  async put(input: NameServerInput, actor: string): Promise<void> {
    const row: NameServerRow = {
      id: 1,
      code: input.code,
      secret: this.parts.seal.seal(new TextEncoder().encode(input.secret)),
      version: input.version ?? VERSION_3_0,
      prove_answer: input.proveAnswer ? 1 : 0,
      updated_at: this.deps.clock.now(),
      updated_by: actor,
    };
    await this.parts.sql.insertInto("sms_name_server").values(row)
      .onConflict((conflict) => conflict.column("id").doUpdateSet(row)).execute();
    this.#know(row);
    this.#schedule(0);
  }

  async learn(kind: RouteKind, number: string): Promise<Route | undefined> {
    await using call = await this.#call();
    const Source_Id = this.parts.gatewayCode;
    const answer = await call.ask(
      kind === "mt"
        ? { command: "MT_ROUTE", Source_Id, Terminal_Id: number }
        : { command: "MO_ROUTE", Source_Id, SP_Code: number, Service_Id: "", Service_Code: 0 },
    );
    if (answer.command !== "MT_ROUTE_RESP" && answer.command !== "MO_ROUTE_RESP") {
      throw new NameServerError("answer", `a question was answered with ${answer.command}`);
    }
    if (answer.Result === GnsResult.ok) return await this.#keep(kind, answer);
    if (answer.Result !== GnsResult.noRoute) {
      throw new NameServerError("answer", `the name server answered Result ${answer.Result}`);
    }
    // What it told before does not count any more.
    const before = this.parts.routes.find(kind, number);
    if (before?.origin === "name_server") await this.#drop(before.id);
    return undefined;
  }

  /** Tells the name server of a route; its Result, and the Route_Id that it has there. */
  async update(change: WantedChange): Promise<{ result: number; routeId: number; timeStamp: string }> {
    await using call = await this.#call();
    const question = updateOf(change, call.dialect);
    if (!question) throw new NameServerError("unsayable", "version 2.0 has segments of six digits at most");
    const answer = await call.ask(question);
    if (answer.command !== "MT_ROUTE_UPDATE_RESP" && answer.command !== "MO_ROUTE_UPDATE_RESP") {
      throw new NameServerError("answer", `an update was answered with ${answer.command}`);
    }
    return { result: answer.Result, routeId: answer.Route_Id, timeStamp: answer.Time_stamp };
  }

  /** Takes the whole table over, in place of what was there; true where that went well. */
  refresh(): Promise<boolean> {
    return this.#refreshing ??= this.#refresh().finally(() => this.#refreshing = undefined);
  }

  callerOf(code: string): Caller | undefined {
    return this.#known?.code === code ? this.#known : undefined;
  }

  async answer(_caller: Caller, message: Message, dialect: Dialect): Promise<Message | undefined> {
    const { sequence } = message, most = dialect === 3 ? 255 : 1; // 2.0 knows 0 and 1
    if (message.command === "PUSH_MT_ROUTE_UPDATE") {
      const Result = Math.min(await this.#pushed("mt", message), most);
      return { command: "PUSH_MT_ROUTE_UPDATE_RESP", sequence, Result };
    }
    if (message.command === "PUSH_MO_ROUTE_UPDATE") {
      const Result = Math.min(await this.#pushed("mo", message), most);
      return { command: "PUSH_MO_ROUTE_UPDATE_RESP", sequence, Result };
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    await this.#refreshing;
  }

  #know(row: NameServerRow): void {
    this.#known = {
      code: row.code,
      secret: new TextDecoder().decode(this.parts.seal.open(row.secret)),
      version: row.version,
      proveAnswer: row.prove_answer === 1,
    };
  }

  async #call(): Promise<ShortCall> {
    if (!this.#known) throw new NameServerError("unset", "set the name server's code and secret first");
    const { server, network, gatewayCode, times } = this.parts;
    const own = { ...this.#known, code: gatewayCode };
    return await ShortCall.open(this.deps, network, server, own, times, this.#stop.signal);
  }

  #schedule(ms: number): void {
    if (this.#stop.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = this.deps.clock.setTimer(() => {
      void this.refresh().then((done) => this.#schedule(done ? this.parts.refreshMs : RETRY_MS));
    }, ms);
  }

  async #refresh(): Promise<boolean> {
    if (!this.#known) return false;
    try {
      for (const kind of ["mt", "mo"] as const) await this.#takeOver(kind);
      this.#refreshedAt = this.deps.clock.now();
      this.#lastError = undefined;
      this.parts.changed();
      return true;
    } catch (error) {
      // What was told before stays in use.
      this.#lastError = messageOf(error);
      this.deps.log.warn("routes were not taken over from the name server", { error: this.#lastError });
      return false;
    }
  }

  async #takeOver(kind: RouteKind): Promise<void> {
    await using call = await this.#call();
    const began = this.deps.clock.now(), seen = new Set<string>(), news: RouteRow[] = [];
    for (let last = -1; seen.size < MOST_ROUTES;) {
      const next = await nextRoute(call, kind, this.parts.gatewayCode, last);
      if (!next) break;
      const { told, isLast } = next;
      last = told.Route_Id;
      seen.add(idOf(kind, last));
      // One that can't be a route does not keep those behind it from being taken.
      if (!usable(kind, told)) {
        this.deps.log.warn("the name server has a route that can't be one", { kind, routeId: last });
      } else {
        const row = this.#news(kind, told);
        if (row) news.push(row);
      }
      if (news.length >= PAGE) await this.parts.routes.putAll(kind, news.splice(0));
      if (isLast) break;
    }
    await this.parts.routes.putAll(kind, news);
    // What is no more there goes, unless it came in while the table was read.
    for (const route of this.parts.routes.tables[kind].list()) {
      if (route.origin === "name_server" && !seen.has(route.id) && route.updatedAt < began) {
        await this.#drop(route.id);
      }
    }
  }

  async #pushed(kind: RouteKind, told: Told & { Update_type: number }): Promise<number> {
    try {
      const before = this.parts.routes.get(idOf(kind, told.Route_Id));
      if (told.Time_stamp !== "" && before && before.timeStamp > told.Time_stamp) {
        return GnsResult.olderTimeStamp;
      }
      if (told.Update_type === UpdateType.remove) await this.#drop(idOf(kind, told.Route_Id));
      else if (told.Update_type > UpdateType.update || !usable(kind, told)) return GnsResult.updateFailed;
      else await this.#keep(kind, told);
      this.parts.changed();
      return GnsResult.ok;
    } catch (error) {
      this.deps.log.error("a route of the name server was not kept", { error: messageOf(error) });
      return GnsResult.busy;
    }
  }

  async #keep(kind: RouteKind, told: Told): Promise<Route> {
    if (!usable(kind, told)) throw new NameServerError("answer", `route ${told.Route_Id} can't be one`);
    const row = this.#news(kind, told);
    return row ? await this.parts.routes.put(row) : this.parts.routes.get(idOf(kind, told.Route_Id))!;
  }

  /** The row of what was told; undefined where it is here already, or was overtaken by an update. */
  #news(kind: RouteKind, told: Told): RouteRow | undefined {
    const id = idOf(kind, told.Route_Id), before = this.parts.routes.get(id), now = this.deps.clock.now();
    const first = (kind === "mt" ? told.Start_Id : told.SP_Code) ?? "";
    const last = (kind === "mt" ? told.End_Id : told.SP_Code) ?? "";
    const stamped = told.Time_stamp !== "";
    if (stamped && before && before.timeStamp > told.Time_stamp) return undefined;
    const same = before && (!stamped || before.timeStamp === told.Time_stamp) && before.first === first &&
      before.last === last && targetText(before.target) === told.Destination_Id;
    if (same) {
      before.updatedAt = now; // as fresh as if it had been written
      return undefined;
    }
    return {
      id,
      kind,
      first,
      last,
      target: told.Destination_Id,
      origin: "name_server",
      address: told.Gateway_IP === "" ? null : `${told.Gateway_IP}:${told.Gateway_port}`,
      // What has no Time_stamp is as new as it is here.
      time_stamp: stamped ? told.Time_stamp : routeTime(now, this.parts.times.utcOffsetMinutes),
      updated_at: now,
      updated_by: this.#known?.code ?? "",
    };
  }

  async #drop(id: string): Promise<void> {
    await this.parts.routes.remove(id);
  }
}

function idOf(kind: RouteKind, routeId: number): string {
  return `${kind}:gns:${routeId}`;
}

/** The route behind `last` of the whole table, and whether it is the last one; undefined where there is none. */
async function nextRoute(
  call: ShortCall,
  kind: RouteKind,
  Source_Id: string,
  Last_route_Id: number,
): Promise<{ told: Told; isLast: boolean } | undefined> {
  const Route_type = kind.toUpperCase(), asked = { Source_Id, Route_type, Last_route_Id };
  const answer = await call.ask(
    call.dialect === 2
      ? { command: "GET_ROUTE", ...asked }
      : { command: kind === "mt" ? "GET_MT_ROUTE" : "GET_MO_ROUTE", ...asked },
  );
  const broken = (Result: number) => new NameServerError("answer", `the table broke off: Result ${Result}`);
  if (answer.command === "GET_ROUTE_RESP") {
    if (answer.Result === GnsResult.noRoute) return undefined;
    // 2.0: 2 says that this is the last route. Segments stand where codes do.
    if (answer.Result > 2 || answer.Route_Id <= Last_route_Id) throw broken(answer.Result);
    const { Start_code, End_code } = answer;
    const told = { ...answer, Time_stamp: "", Start_Id: String(Start_code), End_Id: String(End_code) };
    return { told, isLast: answer.Result === 2 };
  }
  if (answer.command !== "GET_MT_ROUTE_RESP" && answer.command !== "GET_MO_ROUTE_RESP") {
    throw new NameServerError("answer", `a question was answered with ${answer.command}`);
  }
  if (answer.Result === GnsResult.noRoute) return undefined;
  if (answer.Result !== GnsResult.ok || answer.Route_Id <= Last_route_Id) throw broken(answer.Result);
  return { told: answer, isLast: answer.Route_number >= answer.Route_total };
}

/** Whether what was told can be a route: the name server's word is checked like everybody's. */
function usable(kind: RouteKind, told: Told): boolean {
  if (!/^\d{6}$/.test(told.Destination_Id)) return false;
  if (kind === "mo") return /^\d{1,21}$/.test(told.SP_Code ?? "");
  const { Start_Id = "", End_Id = "" } = told;
  return /^\d{1,9}$/.test(Start_Id) && /^\d{1,9}$/.test(End_Id) && Start_Id.length === End_Id.length &&
    Start_Id <= End_Id;
}

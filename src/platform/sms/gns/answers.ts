/**
 * What the name server answers: every question of clause 8.6, in both versions (reference §6).
 *
 * @module
 */
import { type Deps, messageOf } from "../../../base/mod.ts";
import {
  type Dialect,
  type GetMoRouteResp,
  type GetMtRouteResp,
  type GetRouteResp,
  type Message,
  type MoRouteResp,
  type MtRouteResp,
} from "../../../protocol/cmpp/mod.ts";
import { nationalNumber } from "../routing/mod.ts";
import { GnsResult } from "./codes.ts";
import { segmentOf } from "./questions.ts";
import type { GnsRouteRow } from "./schema.ts";
import type { Answering, Caller } from "./short_link.ts";
import { type GnsGateway, type GnsKind, type GnsStore, NO_FIELDS, type WantedChange } from "./store.ts";

/** Stands in for a route where there is none: its fields say nothing. */
const NO_ROUTE: Omit<GnsRouteRow, "kind"> = { ...NO_FIELDS, route_id: 0, time_stamp: "", updated_by: "" };

/** Answers gateways. */
export class GnsAnswers implements Answering {
  constructor(
    private readonly deps: Pick<Deps, "log" | "metrics">,
    private readonly store: GnsStore,
    /** Told when there is something new to be told to gateways. */
    private readonly changed: () => void,
    /** false: a sub-node, which takes no changes from gateways. */
    private readonly takesUpdates = true,
  ) {}

  callerOf(code: string): GnsGateway | undefined {
    return this.store.gateway(code);
  }

  async answer(caller: Caller, message: Message, dialect: Dialect): Promise<Message | undefined> {
    const answer = inDialect(await this.#answer(caller, message, dialect), dialect);
    if (answer && "Result" in answer) {
      this.deps.metrics.counter("gatehouse_gns_answers_total", "Answers of the name server", {
        command: message.command,
        result: String(answer.Result),
      }).inc();
    }
    return answer;
  }

  async #answer(caller: Caller, message: Message, dialect: Dialect): Promise<Message | undefined> {
    const { sequence } = message;
    switch (message.command) {
      case "MT_ROUTE": {
        const { result, row } = this.#find(
          caller,
          message.Source_Id,
          "mt",
          nationalNumber(message.Terminal_Id),
        );
        return { command: "MT_ROUTE_RESP", sequence, ...mtFields(row, dialect), Result: result };
      }
      case "MO_ROUTE": {
        // Annex 2: the provider's number alone decides; service and code are not looked at.
        const { result, row } = this.#find(caller, message.Source_Id, "mo", message.SP_Code);
        const { Service_Id: _, ...fields } = moFields(row);
        return { command: "MO_ROUTE_RESP", sequence, ...fields, Result: result };
      }
      case "GET_MT_ROUTE": {
        const { Source_Id, Route_type, Last_route_Id } = message;
        const got = this.#get(caller, Source_Id, Route_type, "mt", Last_route_Id);
        const answer: GetMtRouteResp = {
          command: "GET_MT_ROUTE_RESP",
          sequence,
          ...mtFields(got.row, dialect),
          Result: got.result,
          Route_total: got.total,
          Route_number: got.number,
        };
        return answer;
      }
      case "GET_MO_ROUTE": {
        const { Source_Id, Route_type, Last_route_Id } = message;
        const got = this.#get(caller, Source_Id, Route_type, "mo", Last_route_Id);
        const answer: GetMoRouteResp = {
          command: "GET_MO_ROUTE_RESP",
          sequence,
          ...moFields(got.row),
          Result: got.result,
          Route_total: got.total,
          Route_number: got.number,
        };
        return answer;
      }
      case "GET_ROUTE":
        return this.#getOld(caller, message);
      case "MT_ROUTE_UPDATE": {
        const outcome = await this.#update(caller, {
          ...NO_FIELDS,
          kind: "mt",
          update_type: message.Update_type,
          route_id: message.Route_Id,
          destination_id: message.Destination_Id,
          gateway_ip: message.Gateway_IP,
          gateway_port: message.Gateway_port,
          start_id: message.Start_Id,
          end_id: message.End_Id,
          area_code: message.Area_code,
          user_type: message.User_type,
        });
        return { command: "MT_ROUTE_UPDATE_RESP", sequence, ...outcome };
      }
      case "MO_ROUTE_UPDATE": {
        const outcome = await this.#update(caller, {
          ...NO_FIELDS,
          kind: "mo",
          update_type: message.Update_type,
          route_id: message.Route_Id,
          destination_id: message.Destination_Id,
          gateway_ip: message.Gateway_IP,
          gateway_port: message.Gateway_port,
          sp_id: message.SP_Id,
          sp_code: message.SP_Code,
          sp_access_type: message.SP_AcessType,
          service_id: message.Service_Id,
          start_code: message.Start_code,
          end_code: message.End_code,
        });
        return { command: "MO_ROUTE_UPDATE_RESP", sequence, ...outcome };
      }
      default:
        return undefined;
    }
  }

  #find(
    caller: Caller,
    source: string,
    kind: GnsKind,
    number: string,
  ): { result: number; row: Omit<GnsRouteRow, "kind"> } {
    if (source !== caller.code) return { result: GnsResult.sourceId, row: NO_ROUTE };
    const route = this.store.tables[kind].find(number);
    return route ? { result: GnsResult.ok, row: route.row } : { result: GnsResult.noRoute, row: NO_ROUTE };
  }

  #get(
    caller: Caller,
    source: string,
    type: string,
    kind: GnsKind,
    last: number,
  ): { result: number; row: Omit<GnsRouteRow, "kind">; total: number; number: number } {
    const none = { row: NO_ROUTE, total: 0, number: 0 };
    if (source !== caller.code) return { ...none, result: GnsResult.sourceId };
    if (type.toLowerCase() !== kind) return { ...none, result: GnsResult.routeType };
    const next = this.store.next(kind, last);
    if (!next) return { ...none, result: GnsResult.noRoute };
    return { result: GnsResult.ok, row: next.route.row, total: next.total, number: next.number };
  }

  /** 2.0 has one question for both kinds; its Result 2 says that this was the last route. */
  #getOld(caller: Caller, message: Message & { command: "GET_ROUTE" }): GetRouteResp {
    const kind: GnsKind = message.Route_type.toLowerCase() === "mo" ? "mo" : "mt";
    const next = (last: number) => this.#get(caller, message.Source_Id, message.Route_type, kind, last);
    let got = next(message.Last_route_Id);
    // As a number a segment has no zeros in front: one that needs them is left out, as another would be told.
    while (got.row.start_id.startsWith("0")) got = next(got.row.route_id);
    const { row } = got, mt = mtFields(row, 2);
    return {
      command: "GET_ROUTE_RESP",
      sequence: message.sequence,
      Route_Id: mt.Route_Id,
      Destination_Id: mt.Destination_Id,
      Gateway_IP: mt.Gateway_IP,
      Gateway_port: mt.Gateway_port,
      SP_Code: row.sp_code,
      Service_Id: row.service_id,
      // It has no numbers of their own: segments stand where codes do.
      Start_code: kind === "mt" ? Number(row.start_id) : row.start_code,
      End_code: kind === "mt" ? Number(row.end_id) : row.end_code,
      Area_code: row.area_code,
      Result: got.result === GnsResult.ok && got.number === got.total ? 2 : Math.min(got.result, 1),
    };
  }

  async #update(
    caller: Caller,
    wanted: WantedChange,
  ): Promise<{ Result: number; Route_Id: number; Time_stamp: string }> {
    if (!this.takesUpdates) return { Result: GnsResult.subNode, Route_Id: wanted.route_id, Time_stamp: "" };
    try {
      const trusted = this.store.gateway(caller.code)?.trusted ?? false;
      const outcome = await this.store.change(wanted, caller.code, trusted);
      if (outcome.change?.state === "valid") this.changed();
      return { Result: outcome.result, Route_Id: outcome.routeId, Time_stamp: outcome.timeStamp };
    } catch (error) {
      this.deps.log.error("a route was not changed", { gateway: caller.code, error: messageOf(error) });
      return { Result: GnsResult.busy, Route_Id: wanted.route_id, Time_stamp: "" };
    }
  }
}

/** 2.0 knows 0 and 1 alone; only GET_ROUTE_RESP has a 2, which says something else there. */
function inDialect(answer: Message | undefined, dialect: Dialect): Message | undefined {
  if (!answer || dialect === 3 || !("Result" in answer) || answer.command === "GET_ROUTE_RESP") return answer;
  return { ...answer, Result: Math.min(answer.Result, 1) };
}

function mtFields(
  row: Omit<GnsRouteRow, "kind">,
  dialect: Dialect,
): Omit<MtRouteResp, "command" | "sequence" | "Result"> {
  return {
    Route_Id: row.route_id,
    Destination_Id: row.destination_id,
    Gateway_IP: row.gateway_ip,
    Gateway_port: row.gateway_port,
    ...segmentOf(row, dialect),
    Area_code: row.area_code,
    User_type: row.user_type,
    Time_stamp: row.time_stamp,
  };
}

function moFields(
  row: Omit<GnsRouteRow, "kind">,
): Omit<MoRouteResp, "command" | "sequence" | "Result"> & { Service_Id: string } {
  return {
    Route_Id: row.route_id,
    Destination_Id: row.destination_id,
    Gateway_IP: row.gateway_ip,
    Gateway_port: row.gateway_port,
    SP_Id: row.sp_id,
    SP_Code: row.sp_code,
    SP_AcessType: row.sp_access_type,
    Service_Id: row.service_id,
    Start_code: row.start_code,
    End_code: row.end_code,
    Time_stamp: row.time_stamp,
  };
}

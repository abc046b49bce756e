/**
 * Changes of routes as the messages that say them.
 *
 * @module
 */
import type { Dialect } from "../../../protocol/cmpp/mod.ts";
import { UpdateType } from "./codes.ts";
import type { GnsChangeRow, GnsRouteFields } from "./schema.ts";
import type { Question } from "./short_link.ts";
import type { WantedChange } from "./store.ts";

/** Digits of a segment in 2.0; 3.0 has nine, all that there are. */
const SEGMENT_OF_2 = 6;

/** Whether a version can say just this segment: 2.0 only where what is behind its six digits is every number. */
function saysSegment({ start_id, end_id }: GnsRouteFields, dialect: Dialect): boolean {
  return dialect === 3 ||
    /^0*$/.test(start_id.slice(SEGMENT_OF_2)) && /^9*$/.test(end_id.slice(SEGMENT_OF_2));
}

/** The segment as wide as a version has it: cut, where 2.0 can't say it, to the one around it. */
export function segmentOf({ start_id, end_id }: GnsRouteFields, dialect: Dialect) {
  const digits = dialect === 3 ? undefined : SEGMENT_OF_2;
  return { Start_Id: start_id.slice(0, digits), End_Id: end_id.slice(0, digits) };
}

/** What a gateway tells the name server; undefined where this version can't say it. */
export function updateOf(change: WantedChange, dialect: Dialect): Question | undefined {
  if (change.update_type !== UpdateType.remove && !saysSegment(change, dialect)) return undefined;
  return change.kind === "mt"
    ? { command: "MT_ROUTE_UPDATE", ...shared(change), ...mt(change, dialect) }
    : { command: "MO_ROUTE_UPDATE", ...shared(change), ...mo(change) };
}

/**
 * What the name server tells gateways; undefined where there is nothing that this version can say. A route that grew
 * finer than 2.0 can say is told to be gone: whoever needs it asks.
 */
export function pushOf(change: GnsChangeRow, dialect: Dialect): Question | undefined {
  const { time_stamp: Time_stamp } = change;
  if (!saysSegment(change, dialect) && change.update_type === UpdateType.add) return undefined;
  if (!saysSegment(change, dialect)) change = { ...change, update_type: UpdateType.remove };
  return change.kind === "mt"
    ? { command: "PUSH_MT_ROUTE_UPDATE", ...shared(change), ...mt(change, dialect), Time_stamp }
    : { command: "PUSH_MO_ROUTE_UPDATE", ...shared(change), ...mo(change), Time_stamp };
}

function shared(change: WantedChange) {
  return {
    Update_type: change.update_type,
    Route_Id: change.route_id,
    Destination_Id: change.destination_id,
    Gateway_IP: change.gateway_ip,
    Gateway_port: change.gateway_port,
  };
}

function mt(change: WantedChange, dialect: Dialect) {
  return {
    ...segmentOf(change, dialect),
    Area_code: change.area_code,
    User_type: change.user_type,
  };
}

function mo(change: WantedChange) {
  return {
    SP_Id: change.sp_id,
    SP_Code: change.sp_code,
    SP_AcessType: change.sp_access_type,
    Service_Id: change.service_id,
    Start_code: change.start_code,
    End_code: change.end_code,
  };
}

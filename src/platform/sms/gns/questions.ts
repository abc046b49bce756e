/**
 * Changes of routes as the messages that say them.
 *
 * @module
 */
import type { GnsChangeRow } from "./schema.ts";
import type { Question } from "./short_link.ts";
import type { WantedChange } from "./store.ts";

/** What a gateway tells the name server. */
export function updateOf(change: WantedChange): Question {
  return change.kind === "mt"
    ? { command: "MT_ROUTE_UPDATE", ...shared(change), ...mt(change) }
    : { command: "MO_ROUTE_UPDATE", ...shared(change), ...mo(change) };
}

/** What the name server tells gateways. */
export function pushOf(change: GnsChangeRow): Question {
  const { time_stamp: Time_stamp } = change;
  return change.kind === "mt"
    ? { command: "PUSH_MT_ROUTE_UPDATE", ...shared(change), ...mt(change), Time_stamp }
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

function mt(change: WantedChange) {
  return {
    Start_Id: change.start_id,
    End_Id: change.end_id,
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

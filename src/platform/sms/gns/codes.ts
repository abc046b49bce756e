/**
 * Result between gateways and the name server (reference §6, clause 8.7.3), and what makes a route wrong.
 *
 * @module
 */
import type { GnsRouteFields } from "./schema.ts";

/** Values of Result. */
export const GnsResult = {
  ok: 0,
  noRoute: 1,
  sourceId: 2,
  routeType: 3,
  subNode: 4,
  updateFailed: 5,
  olderTimeStamp: 6,
  busy: 9,
  updateType: 10,
  routeId: 11,
  destinationId: 12,
  gatewayIp: 13,
  gatewayPort: 14,
  startId: 15,
  endId: 16,
  areaCode: 17,
  userType: 18,
  spId: 19,
  spCode: 20,
  spAccessType: 21,
  serviceId: 22,
  startCode: 23,
  endCode: 24,
} as const;

/** Update_type. */
export const UpdateType = { add: 0, remove: 1, update: 2 } as const;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** The Result for a route that can't be; undefined for one that can. Every field has a Result of its own. */
export function refusalOfRoute(kind: "mt" | "mo", route: GnsRouteFields): number | undefined {
  if (!/^\d{6}$/.test(route.destination_id)) return GnsResult.destinationId;
  if (!IPV4.test(route.gateway_ip)) return GnsResult.gatewayIp;
  if (route.gateway_port < 1 || route.gateway_port > 65_535) return GnsResult.gatewayPort;
  return kind === "mt" ? refusalOfMt(route) : refusalOfMo(route);
}

function refusalOfMt(route: GnsRouteFields): number | undefined {
  if (!/^\d{1,9}$/.test(route.start_id)) return GnsResult.startId;
  if (
    !/^\d{1,9}$/.test(route.end_id) || route.end_id.length !== route.start_id.length ||
    route.end_id < route.start_id
  ) return GnsResult.endId;
  if (!/^\d{0,4}$/.test(route.area_code)) return GnsResult.areaCode;
  return route.user_type <= 2 ? undefined : GnsResult.userType;
}

function refusalOfMo(route: GnsRouteFields): number | undefined {
  if (!/^[\x21-\x7e]{0,6}$/.test(route.sp_id)) return GnsResult.spId;
  if (!/^\d{1,21}$/.test(route.sp_code)) return GnsResult.spCode;
  if (route.sp_access_type > 1) return GnsResult.spAccessType;
  if (!/^[\x21-\x7e]{0,10}$/.test(route.service_id)) return GnsResult.serviceId;
  return route.end_code < route.start_code ? GnsResult.endCode : undefined;
}

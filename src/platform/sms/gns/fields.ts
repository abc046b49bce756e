/**
 * A route as people write it, at the name server and at a gateway that tells the name server of one.
 *
 * @module
 */
import * as v from "valibot";
import { Code } from "../fields.ts";
import { NO_FIELDS, type WantedChange } from "./store.ts";

const whole = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most));
const digits = (most: number) => v.pipe(v.string(), v.regex(/^\d*$/), v.minLength(1), v.maxLength(most));

/** The kinds of routes. */
export const Kind = v.picklist(["mt", "mo"]);

const where = { destinationId: Code, gatewayIp: v.pipe(v.string(), v.ipv4()), gatewayPort: whole(65_535) };
/** The fields of a route to phones, and of one to providers. */
export const ROUTE_ENTRIES = {
  mt: {
    kind: v.literal("mt"),
    ...where,
    startId: digits(9),
    endId: digits(9),
    areaCode: v.optional(v.pipe(v.string(), v.regex(/^\d{0,4}$/))),
    userType: v.optional(whole(2)),
  },
  mo: {
    kind: v.literal("mo"),
    ...where,
    spCode: digits(21),
    spId: v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{0,6}$/))),
    spAccessType: v.optional(whole(1)),
    serviceId: v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]{0,10}$/))),
    startCode: v.optional(whole(0xffff_ffff)),
    endCode: v.optional(whole(0xffff_ffff)),
  },
} as const;

/** A route. */
export const RouteBody = v.variant("kind", [
  v.strictObject(ROUTE_ENTRIES.mt),
  v.strictObject(ROUTE_ENTRIES.mo),
]);

/** What is wanted of the name server with such a route. */
export function wantedOf(
  body: v.InferOutput<typeof RouteBody>,
  update_type: number,
  route_id: number,
): WantedChange {
  const shared = {
    ...NO_FIELDS,
    update_type,
    route_id,
    destination_id: body.destinationId,
    gateway_ip: body.gatewayIp,
    gateway_port: body.gatewayPort,
  };
  if (body.kind === "mt") {
    const { startId, endId, areaCode = "", userType = 0 } = body;
    return {
      ...shared,
      kind: "mt",
      start_id: startId,
      end_id: endId,
      area_code: areaCode,
      user_type: userType,
    };
  }
  const { spCode, spId = "", spAccessType = 0, serviceId = "", startCode = 0, endCode = startCode } = body;
  return {
    ...shared,
    kind: "mo",
    sp_code: spCode,
    sp_id: spId,
    sp_access_type: spAccessType,
    service_id: serviceId,
    start_code: startCode,
    end_code: endCode,
  };
}

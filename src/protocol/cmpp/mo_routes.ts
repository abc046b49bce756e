/**
 * Routes to service providers: as for phones, with SP_Code in the place of number segments; and GET_ROUTE, which 2.0
 * has for both kinds (reference §6).
 *
 * @module
 */
import { type Codec, type Fixed, fixed } from "./codec.ts";
import { absent, i32, layout, text, u32, u8 } from "./layout.ts";
import { PUSH_RESP, TARGET, UPDATE_RESP } from "./mt_routes.ts";
import type { Dialect } from "./versions.ts";

const CODES = { Start_code: u32, End_code: u32 };
/** 2.0 has neither SP_Id nor SP_AcessType; its 21 octets are the SP_Code, whatever their name there. */
const SP_3 = { SP_Id: text(6), SP_Code: text(21), SP_AcessType: u8 };
const SP_2 = { SP_Id: absent(""), SP_Code: text(21), SP_AcessType: absent(0) };

const MO_ROUTE = layout({
  Source_Id: text(6),
  SP_Code: text(21),
  Service_Id: text(10),
  Service_Code: u32,
});
const MO_ROUTE_RESP = {
  3: layout({ Route_Id: u32, ...TARGET, ...SP_3, ...CODES, Result: u8, Time_stamp: text(14) }),
  2: layout({ Route_Id: u32, ...TARGET, ...SP_2, ...CODES, Result: u8, Time_stamp: absent("") }),
} as const;
const GET_MO_ROUTE = layout({ Source_Id: text(6), Route_type: text(4), Last_route_Id: i32 });
const GET_MO_ROUTE_RESP = layout({
  Route_Id: u32,
  ...TARGET,
  ...SP_3,
  Service_Id: text(10),
  ...CODES,
  Result: u8,
  Route_total: u32,
  Route_number: u32,
  Time_stamp: text(14),
});
const GET_ROUTE = layout({ Source_Id: text(6), Route_type: text(2), Last_route_Id: i32 });
const GET_ROUTE_RESP = layout({
  Route_Id: u32,
  ...TARGET,
  SP_Code: text(21),
  Service_Id: text(10),
  ...CODES,
  Area_code: text(4),
  Result: u8,
});
const UPDATE_3 = { Update_type: u8, Route_Id: u32, ...TARGET, ...SP_3, Service_Id: text(10), ...CODES };
const UPDATE_2 = { Update_type: u8, Route_Id: u32, ...TARGET, ...SP_2, Service_Id: text(10), ...CODES };
const UPDATE = { 2: layout(UPDATE_2), 3: layout(UPDATE_3) } as const;
const PUSH = {
  2: layout({ ...UPDATE_2, Time_stamp: absent("") }),
  3: layout({ ...UPDATE_3, Time_stamp: text(14) }),
} as const;

/** Asks which gateway serves a provider. */
export type MoRoute = Fixed<"MO_ROUTE", typeof MO_ROUTE.fields>;
/** The gateway that serves it, or why there is none. */
export type MoRouteResp = Fixed<"MO_ROUTE_RESP", (typeof MO_ROUTE_RESP)[3]["fields"]>;
/** Asks for the route behind Last_route_Id, -1 for the first. 3.0 only. */
export type GetMoRoute = Fixed<"GET_MO_ROUTE", typeof GET_MO_ROUTE.fields>;
/** One route of the table, or why there is none. */
export type GetMoRouteResp = Fixed<"GET_MO_ROUTE_RESP", typeof GET_MO_ROUTE_RESP.fields>;
/** The same in 2.0 for both kinds of routes: Route_type "MO" or "MT". */
export type GetRoute = Fixed<"GET_ROUTE", typeof GET_ROUTE.fields>;
/** One route of either kind, or why there is none. */
export type GetRouteResp = Fixed<"GET_ROUTE_RESP", typeof GET_ROUTE_RESP.fields>;
/** Adds (0), deletes (1) or changes (2) a route at the name server. */
export type MoRouteUpdate = Fixed<"MO_ROUTE_UPDATE", (typeof UPDATE)[3]["fields"]>;
/** Whether the name server took the change. */
export type MoRouteUpdateResp = Fixed<"MO_ROUTE_UPDATE_RESP", (typeof UPDATE_RESP)[3]["fields"]>;
/** The name server tells gateways of a change. */
export type PushMoRouteUpdate = Fixed<"PUSH_MO_ROUTE_UPDATE", (typeof PUSH)[3]["fields"]>;
/** The gateway has the change. */
export type PushMoRouteUpdateResp = Fixed<"PUSH_MO_ROUTE_UPDATE_RESP", typeof PUSH_RESP.fields>;

/** The codecs of this family. */
export const moRoute: Codec<MoRoute> = fixed("MO_ROUTE", MO_ROUTE);
export const moRouteResp = (d: Dialect): Codec<MoRouteResp> => fixed("MO_ROUTE_RESP", MO_ROUTE_RESP[d]);
export const getMoRoute: Codec<GetMoRoute> = fixed("GET_MO_ROUTE", GET_MO_ROUTE);
export const getMoRouteResp: Codec<GetMoRouteResp> = fixed("GET_MO_ROUTE_RESP", GET_MO_ROUTE_RESP);
export const getRoute: Codec<GetRoute> = fixed("GET_ROUTE", GET_ROUTE);
export const getRouteResp: Codec<GetRouteResp> = fixed("GET_ROUTE_RESP", GET_ROUTE_RESP);
export const moRouteUpdate = (d: Dialect): Codec<MoRouteUpdate> => fixed("MO_ROUTE_UPDATE", UPDATE[d]);
export const moRouteUpdateResp = (d: Dialect): Codec<MoRouteUpdateResp> =>
  fixed("MO_ROUTE_UPDATE_RESP", UPDATE_RESP[d]);
export const pushMoRouteUpdate = (d: Dialect): Codec<PushMoRouteUpdate> =>
  fixed("PUSH_MO_ROUTE_UPDATE", PUSH[d]);
export const pushMoRouteUpdateResp: Codec<PushMoRouteUpdateResp> = fixed(
  "PUSH_MO_ROUTE_UPDATE_RESP",
  PUSH_RESP,
);

/**
 * Routes to phones: what gateways ask a name server for, tell it, and are told by it (reference §6).
 *
 * @module
 */
import { type Codec, type Fixed, fixed } from "./codec.ts";
import { absent, i32, layout, text, u16, u32, u8 } from "./layout.ts";
import type { Dialect } from "./versions.ts";

/** Where a route leads. */
export const TARGET = {
  Destination_Id: text(6),
  Gateway_IP: text(15),
  Gateway_port: u16,
};
const segment = (octets: number) => ({ Start_Id: text(octets), End_Id: text(octets) });

const MT_ROUTE = layout({ Source_Id: text(6), Terminal_Id: text(21) });
const MT_ROUTE_RESP = {
  3: layout({
    Route_Id: u32,
    ...TARGET,
    ...segment(9),
    Area_code: text(4),
    Result: u8,
    User_type: u8,
    Time_stamp: text(14),
  }),
  2: layout({
    Route_Id: u32,
    ...TARGET,
    ...segment(6),
    Area_code: text(4),
    Result: u8,
    User_type: absent(0),
    Time_stamp: absent(""),
  }),
} as const;
const GET_MT_ROUTE = layout({ Source_Id: text(6), Route_type: text(4), Last_route_Id: i32 });
const GET_MT_ROUTE_RESP = layout({
  Route_Id: u32,
  ...TARGET,
  ...segment(9),
  Area_code: text(4),
  Result: u8,
  User_type: u8,
  Route_total: u32,
  Route_number: u32,
  Time_stamp: text(14),
});
const UPDATE_3 = {
  Update_type: u8,
  Route_Id: u32,
  ...TARGET,
  ...segment(9),
  Area_code: text(4),
  User_type: u8,
};
const UPDATE_2 = { ...UPDATE_3, ...segment(6), User_type: absent(0) };
const UPDATE = { 2: layout(UPDATE_2), 3: layout(UPDATE_3) } as const;
const PUSH = {
  2: layout({ ...UPDATE_2, Time_stamp: absent("") }),
  3: layout({ ...UPDATE_3, Time_stamp: text(14) }),
} as const;
/** How an update was taken. */
export const UPDATE_RESP = {
  2: layout({ Result: u8, Route_Id: absent(0), Time_stamp: absent("") }),
  3: layout({ Result: u8, Route_Id: u32, Time_stamp: text(14) }),
} as const;
/** How a pushed update was taken. */
export const PUSH_RESP = layout({ Result: u8 });

/** Asks which gateway serves a phone. */
export type MtRoute = Fixed<"MT_ROUTE", typeof MT_ROUTE.fields>;
/** The gateway that serves it, or why there is none. */
export type MtRouteResp = Fixed<"MT_ROUTE_RESP", (typeof MT_ROUTE_RESP)[3]["fields"]>;
/** Asks for the route behind Last_route_Id, -1 for the first: the whole table, one by one. 3.0 only. */
export type GetMtRoute = Fixed<"GET_MT_ROUTE", typeof GET_MT_ROUTE.fields>;
/** One route of the table, or why there is none. */
export type GetMtRouteResp = Fixed<"GET_MT_ROUTE_RESP", typeof GET_MT_ROUTE_RESP.fields>;
/** Adds (0), deletes (1) or changes (2) a route at the name server. */
export type MtRouteUpdate = Fixed<"MT_ROUTE_UPDATE", (typeof UPDATE)[3]["fields"]>;
/** Whether the name server took the change. */
export type MtRouteUpdateResp = Fixed<"MT_ROUTE_UPDATE_RESP", (typeof UPDATE_RESP)[3]["fields"]>;
/** The name server tells gateways of a change. */
export type PushMtRouteUpdate = Fixed<"PUSH_MT_ROUTE_UPDATE", (typeof PUSH)[3]["fields"]>;
/** The gateway has the change. */
export type PushMtRouteUpdateResp = Fixed<"PUSH_MT_ROUTE_UPDATE_RESP", typeof PUSH_RESP.fields>;

/** The codecs of this family. */
export const mtRoute: Codec<MtRoute> = fixed("MT_ROUTE", MT_ROUTE);
export const mtRouteResp = (d: Dialect): Codec<MtRouteResp> => fixed("MT_ROUTE_RESP", MT_ROUTE_RESP[d]);
export const getMtRoute: Codec<GetMtRoute> = fixed("GET_MT_ROUTE", GET_MT_ROUTE);
export const getMtRouteResp: Codec<GetMtRouteResp> = fixed("GET_MT_ROUTE_RESP", GET_MT_ROUTE_RESP);
export const mtRouteUpdate = (d: Dialect): Codec<MtRouteUpdate> => fixed("MT_ROUTE_UPDATE", UPDATE[d]);
export const mtRouteUpdateResp = (d: Dialect): Codec<MtRouteUpdateResp> =>
  fixed("MT_ROUTE_UPDATE_RESP", UPDATE_RESP[d]);
export const pushMtRouteUpdate = (d: Dialect): Codec<PushMtRouteUpdate> =>
  fixed("PUSH_MT_ROUTE_UPDATE", PUSH[d]);
export const pushMtRouteUpdateResp: Codec<PushMtRouteUpdateResp> = fixed(
  "PUSH_MT_ROUTE_UPDATE_RESP",
  PUSH_RESP,
);

/**
 * What `ip -json` says about interfaces and routes. Everything in it is looked at before it is believed: names and
 * counters come from drivers and from whoever configured the machine.
 *
 * @module
 */
import * as v from "valibot";
import { DriverError } from "../errors.ts";

const number = v.pipe(v.number(), v.finite());
const ADDRESS = v.looseObject({
  family: v.optional(v.string(), ""),
  local: v.optional(v.string(), ""),
  scope: v.optional(v.string(), ""),
  dynamic: v.optional(v.boolean(), false),
});
const QOS = v.optional(v.array(v.looseObject({ from: number, to: number })), []);
const LINK = v.looseObject({
  ifname: v.pipe(v.string(), v.regex(/^[^\s/]{1,15}$/)),
  flags: v.optional(v.array(v.string()), []),
  operstate: v.optional(v.string(), ""),
  link_type: v.optional(v.string(), ""),
  address: v.optional(v.string()),
  master: v.optional(v.string()),
  linkinfo: v.optional(v.looseObject({
    info_kind: v.optional(v.string()),
    info_data: v.optional(v.looseObject({ id: v.optional(number), egress_qos: QOS })),
  })),
  addr_info: v.optional(v.array(ADDRESS), []),
});
const ROUTE = v.looseObject({
  dst: v.string(),
  gateway: v.optional(v.string()),
  dev: v.optional(v.string()),
  metric: v.optional(number, 0),
});
const COUNTERS = v.looseObject({
  stats64: v.object({ rx: v.looseObject({ bytes: number }), tx: v.looseObject({ bytes: number }) }),
});

/** A link with its addresses. */
export type IpLink = v.InferOutput<typeof LINK>;
/** A route. */
export type IpRoute = v.InferOutput<typeof ROUTE>;

/** `ip -json -details address show`; what is no link among them is left out. @throws {DriverError} */
export function parseLinks(value: unknown): IpLink[] {
  return listOf(value).flatMap((one) => {
    const result = v.safeParse(LINK, one);
    return result.success ? [result.output] : [];
  });
}

/** `ip -json route show default`, the best metric first. @throws {DriverError} */
export function parseRoutes(value: unknown): IpRoute[] {
  return listOf(value).flatMap((one) => {
    const result = v.safeParse(ROUTE, one);
    return result.success && result.output.dst === "default" ? [result.output] : [];
  }).sort((a, b) => a.metric - b.metric);
}

/** Bytes in and out of `ip -json -s link show dev …`. @throws {DriverError} */
export function parseCounters(value: unknown): { readonly rx: number; readonly tx: number } {
  const result = v.safeParse(COUNTERS, listOf(value)[0]);
  if (!result.success) throw new DriverError("failed", "ip told no counters");
  const { rx, tx } = result.output.stats64;
  return { rx: rx.bytes, tx: tx.bytes };
}

function listOf(value: unknown): unknown[] {
  if (value === undefined) return []; // nothing to show
  if (!Array.isArray(value)) throw new DriverError("failed", "ip answered no list");
  return value.slice(0, 1024);
}

/**
 * The language that finds gateways: RSQL, as hawkBit's operators know it, over what is known of a gateway.
 *
 * `vendor==ZTE;model=in=(F450,F650);(region==north,tag==pilot);lastSeen=gt=-7d`: `;` is and, `,` is or.
 *
 * @module
 */
import { parse } from "@rsql/parser";
import { type Expression, type ExpressionBuilder, sql, type SqlBool } from "kysely";
import { GatehouseError } from "../../base/mod.ts";
import type { FleetTables } from "./schema.ts";

/** A condition on the row `gateway`. */
export type Filter = (eb: ExpressionBuilder<FleetTables, "gateway">) => Expression<SqlBool>;

/** A filter that can't be used, with the reason for whoever wrote it. */
export class FilterError extends GatehouseError<"invalid_filter"> {
  override readonly name = "FilterError";

  constructor(message: string, options?: ErrorOptions) {
    super("invalid_filter", message, options);
  }
}

/** Longest filter in characters, most comparisons in it, most values in one list. */
export const MAX_FILTER = 2000;
const MAX_COMPARISONS = 50;
const MAX_VALUES = 200;

type Builder = ExpressionBuilder<FleetTables, "gateway">;
type Operator = "==" | "!=" | "=in=" | "=out=" | "=lt=" | "=le=" | "=gt=" | "=ge=";
type Field = (operator: Operator, values: readonly string[], name: string, now: number) => Filter;

const OPERATORS: Readonly<Record<string, Operator>> = {
  "==": "==",
  "!=": "!=",
  "=in=": "=in=",
  "=out=": "=out=",
  "=lt=": "=lt=",
  "<": "=lt=",
  "=le=": "=le=",
  "<=": "=le=",
  "=gt=": "=gt=",
  ">": "=gt=",
  "=ge=": "=ge=",
  ">=": "=ge=",
};

const TEXT = {
  mac: "mac",
  sn: "sn",
  loid: "loid",
  vendor: "vendor",
  model: "model",
  region: "region",
  firmware: "firmware",
  hardware: "hardware",
  osVersion: "os_version",
  appVersion: "app_version",
  card: "card",
  wanIp: "wan_ip",
} as const;
const TIMES = { lastSeen: "last_seen_at", registeredAt: "registered_at", createdAt: "created_at" } as const;

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ...Object.entries(TEXT).map(([name, column]) => [name, textField(column)] as const),
  ...Object.entries(TIMES).map(([name, column]) => [name, timeField(column)] as const),
  ["online", booleanField((eb, value) => eb("gateway.online", "=", value ? 1 : 0))],
  [
    "registered",
    booleanField((eb, value) => eb("gateway.registered_at", value ? "is not" : "is", null)),
  ],
  [
    "tag",
    setField((eb, value) =>
      eb.exists(
        eb.selectFrom("gateway_tag").select("gateway_tag.tag")
          .whereRef("gateway_tag.mac", "=", "gateway.mac").where("gateway_tag.tag", "=", value),
      )
    ),
  ],
  [
    "group",
    setField((eb, value) =>
      eb.exists(
        eb.selectFrom("gateway_group_member").select("gateway_group_member.mac")
          .whereRef("gateway_group_member.mac", "=", "gateway.mac")
          .where("gateway_group_member.group_name", "=", value),
      )
    ),
  ],
  [
    "plugin",
    setField((eb, value) => {
      const [, name = value, version] = /^(.+):([^:]+)$/.exec(value) ?? [];
      let seen = eb.selectFrom("gateway_plugin").select("gateway_plugin.name")
        .whereRef("gateway_plugin.mac", "=", "gateway.mac").where("gateway_plugin.name", "=", name);
      if (version !== undefined) seen = seen.where("gateway_plugin.version", "=", version);
      return eb.exists(seen);
    }),
  ],
]);

/** The names that a filter can use. */
export const FILTER_FIELDS: readonly string[] = [...FIELDS.keys()];

/** Everything. */
export const ALL: Filter = () => sql<SqlBool>`1 = 1`;

/**
 * Reads a filter. `now` is the time that `-7d` counts back from, in milliseconds since 1970.
 *
 * @throws {FilterError} where it is none
 */
export function parseFilter(text: string, now: number): Filter {
  if (text.length > MAX_FILTER) throw new FilterError(`a filter has at most ${MAX_FILTER} characters`);
  let ast;
  try {
    ast = parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FilterError(
      `not a filter (RSQL): ${message.slice(0, 200)} A filter is such as region==north;model=in=(F450,F650)`,
      { cause: error },
    );
  }
  const budget = { comparisons: MAX_COMPARISONS };
  return compile(ast as Node, now, budget);
}

/** What the parser gives, as far as it is looked at. */
type Node =
  | { readonly type: "LOGIC"; readonly operator: string; readonly left: Node; readonly right: Node }
  | {
    readonly type: "COMPARISON";
    readonly operator: string;
    readonly left: { readonly selector: string };
    readonly right: { readonly value: string | readonly string[] };
  };

function compile(node: Node, now: number, budget: { comparisons: number }): Filter {
  if (node.type === "LOGIC") {
    const left = compile(node.left, now, budget), right = compile(node.right, now, budget);
    const and = node.operator === ";" || node.operator.trim().toLowerCase() === "and";
    return (eb) => and ? eb.and([left(eb), right(eb)]) : eb.or([left(eb), right(eb)]);
  }
  if (budget.comparisons-- <= 0) throw new FilterError(`a filter has at most ${MAX_COMPARISONS} comparisons`);
  const { selector } = node.left, field = FIELDS.get(selector);
  if (!field) {
    throw new FilterError(`unknown field "${selector.slice(0, 50)}": there are ${FILTER_FIELDS.join(", ")}`);
  }
  const operator = OPERATORS[node.operator];
  if (!operator) {
    throw new FilterError(`unknown operator "${node.operator.slice(0, 20)}" after "${selector}"`);
  }
  const { value } = node.right, values = typeof value === "string" ? [value] : value;
  if (values.length > MAX_VALUES) throw new FilterError(`a list has at most ${MAX_VALUES} values`);
  if (typeof value !== "string" && operator !== "=in=" && operator !== "=out=") {
    throw new FilterError(`"${selector}${node.operator}" takes one value, not a list`);
  }
  return field(operator, values, selector, now);
}

/** An unknown value is "": it equals nothing else, and differs from everything else. */
function textField(column: (typeof TEXT)[keyof typeof TEXT]): Field {
  const ref = `gateway.${column}` as const;
  const equals = (value: string): Filter => (eb) => {
    if (value === "") return eb.or([eb(ref, "is", null), eb(ref, "=", "")]);
    if (!value.includes("*")) return eb(ref, "=", value);
    const pattern = value.replace(/[\\%_]/g, "\\$&").replaceAll("*", "%");
    return sql<SqlBool>`lower(${eb.ref(ref)}) like ${pattern.toLowerCase()} escape '\\'`;
  };
  return membership(equals, (eb) => eb(ref, "is", null));
}

function setField(has: (eb: Builder, value: string) => Expression<SqlBool>): Field {
  return membership((value) => (eb) => has(eb, value));
}

/** `==`, `!=`, `=in=` and `=out=` over something that holds or not; `unknown` counts as "differs". */
function membership(holds: (value: string) => Filter, unknown?: Filter): Field {
  return (operator, values, name) => {
    const any: Filter = (eb) => eb.or(values.map((value) => holds(value)(eb)));
    switch (operator) {
      case "==":
      case "=in=":
        return any;
      case "!=":
      case "=out=":
        return (eb) => {
          const not = eb.not(any(eb));
          return unknown && !values.includes("") ? eb.or([not, unknown(eb)]) : not;
        };
      default:
        throw new FilterError(`"${name}" takes ==, !=, =in= and =out=`);
    }
  };
}

function booleanField(is: (eb: Builder, value: boolean) => Expression<SqlBool>): Field {
  return (operator, [value], name) => {
    if ((operator !== "==" && operator !== "!=") || (value !== "true" && value !== "false")) {
      throw new FilterError(`"${name}" takes ==true or ==false`);
    }
    return (eb) => is(eb, (value === "true") === (operator === "=="));
  };
}

function timeField(column: (typeof TIMES)[keyof typeof TIMES]): Field {
  const ref = `gateway.${column}` as const;
  const signs = { "=lt=": "<", "=le=": "<=", "=gt=": ">", "=ge=": ">=" } as const;
  return (operator, [value = ""], name, now) => {
    const sign = operator in signs ? signs[operator as keyof typeof signs] : undefined;
    if (!sign) throw new FilterError(`"${name}" takes <, <=, > and >=`);
    const time = timeOf(value, now);
    if (time === undefined) {
      throw new FilterError(
        `"${name}" takes a time as 2026-11-23T08:00:00Z, or back from now as -30m, -12h or -7d`,
      );
    }
    return (eb) => eb(ref, sign, time);
  };
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function timeOf(text: string, now: number): number | undefined {
  const [, amount, unit] = /^-(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return now - Number(amount) * UNITS[unit]!;
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text)) {
    return undefined;
  }
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * An OpenAPI document as a program reads it: its operations, values that fit its schemas and values that don't, and
 * whether an answer fits what the document says of it.
 *
 * @module
 */
import fc from "fast-check";

/** A JSON schema as the documents hold it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parameter in a path, a query or a header. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** One method of one path. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** Media types to the schema of each; undefined: it takes no body. */
  readonly body: { readonly required: boolean; readonly content: Record<string, JsonSchema> } | undefined;
  /** Status to media types to the schema of each; undefined: the document says nothing of what is in it. */
  readonly responses: Record<string, Record<string, JsonSchema | undefined>>;
  /** One of them is needed. Undefined: nobody has to say who they are. */
  readonly permissions: readonly string[] | undefined;
  /** Closed to whoever is confined to groups of gateways. */
  readonly unconfined: boolean;
}

/** A document, as far as it is read here. */
export interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Record<string, unknown>>>;
  readonly components?: { readonly schemas?: Record<string, JsonSchema> };
}

interface Content {
  readonly content?: Record<string, { readonly schema?: JsonSchema }>;
}

/** Every operation of `document`. */
export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, spec]): Operation => {
      const body = spec["requestBody"] as (Content & { required?: boolean }) | undefined;
      const responses = spec["responses"] as Record<string, Content & { $ref?: string }>;
      return {
        method: method.toUpperCase(),
        path,
        summary: String(spec["summary"]),
        parameters: (spec["parameters"] ?? []) as Parameter[],
        body: body && {
          required: body.required ?? false,
          content: Object.fromEntries(
            Object.entries(body.content ?? {}).map(([type, { schema }]) => [type, schema ?? {}]),
          ),
        },
        responses: Object.fromEntries(
          Object.entries(responses).map(([status, response]) => {
            const { content = {} } = response.$ref ? resolve(document, response.$ref) as Content : response;
            return [
              status,
              Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema])),
            ];
          }),
        ),
        permissions: spec["x-permissions"] as string[] | undefined,
        unconfined: spec["x-unconfined"] === true,
      };
    })
  );
}

function resolve(document: Document, ref: string): unknown {
  return ref.replace(/^#\//, "").split("/").reduce<unknown>(
    (at, key) => (at as Record<string, unknown>)[key],
    document,
  );
}

/** What of `value` does not fit `schema`, with its place; an empty list where all of it does. */
export function misfits(document: Document, schema: JsonSchema, value: unknown, at = "$"): string[] {
  if (typeof schema["$ref"] === "string") {
    return misfits(document, resolve(document, schema["$ref"]) as JsonSchema, value, at);
  }
  const found: string[] = [];
  const wrong = (what: string) => void found.push(`${at}: ${what}`);
  const { type, enum: choices } = schema;
  if (type !== undefined && ![type].flat().some((one) => isOfType(value, String(one)))) {
    return [`${at}: not of type ${type}: ${JSON.stringify(value)?.slice(0, 80)}`];
  }
  if (Array.isArray(choices) && !choices.includes(value)) wrong(`not one of ${choices.join(", ")}`);
  if ("const" in schema && schema["const"] !== value) wrong(`not ${JSON.stringify(schema["const"])}`);
  const ways = (schema["anyOf"] ?? schema["oneOf"]) as JsonSchema[] | undefined;
  if (ways && !ways.some((way) => misfits(document, way, value, at).length === 0)) wrong("fits no way");
  for (const part of (schema["allOf"] ?? []) as JsonSchema[]) {
    found.push(...misfits(document, part, value, at));
  }
  if (typeof value === "string") {
    if ([...value].length < Number(schema["minLength"] ?? 0)) wrong("too short");
    if (value.length > Number(schema["maxLength"] ?? Infinity)) wrong("too long");
    const pattern = schema["pattern"];
    if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value)) wrong(`not like ${pattern}`);
    if (schema["format"] === "date-time" && Number.isNaN(Date.parse(value))) wrong("no time");
  }
  if (typeof value === "number") {
    if (value < Number(schema["minimum"] ?? -Infinity)) wrong("too small");
    if (value > Number(schema["maximum"] ?? Infinity)) wrong("too large");
  }
  if (Array.isArray(value)) {
    if (value.length < Number(schema["minItems"] ?? 0)) wrong("too few");
    if (value.length > Number(schema["maxItems"] ?? Infinity)) wrong("too many");
    const { items } = schema;
    if (items && typeof items === "object") {
      value.forEach((item, n) => found.push(...misfits(document, items as JsonSchema, item, `${at}[${n}]`)));
    }
  } else if (typeof value === "object" && value !== null) {
    const properties = (schema["properties"] ?? {}) as Record<string, JsonSchema>;
    for (const name of (schema["required"] ?? []) as string[]) {
      if (!Object.hasOwn(value, name)) wrong(`"${name}" is missing`);
    }
    const others = schema["additionalProperties"];
    for (const [name, member] of Object.entries(value)) {
      const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (own) found.push(...misfits(document, own, member, `${at}.${name}`));
      else if (others === false) wrong(`"${name}" is not known`);
      else if (others && typeof others === "object") {
        found.push(...misfits(document, others as JsonSchema, member, `${at}.${name}`));
      }
    }
  }
  return found;
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    default:
      return false;
  }
}

/** Values that fit `schema`, as far as a schema can tell. */
export function fitting(document: Document, schema: JsonSchema, depth = 0): fc.Arbitrary<unknown> {
  const inner = (part: unknown) => fitting(document, (part ?? {}) as JsonSchema, depth + 1);
  if (typeof schema["$ref"] === "string") return inner(resolve(document, schema["$ref"]));
  if (Array.isArray(schema["examples"])) return fc.constantFrom(...schema["examples"]);
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...schema["enum"]);
  const ways = (schema["anyOf"] ?? schema["oneOf"]) as JsonSchema[] | undefined;
  if (ways) return fc.oneof(...ways.map(inner));
  const all = schema["allOf"] as JsonSchema[] | undefined;
  if (all) return inner(Object.assign({}, ...all));
  const types = [schema["type"] ?? []].flat() as string[];
  if (types.length > 1) return fc.oneof(...types.map((type) => inner({ ...schema, type })));
  switch (types[0]) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number": {
      const min = Number(schema["minimum"] ?? 0), max = Number(schema["maximum"] ?? 2 ** 31);
      return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
    }
    case "string":
      return text(schema);
    case "array":
      return fc.array(inner(schema["items"]), {
        minLength: Number(schema["minItems"] ?? 0),
        maxLength: Math.max(Number(schema["minItems"] ?? 0), Math.min(Number(schema["maxItems"] ?? 3), 3)),
      });
    case "object": {
      const properties = (schema["properties"] ?? {}) as Record<string, JsonSchema>;
      const requiredKeys = (schema["required"] ?? []) as string[];
      const members = Object.fromEntries(
        Object.entries(properties).map(([name, part]) => [name, inner(part)]),
      );
      const known = fc.record(members, { requiredKeys: requiredKeys.filter((name) => name in members) });
      // Free-form parameters of commands: what every one of them needs is not in the schema.
      return "additionalProperties" in schema && schema["additionalProperties"] !== false
        ? fc.record({ CmdType: fc.constantFrom("QUERY_CPU_INFO", "NO_SUCH") }).map((free) => ({ ...free }))
        : known;
    }
    default:
      return depth > 3 ? fc.constant(null) : fc.jsonValue({ maxDepth: 2 });
  }
}

function text(schema: JsonSchema): fc.Arbitrary<string> {
  if (schema["format"] === "date-time") {
    return fc.date({ min: new Date("2027-01-01"), max: new Date("2030-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString());
  }
  if (schema["format"] === "ipv4") return fc.ipV4();
  const minLength = Number(schema["minLength"] ?? 0), max = Number(schema["maxLength"] ?? Infinity);
  const pattern = schema["pattern"];
  if (typeof pattern === "string") {
    try {
      return fc.stringMatching(new RegExp(pattern, "u")).filter((value) =>
        value.length >= minLength && value.length <= max
      );
    } catch {
      // It holds what the library can't make strings of, such as \p{L}: a word fits all that are in use.
      return fc.stringMatching(/^[a-z][a-z0-9]{2,11}$/);
    }
  }
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(max, 40)) });
}

/** What nobody should send: wrong types, sizes, encodings, and what other systems fall over. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1e308,
    -0.5,
    Number.MAX_SAFE_INTEGER,
    "",
    " ",
    "\0",
    "' OR 1=1 --",
    "../../../etc/passwd",
    "%00%2e%2e%2f",
    "\ud800",
    "\u202e\u0000\uffff",
    "<script>alert(1)</script>",
    "${7*7}{{7*7}}",
    "9".repeat(400),
    "é".repeat(20_000),
    [],
    {},
    [[[[[[[[[[]]]]]]]]]],
    { constructor: { prototype: { polluted: true } } },
    { toString: 1, valueOf: 2, length: -1, then: 3 },
    Array.from({ length: 2000 }, (_, n) => n),
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: "binary", maxLength: 60 }),
);

/** `value` with one part of it replaced, removed or added. */
export function spoilt(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return hostile;
  const entries = Object.entries(value), names = entries.map(([name]) => name);
  const added = fc.tuple(fc.constantFrom("no_such_field", "constructor", "id", "admin"), hostile)
    .map(([name, what]) => ({ ...value, [name]: what }));
  if (names.length === 0) return fc.oneof(hostile, added);
  const replaced = fc.constantFrom(...entries).chain(([name, member]) =>
    spoilt(member).map((what) => ({ ...value, [name]: what }))
  );
  const removed = fc.constantFrom(...names).map((name) =>
    Object.fromEntries(entries.filter(([other]) => other !== name))
  );
  return fc.oneof({ weight: 4, arbitrary: replaced }, removed, added, hostile);
}

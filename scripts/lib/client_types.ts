/**
 * The client's types, made from the platform's OpenAPI document.
 *
 * @module
 */

type Json = Readonly<Record<string, unknown>>;

const HEAD = `// deno-fmt-ignore-file
/**
 * Every operation of the platform's HTTP API with its types. Made from the OpenAPI document by
 * \`scripts/client_types.ts\`: change the routes, not this file.
 *
 * @module
 */
import type { RawBody } from "./raw_body.ts";

/** What each operation takes and answers. \`reply\` is \`Response\` where the answer is no JSON. */
export interface Operations {
`;

/** The text of \`src/client/operations.ts\` for a document. */
export function clientTypes(document: Json): string {
  const keyed: string[] = [];
  let text = HEAD;
  const paths = document["paths"] as Record<string, Record<string, Json>>;
  const names = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, spec]) => [`${method.toUpperCase()} ${path}`, spec] as const)
  );
  for (const [name, spec] of names.sort(([a], [b]) => order(a).localeCompare(order(b), "en"))) {
    const parameters = (spec["parameters"] ?? []) as Json[];
    if (parameters.some((one) => one["name"] === "Idempotency-Key")) keyed.push(name);
    text += `  /** ${comment(String(spec["summary"]))} */\n  ${JSON.stringify(name)}: {\n`;
    text += `    input: ${inputOf(spec, parameters)};\n    reply: ${replyOf(spec)};\n  };\n`;
  }
  text += "}\n\n/** Posts that take an \`Idempotency-Key\`. */\n";
  text += `export const KEYED: ReadonlySet<string> = new Set([\n${
    keyed.map((name) => `  ${JSON.stringify(name)},\n`).join("")
  }]);\n`;
  return text;
}

/** By path, then by method: an operation that is added moves no other. */
function order(name: string): string {
  const [method, path] = name.split(" ");
  return `${path} ${method}`;
}

function inputOf(spec: Json, parameters: readonly Json[]): string {
  const members: string[] = [];
  for (const [place, member] of [["path", "params"], ["query", "query"]] as const) {
    const given = parameters.filter((one) => one["in"] === place);
    if (given.length === 0) continue;
    const required = given.some((one) => one["required"] === true);
    const fields = given.map((one) =>
      `${key(String(one["name"]))}${one["required"] === true ? "" : "?"}: ${
        parameterOf(one["schema"] as Json, place)
      }`
    );
    members.push(`${member}${required ? "" : "?"}: { ${fields.join("; ")} }`);
  }
  if (parameters.some((one) => one["name"] === "If-Match")) members.push("ifMatch?: string");
  if (parameters.some((one) => one["name"] === "Idempotency-Key")) members.push("key?: string");
  const body = spec["requestBody"] as Json | undefined;
  if (body) {
    const ways = Object.entries(body["content"] as Record<string, Json>).map(([type, { schema }]) =>
      type === "application/json" ? typeOf(schema as Json) : "RawBody"
    );
    members.push(`body${body["required"] === false ? "?" : ""}: ${[...new Set(ways)].join(" | ")}`);
  }
  return members.length === 0 ? "Record<never, never>" : `{ ${members.join("; ")} }`;
}

/** A parameter's type: what is no text may be given as it is, and a list in a query as a list. */
function parameterOf(schema: Json, place: "path" | "query"): string {
  const type = typeOf(schema);
  return place === "query" && /^string(\[\])?( \| |$)/.test(type) && Array.isArray(schema["anyOf"])
    ? "string | readonly string[]"
    : type;
}

function replyOf(spec: Json): string {
  const answers = Object.entries(spec["responses"] as Record<string, Json>).filter(([status]) =>
    /^2/.test(status)
  );
  const types = answers.map(([, { content }]) => {
    if (content === undefined) return "undefined";
    const json = (content as Record<string, Json>)["application/json"];
    return json?.["schema"] ? typeOf(json["schema"] as Json) : "Response";
  });
  return [...new Set(types)].join(" | ") || "undefined";
}

/** A JSON schema as a TypeScript type; \`unknown\` for what can't be said. */
function typeOf(schema: Json): string {
  if (Array.isArray(schema["enum"])) return schema["enum"].map((one) => JSON.stringify(one)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema["const"]);
  const ways = (schema["anyOf"] ?? schema["oneOf"]) as Json[] | undefined;
  if (ways) return [...new Set(ways.map(typeOf))].join(" | ");
  const parts = schema["allOf"] as Json[] | undefined;
  if (parts) return parts.map((part) => `(${typeOf(part)})`).join(" & ");
  const type = schema["type"];
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(" | ");
  switch (type) {
    case "string":
      return "string";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "array":
      return arrayOf(schema["items"] as Json | undefined);
    case "object":
      return objectOf(schema);
    default:
      return "unknown";
  }
}

function arrayOf(items: Json | undefined): string {
  const type = items ? typeOf(items) : "unknown";
  return / [|&] /.test(type) && !type.startsWith("{")
    ? `(${type})[]`
    : type.startsWith("{")
    ? `Array<${type}>`
    : `${type}[]`;
}

function objectOf(schema: Json): string {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, Json>);
  const required = (schema["required"] ?? []) as string[];
  const others = schema["additionalProperties"];
  if (properties.length === 0) {
    const type = others && typeof others === "object" ? typeOf(others as Json) : "unknown";
    return others === false ? "Record<string, never>" : `Record<string, ${type}>`;
  }
  const fields = properties.map(([name, one]) =>
    `${key(name)}${required.includes(name) ? "" : "?"}: ${typeOf(one)}`
  );
  return `{ ${fields.join("; ")} }`;
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function comment(text: string): string {
  return text.replaceAll("*/", "* /");
}

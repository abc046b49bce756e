/**
 * The OpenAPI 3.1 document, made from the routes' own schemas. Loaded only when somebody asks for the document.
 *
 * @module
 */
import { type ConversionConfig, toJsonSchema } from "@valibot/to-json-schema";
import type { BodySpec, Route, WebhookSpec } from "./route.ts";
import { documentOf } from "./schemas.ts";
import { titleOf } from "./problem.ts";
import type { Schema } from "./validate.ts";

type Json = Record<string, unknown>;

const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "code", "detail", "instance", "requestId"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", description: "Stable: branch on this" },
    detail: { type: "string" },
    instance: { type: "string" },
    requestId: { type: "string" },
    faults: {
      type: "array",
      items: {
        type: "object",
        required: ["in", "path", "message"],
        properties: {
          in: { type: "string", enum: ["path", "query", "body"] },
          path: { type: "string" },
          message: { type: "string" },
        },
      },
    },
  },
};

const KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "The same request with the same key is done once, and answered the same for 24 hours",
  schema: { type: "string", pattern: "^[\\x21-\\x7e]{8,255}$" },
};

/** The header that says of which state of a thing a request speaks. */
const precondition = (method: string) => ({
  name: method === "GET" ? "If-None-Match" : "If-Match",
  in: "header",
  required: false,
  description: method === "GET"
    ? "The ETag of the answer that one has: 304 where it would be the same"
    : "The ETag of what is changed: 412 where it is not so any more",
  schema: { type: "string", maxLength: 4096 },
});

/** What the document tells beside the routes. */
export interface DocumentParts {
  /** Which routes take an `Idempotency-Key`; default: none. */
  readonly keyed?: ((route: Route) => boolean) | undefined;
  /** What is sent to others. */
  readonly webhooks?: readonly WebhookSpec[] | undefined;
}

/** The document over `routes`. */
export function describe(
  info: { title: string; version: string },
  routes: readonly Route[],
  { keyed = () => false, webhooks = [] }: DocumentParts = {},
): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, keyed(route));
  }
  return {
    openapi: "3.1.0",
    info: { title: info.title, version: info.version },
    paths,
    ...(webhooks.length === 0
      ? {}
      : { webhooks: Object.fromEntries(webhooks.map((spec) => [spec.name, { post: webhook(spec) }])) }),
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: PROBLEM },
      responses: {
        Problem: {
          description: "What went wrong",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
}

function operation(route: Route, keyed: boolean): Json {
  const { auth } = route;
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[^A-Za-z0-9]+/g, "_")}`.replace(
      /_+$/,
      "",
    ),
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    ...(route.tags ? { tags: route.tags } : {}),
    ...(auth === "public"
      ? { security: [] }
      : { security: auth === "optional" ? [{}, { bearer: [] }] : [{ bearer: [] }] }),
    ...(typeof auth === "string" ? {} : { "x-permissions": auth }),
    ...(route.unconfined ? { "x-unconfined": true } : {}),
    ...parameters(route, keyed),
    ...(route.body ? { requestBody: requestBody(route.body) } : {}),
    responses: responses(route, keyed),
  };
}

function webhook({ name, summary, description, tags, headers = {}, body }: WebhookSpec): Json {
  return {
    operationId: `webhook_${name.replace(/[^A-Za-z0-9]+/g, "_")}`,
    summary,
    ...(description ? { description } : {}),
    ...(tags ? { tags } : {}),
    security: [],
    parameters: Object.entries(headers).map(([header, says]) => ({
      name: header,
      in: "header",
      required: true,
      description: says,
      schema: { type: "string" },
    })),
    requestBody: { required: true, content: { "application/json": { schema: convert(body, "output") } } },
    responses: { "2XX": { description: "Taken" } },
  };
}

function parameters(route: Route, keyed: boolean): Json {
  const inPath = route.params ? objectOf(route.params) : undefined;
  const names = [...route.path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]!);
  const list: Json[] = names.map((name) => ({
    name,
    in: "path",
    required: true,
    schema: inPath?.properties[name] ?? { type: "string" },
  }));
  if (route.query) {
    const { properties, required } = objectOf(route.query);
    for (const [name, schema] of Object.entries(properties)) {
      list.push({ name, in: "query", required: required.includes(name), schema: withRealDefault(schema) });
    }
  }
  if (keyed) list.push(KEY);
  if (route.etag) list.push(precondition(route.method));
  return list.length > 0 ? { parameters: list } : {};
}

/** A default is written as the text that the query would hold: the document shows it as the number it means. */
function withRealDefault(schema: unknown): unknown {
  const { type, default: text } = schema as { type?: unknown; default?: unknown };
  if (typeof text !== "string" || (type !== "integer" && type !== "boolean")) return schema;
  return { ...schema as Json, default: JSON.parse(text) };
}

function objectOf(schema: Schema): { properties: Record<string, unknown>; required: readonly string[] } {
  const { properties = {}, required = [] } = convert(schema, "input") as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  return { properties, required };
}

function requestBody(body: BodySpec): Json {
  const content: Json = {};
  if (body.json) content["application/json"] = { schema: convert(body.json, "input") };
  for (const type of body.text ?? []) content[type] = { schema: { type: "string" } };
  for (const type of body.stream ?? []) content[type] = {};
  return { required: !body.optional, content };
}

function responses(route: Route, keyed: boolean): Json {
  const all: Json = {};
  // 400 everywhere: a query parameter that a route does not know is refused.
  const problems = [400, 500, 503];
  if (route.auth !== "public") problems.push(401, 403, 429);
  if (route.body) problems.push(408, 413, 415);
  if (keyed) problems.push(409, 422);
  if (route.etag && route.method !== "GET") problems.push(412);
  for (const status of problems) all[status] = { $ref: "#/components/responses/Problem" };
  for (const [status, spec] of Object.entries(route.responses)) {
    if (Number(status) >= 400 && !spec.schema) {
      all[status] = {
        description: spec.description || titleOf(Number(status)),
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      };
      continue;
    }
    const content = spec.schema
      ? { "application/json": { schema: convert(spec.schema, "output") } }
      : spec.mediaType
      ? { [spec.mediaType]: {} }
      : undefined;
    all[status] = { description: spec.description, ...(content ? { content } : {}) };
  }
  if (route.etag && route.method === "GET") all[304] = { description: "As If-None-Match says" };
  return all;
}

function convert(schema: Schema, typeMode: "input" | "output"): Json {
  const config: ConversionConfig = {
    target: "draft-2020-12",
    typeMode,
    errorMode: "ignore",
    // The library's own type of a JSON schema is wider than what we write down ourselves.
    overrideSchema: ({ valibotSchema }) =>
      documentOf(valibotSchema) as ReturnType<typeof toJsonSchema> | undefined,
  };
  const { $schema: _, ...rest } = toJsonSchema(schema, config) as Json;
  return rest;
}

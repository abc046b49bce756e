/**
 * The control API's part about parameters: reading, writing, configurations, factory presets.
 *
 * @module
 */
import * as v from "valibot";
import {
  type Access,
  problem,
  type ProblemError,
  queryBoolean,
  queryInteger,
  Routes,
} from "../../control/mod.ts";
import {
  CWMP_FAULTS,
  ParameterError,
  type ParameterErrorCode,
  type ParameterTree,
  SOURCES,
} from "../parameters/mod.ts";

const TAGS = ["parameters"];
/** On whose behalf the administrator may write; not as the gateway itself, nor as a plug-in. */
const WRITERS = ["itms", "app", "local"] as const;
const JSON_TYPE = "application/json", XML_TYPE = "application/xml";
const BODY_BYTES = 1 << 20;

const nameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const valueSchema = v.union([v.string(), v.number(), v.boolean()]);
const writer = v.optional(v.picklist(WRITERS), "local");
const valuesSchema = v.record(v.string(), valueSchema);
const ParameterViewSchema = v.object({
  name: v.string(),
  type: v.picklist(["string", "int", "unsignedInt", "boolean", "dateTime", "base64"]),
  access: v.picklist(["readOnly", "readWrite"]),
  owner: v.picklist(["itms", "app", "shared"]),
  value: v.nullable(valueSchema),
  written: v.nullable(v.object({
    source: v.picklist(SOURCES),
    by: v.nullable(v.string()),
    time: v.string(),
    sequence: v.number(),
  })),
  error: v.optional(v.string()),
});
const FaultSchema = v.object({ name: v.string(), code: v.string(), message: v.string() });
const absent = { description: "No such parameter" };

/** The routes. `auth`: who may use them. */
export function parameterRoutes(tree: ParameterTree, auth: Access): Routes {
  const routes = new Routes();
  const by = (source: typeof WRITERS[number]) => ({ source, by: "control API" });

  routes.route({
    method: "GET",
    path: "/api/v1/parameters",
    summary: "Parameters, a page at a time",
    description: "Under `prefix`, the name of a parameter, or of an object with a dot at its end. " +
      "`next` is the `after` of the next page. What is hidden is only there by its exact name, or with `hidden=true`.",
    tags: TAGS,
    auth,
    query: v.object({
      prefix: v.optional(v.pipe(v.string(), v.maxLength(256)), ""),
      after: v.optional(nameSchema),
      limit: v.optional(queryInteger(1, 500), "100"),
      hidden: v.optional(queryBoolean(), "false"),
    }),
    responses: {
      200: {
        description: "A page",
        schema: v.object({ items: v.array(ParameterViewSchema), next: v.nullable(v.string()) }),
      },
      404: absent,
    },
  }).handle(async ({ query: { prefix, after, limit, hidden } }) => {
    await tree.refresh();
    const names = tree.names({ prefix, hidden, after });
    const page = names.slice(0, limit);
    return {
      status: 200,
      body: {
        items: await Promise.all(page.map((name) => viewOf(tree, name))),
        next: names.length > limit ? page.at(-1)! : null,
      },
    };
  });

  routes.route({
    method: "PATCH",
    path: "/api/v1/parameters",
    summary: "Writes parameters, all or none",
    description:
      "On behalf of the management system (`itms`), the app platform (`app`) or the LAN (`local`, the " +
      "default), with that one's rights. Answered when the values are in force and on the disk.",
    tags: TAGS,
    auth,
    body: { json: v.strictObject({ values: valuesSchema, source: writer }), maxBytes: BODY_BYTES },
    responses: {
      200: {
        description: "The parameters as they are now",
        schema: v.object({ items: v.array(ParameterViewSchema) }),
      },
    },
  }).handle(async ({ body: { values, source }, changed }) => {
    const before = await known(tree, Object.keys(values));
    await tree.set(values, by(source));
    const names = Object.keys(values);
    changed(before, await known(tree, names));
    return { status: 200, body: { items: await Promise.all(names.map((name) => viewOf(tree, name))) } };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/parameters/instances",
    summary: "Adds an instance to a table",
    description:
      "`table`: as in `InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.`; `values` by the last part of their names.",
    tags: TAGS,
    auth,
    body: {
      json: v.strictObject({ table: nameSchema, values: v.optional(valuesSchema, {}), source: writer }),
    },
    responses: {
      201: { description: "Added", schema: v.object({ instance: v.number(), name: v.string() }) },
      404: absent,
    },
  }).handle(async ({ body: { table, values, source } }) => {
    const instance = await tree.add(table, by(source), { values });
    return { status: 201, body: { instance, name: `${table.replace(/\{i\}\.$/, "")}${instance}.` } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/parameters/instances/{name}",
    summary: "Removes an instance of a table with all that is in it",
    tags: TAGS,
    auth,
    params: v.object({ name: nameSchema }),
    query: v.object({ source: writer }),
    responses: { 204: { description: "Gone" }, 404: absent },
  }).handle(async ({ params: { name }, query: { source } }) => {
    await tree.remove(name, by(source));
    return { status: 204 };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/parameters/export",
    summary: "The configuration as a document",
    description:
      "What can be written, with its values. Passwords only with `secrets=true`; `all=true` adds what is " +
      "read-only. What is hidden is never in it.",
    tags: TAGS,
    auth,
    query: v.object({
      format: v.optional(v.picklist(["json", "xml"]), "json"),
      prefix: v.optional(v.pipe(v.string(), v.maxLength(256)), ""),
      secrets: v.optional(queryBoolean(), "false"),
      all: v.optional(queryBoolean(), "false"),
    }),
    responses: { 200: { description: "The document, JSON or XML", mediaType: XML_TYPE }, 404: absent },
  }).handle(async ({ query: { format, ...options } }) => {
    const { encodeJson, encodeXml, exported } = await import("../parameters/document/mod.ts");
    const entries = await exported(tree, options), xml = format === "xml";
    return {
      response: new Response(xml ? encodeXml(entries) : encodeJson(entries), {
        headers: { "content-type": xml ? `${XML_TYPE}; charset=utf-8` : JSON_TYPE },
      }),
    };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/parameters/import",
    summary: "Loads a configuration",
    description:
      "A document as exported. What its writer may not write is left as it is and told; what is wrong " +
      "refuses the whole. `X_CT-COM_Mgt` keeps its values.",
    tags: TAGS,
    auth,
    query: v.object({ source: writer }),
    body: { text: [JSON_TYPE, XML_TYPE, "text/xml"], maxBytes: BODY_BYTES },
    responses: {
      200: {
        description: "How many were written, and what was not and why",
        schema: v.object({ written: v.number(), skipped: v.array(FaultSchema) }),
      },
    },
  }).handle(async ({ body, query: { source } }) => {
    const { decodeJson, decodeXml } = await import("../parameters/document/mod.ts");
    const values = body.mediaType === JSON_TYPE ? decodeJson(body.text) : decodeXml(body.text);
    await tree.refresh();
    const { written, skipped } = await tree.load(values, by(source));
    return { status: 200, body: { written, skipped: skipped.map((fault) => ({ ...fault })) } };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/parameters/restore",
    summary: "Restores factory presets, of what its writer may",
    description:
      "The management system (`itms`): all but what is the app platform's. The app platform (`app`) and " +
      "the LAN (`local`): the platform's own, and the access control of attached terminals. `X_CT-COM_Mgt` stays.",
    tags: TAGS,
    auth,
    body: { json: v.strictObject({ source: v.picklist(WRITERS) }) },
    responses: {
      200: { description: "How much changed", schema: v.object({ changed: v.number() }) },
    },
  }).handle(async ({ body: { source } }) => ({
    status: 200,
    body: { changed: await tree.restore(by(source)) },
  }));

  return routes;
}

async function viewOf(tree: ParameterTree, name: string): Promise<v.InferInput<typeof ParameterViewSchema>> {
  const show = async () => {
    try {
      return { ...await tree.get(name), error: undefined };
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      // The machine does not tell at the moment, or the instance has gone: the rest of the page is as good.
      return { name, ...tree.shape(name), value: undefined, written: undefined, error: error.message };
    }
  };
  const { type, access, owner, value, written, error } = await show();
  return {
    name,
    type,
    access,
    owner,
    value: value ?? null,
    written: written
      ? {
        source: written.source,
        by: written.by ?? null,
        time: new Date(written.time).toISOString(),
        sequence: written.sequence,
      }
      : null,
    ...(error !== undefined && { error }),
  };
}

/** Values for the audit, of names that there are. */
async function known(tree: ParameterTree, names: readonly string[]): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = Object.create(null);
  for (const name of names) {
    const view = await tree.get(name).catch(() => undefined);
    if (view) values[name] = view.value ?? null;
  }
  return values;
}

const STATUS: Readonly<Record<ParameterErrorCode, number>> = {
  unknown: 404,
  type: 422,
  value: 422,
  read_only: 403,
  no_right: 403,
  limit: 422,
  unavailable: 409,
  apply: 502,
  disk: 500,
  document: 422,
};

/** The problem for a parameter error, with its faults and CWMP's numbers for them. */
export function parameterProblem(error: unknown): ProblemError | undefined {
  if (!(error instanceof ParameterError)) return undefined;
  const faults = error.faults.map((fault) => ({ ...fault, cwmp: CWMP_FAULTS[fault.code] }));
  return problem(STATUS[error.code], `parameter_${error.code}`, error.message, {
    members: { cwmp: CWMP_FAULTS[error.code], ...(faults.length > 0 && { faults }) },
  });
}

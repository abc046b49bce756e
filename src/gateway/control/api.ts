/**
 * The gateway's control API, for whoever administers the box: status, plug-ins, passwords.
 *
 * @module
 */
import * as v from "valibot";
import { type Deps, GatehouseError, type Service } from "../../base/mod.ts";
import {
  ADMIN,
  Api,
  problem,
  type ProblemError,
  serviceRoutes,
  tokenAuthenticator,
} from "../../control/mod.ts";
import { ProtocolError, sequenceId } from "../../protocol/smart_gateway/mod.ts";
import {
  type Json,
  PluginError,
  type PluginErrorCode,
  type PluginManager,
  type PluginStatus,
} from "../../sandbox/mod.ts";
import { PackageError, readPackage, type TrustStore } from "../../sandbox/package/mod.ts";
import { trustProblem, trustRoutes } from "../../trust/mod.ts";
import { chosen, type Dispatcher } from "../capability/mod.ts";
import { APP_VERSION } from "../identity.ts";
import type { ParameterTree } from "../parameters/mod.ts";
import { parameterProblem, parameterRoutes } from "./parameter_routes.ts";
import type { Installs } from "../channel/mod.ts";
import type { FactoryPlugins } from "../factory_plugins.ts";
import { pluginManagementRoutes } from "./plugin_management_routes.ts";
import { pluginEventRoutes, type PluginEvents } from "../plugin_events.ts";
import type { LocalAudit } from "../local/mod.ts";
import { pluginLogRoutes } from "./plugin_log_routes.ts";
import { type MessagePush, pushStatusRoutes } from "../push/mod.ts";
import type { Passwords } from "../state/mod.ts";
import { type GatewayStatus, statusRoutes } from "./status_routes.ts";

/** What the API shows and does. */
export interface ControlDeps extends Deps {
  readonly token: string;
  readonly service: Service;
  readonly status: () => GatewayStatus;
  readonly audit: Pick<LocalAudit, "entries">;
  readonly plugins: PluginManager;
  readonly installs: Installs;
  readonly factory: FactoryPlugins;
  readonly dispatcher: Dispatcher;
  readonly events: PluginEvents;
  readonly trust: TrustStore;
  readonly passwords: Passwords;
  readonly parameters: ParameterTree;
  readonly push: Pick<MessagePush, "status">;
  /** Begins registration anew, at distribution or at the known operations platform. */
  readonly register: (from: "distribution" | "operations") => void;
}

const AUTH = ["admin"] as const;
const MAX_PACKAGE = 5 << 20;
const SCRIPT_TYPES = ["text/javascript", "application/javascript", "text/plain"] as const;
const PACKAGE_TYPES = ["application/gzip", "application/octet-stream"] as const;

const nameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const params = v.object({ name: nameSchema });
const pluginSchema = v.looseObject({ name: v.string(), state: v.string() });
const packageSchema = v.strictObject({
  name: nameSchema,
  version: v.optional(v.string()),
  source: v.optional(v.string()),
  files: v.optional(v.record(v.string(), v.string())),
});
const callSchema = v.strictObject({
  parameter: v.looseObject({ CmdType: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) }),
  version: v.optional(v.string(), ""),
});
const passwordSchema = v.optional(v.nullable(v.string()));
const absent = { description: "No such plug-in" };

/** Makes the API; whoever listens serves it. */
export function controlApi(deps: ControlDeps): Api {
  const { plugins } = deps;
  const api = new Api(deps, {
    title: "Gatehouse gateway",
    version: APP_VERSION,
    authenticators: [tokenAuthenticator(deps.token, ADMIN)],
    mapError,
  });
  api.mount("", serviceRoutes(deps.metrics, () => [deps.service]));

  api.mount("", statusRoutes(deps.status, deps.audit));

  api.route({
    method: "POST",
    path: "/api/v1/registration",
    summary: "Registers anew at once",
    description:
      "From distribution on, or (the default) at the operations platform that is known. It ends any wait, and silence.",
    auth: AUTH,
    body: {
      json: v.strictObject({ from: v.optional(v.picklist(["distribution", "operations"]), "operations") }),
      optional: true,
    },
    responses: { 202: { description: "Begun" } },
  }).handle(({ body }) => {
    deps.register(body?.from ?? "operations");
    return { status: 202 };
  });

  api.route({
    method: "GET",
    path: "/api/v1/plugins",
    summary: "The plug-ins",
    auth: AUTH,
    responses: { 200: { description: "All of them", schema: v.object({ items: v.array(pluginSchema) }) } },
  }).handle(() => ({ status: 200, body: { items: plugins.list().map(view) } }));

  api.route({
    method: "POST",
    path: "/api/v1/plugins",
    summary: "Installs a plug-in and runs it",
    description: "A package, or as JSON with its source or its files, or the source alone with `?name=`.",
    auth: AUTH,
    query: v.object({ name: v.optional(nameSchema) }),
    body: { json: packageSchema, text: SCRIPT_TYPES, stream: PACKAGE_TYPES, maxBytes: MAX_PACKAGE },
    responses: { 201: { description: "Installed", schema: pluginSchema } },
  }).handle(async ({ body, query }) => {
    const { name, version, files } = "kind" in body && body.kind === "stream"
      ? await packed(body.stream)
      : packageOf(body, query.name);
    const status = await deps.events.during(
      name,
      version ?? "",
      () => plugins.install(name, files, version === undefined ? {} : { version }),
    );
    return { status: 201, body: view(status) };
  });

  for (const action of ["run", "stop", "reload", "rollBack"] as const) {
    api.route({
      method: "POST",
      path: `/api/v1/plugins/{name}/${action.toLowerCase()}`,
      summary: {
        rollBack: "Goes back to the version of a plug-in that was active before",
        run: "Runs a plug-in, also one that was given up",
        stop: "Stops a plug-in; it stays stopped after a restart",
        reload: "Reads a plug-in again from its file",
      }[action],
      auth: AUTH,
      params,
      responses: { 200: { description: "Done", schema: pluginSchema }, 404: absent },
    }).handle(async ({ params: { name } }) => ({ status: 200, body: view(await plugins[action](name)) }));
  }

  api.route({
    method: "DELETE",
    path: "/api/v1/plugins/{name}",
    summary: "Stops a plug-in and deletes it",
    auth: AUTH,
    params,
    responses: { 204: { description: "Gone" }, 404: absent },
  }).handle(async ({ params: { name } }) => {
    await plugins.remove(name);
    return { status: 204 };
  });

  api.route({
    method: "POST",
    path: "/api/v1/plugins/{name}/call",
    summary: "Calls a command of a plug-in",
    description:
      "The name `-` lets the CmdType choose. The result is that of a Post; the reply is the inner one.",
    auth: AUTH,
    params,
    body: { json: callSchema },
    responses: {
      200: { description: "The answer", schema: v.object({ result: v.number(), reply: v.looseObject({}) }) },
    },
  }).handle(async ({ params: { name }, body: { parameter, version } }) => {
    const { CmdType, SequenceId, ...fields } = parameter;
    const plugin = name === "-" ? "" : name;
    const { result, reply } = await deps.dispatcher.call(
      originFor(plugins, plugin, CmdType),
      plugin,
      version,
      {
        cmdType: CmdType,
        sequenceId: typeof SequenceId === "string" ? SequenceId : sequenceId(deps.random.bytes(4)),
        // The body came as JSON, so its values are JSON.
        fields: fields as Record<string, Json>,
      },
      "control",
    );
    return {
      status: 200,
      body: {
        result,
        reply: {
          CmdType: reply.cmdType,
          SequenceId: reply.sequenceId,
          Status: reply.status,
          ...(reply.status === "1" && { FailReason: reply.failReason }),
          ...reply.fields,
        },
      },
    };
  });

  api.route({
    method: "PUT",
    path: "/api/v1/passwords",
    summary: "Sets the local user's or the administrator's password; null clears it",
    auth: AUTH,
    body: { json: v.strictObject({ user: passwordSchema, admin: passwordSchema }) },
    responses: {
      200: { description: "Which are set now", schema: v.object({ user: v.boolean(), admin: v.boolean() }) },
    },
  }).handle(async ({ body }) => {
    for (const account of ["user", "admin"] as const) {
      const password = body[account];
      if (password !== undefined) await deps.passwords.set(account, password ?? undefined);
    }
    return { status: 200, body: deps.passwords.configured() };
  });

  api.mount("", trustRoutes(deps.trust, AUTH));
  api.mount("", pluginManagementRoutes(deps));
  api.mount("", pluginLogRoutes(plugins));
  api.mount("", parameterRoutes(deps.parameters, AUTH));
  api.mount("", pluginEventRoutes(deps, plugins, deps.events));
  api.mount("", pushStatusRoutes(deps.push));
  return api;
}

function view(status: PluginStatus): Record<string, unknown> & { name: string; state: string } {
  return { ...status };
}

/** A package says itself what it is called. */
async function packed(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<{ name: string; version: string; files: Uint8Array<ArrayBuffer> }> {
  const files = new Uint8Array(await new Response(stream).arrayBuffer());
  const { name, version } = (await readPackage(files)).manifest;
  return { name, version, files };
}

function packageOf(
  body: v.InferOutput<typeof packageSchema> | { readonly kind: "text"; readonly text: string },
  queryName: string | undefined,
): { name: string; version: string | undefined; files: string | Record<string, string> } {
  if ("kind" in body) {
    if (queryName === undefined) {
      throw problem(400, "missing_name", "the plug-in's name is missing: add ?name=");
    }
    return { name: queryName, version: undefined, files: body.text };
  }
  const files = body.source ?? body.files;
  if (files === undefined || (body.source !== undefined && body.files !== undefined)) {
    throw problem(400, "invalid_request", 'the body needs either "source" or "files"');
  }
  return { name: body.name, version: body.version, files };
}

/** An administrator may call what the LAN may, and what the platform may. */
function originFor(plugins: PluginManager, plugin: string, command: string): "local" | "remote" {
  const name = plugin !== "" ? plugin : chosen(plugins, command);
  const commands = name === undefined ? [] : plugins.get(name)?.commands ?? [];
  return commands.some((each) => each.name === command && each.right === "local") ? "local" : "remote";
}

const STATUS: Readonly<Record<PluginErrorCode, number>> = {
  absent: 404,
  not_running: 409,
  version: 409,
  unknown_command: 404,
  no_right: 403,
  busy: 503,
  timeout: 504,
  failed: 422,
  crashed: 422,
  limit: 422,
  invalid: 422,
  untrusted: 403,
  closed: 503,
};

function mapError(error: unknown): ProblemError | undefined {
  if (error instanceof PluginError) {
    const members = error.faults.length > 0 ? { members: { faults: error.faults } } : {};
    return problem(STATUS[error.code], `plugin_${error.code}`, error.message, members);
  }
  if (error instanceof PackageError) {
    return problem(422, "plugin_invalid", error.message, { members: { faults: error.faults } });
  }
  const known = trustProblem(error) ?? parameterProblem(error);
  if (known) return known;
  if (error instanceof ProtocolError) return problem(400, "invalid_request", error.message);
  if (error instanceof GatehouseError && error.code === "bad_password") {
    return problem(400, error.code, error.message);
  }
  return undefined;
}

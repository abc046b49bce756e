/**
 * Commands over HTTP: asking, waiting, looking, taking back; and the plug-in management that is made of them.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  type BodySpec,
  type Call,
  decodeCursor,
  documented,
  EventStreams,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
  type Schema,
  waitSeconds,
} from "../../control/mod.ts";
import { isVersion } from "../../protocol/smart_gateway/mod.ts";
import type { Commander, CommandRequest } from "../commands/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { type Channel, CHANNELS, MAX_PLUGIN_BYTES, type PluginRepository } from "../plugins/mod.ts";
import { type CommandRow, isFinal } from "../registry/mod.ts";
import { searchRoutes } from "./command_search.ts";
import { MacParams } from "./gateways.ts";
import { CommandView, commandView } from "./views.ts";

const DAY = 86_400_000;
/** Time that a command has where its request says none. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** An installation fetches a file: it gets longer. */
const INSTALL_TIMEOUT_MS = 300_000;

const PluginName = v.pipe(v.string(), v.maxLength(128));
const Version = v.pipe(
  documented(v.string(), { type: "string", examples: ["1.0"] }),
  v.check((text) => text === "" || isVersion(text), 'must look like "1.0"'),
);
const TimeoutMs = v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(7 * DAY));
const Wait = v.object({ wait: waitSeconds() });
const PluginParams = v.object({ ...MacParams.entries, name: v.pipe(PluginName, v.minLength(1)) });

/** A package somewhere else. What it is, its digest says: whoever answers at the address can't change that. */
const Address = v.strictObject({
  url: v.pipe(v.string(), v.maxLength(1024), v.url(), v.regex(/^https?:\/\//, "http:// or https://")),
  size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PLUGIN_BYTES)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits")),
});

const Post = v.strictObject({
  /** Empty: the CmdType chooses. */
  plugin: v.optional(PluginName, ""),
  version: v.optional(Version, "1.0"),
  parameter: v.pipe(
    v.record(v.string(), v.unknown()),
    v.check((fields) => typeof fields.CmdType === "string" && fields.CmdType !== "", '"CmdType" is missing'),
  ),
  timeoutMs: v.optional(TimeoutMs),
  /** It may run beside other posts that say so; else it has the gateway for itself. */
  concurrent: v.optional(v.boolean(), false),
  /** Doing it twice is doing it once: it may be sent again where its answer was lost. */
  repeatable: v.optional(v.boolean(), false),
  /** How often it is sent at most, and the pause before it is sent to a busy gateway again. */
  retry: v.optional(v.strictObject({
    attempts: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)),
    delayMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(3_600_000)), 5000),
  })),
});

const answers = {
  200: { description: "It has ended", schema: CommandView },
  202: { description: "Taken; it has not ended yet", schema: CommandView },
  404: { description: "Not preset" },
  429: { description: "Too many commands wait for that gateway" },
} as const;

/** Who asks, for how long they wait, and their place in the audit. */
type Asking = Pick<Call<readonly string[], Schema, Schema, BodySpec>, "principal" | "signal" | "changed">;

/** The routes of commands and of plug-ins on gateways. */
export function commandRoutes(
  deps: PlatformDeps,
  commander: Commander,
  repository: Pick<PluginRepository, "latest" | "mustBeSigned">,
): Routes {
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "commands", maxPerPrincipal: 50 });

  /** The command, for somebody who may see its gateway. */
  const visible = async (principal: Principal, id: string): Promise<CommandRow> => {
    const row = known(await commander.find(id), id);
    // Commands outlive their gateways: those of removed ones are for whoever is confined to nothing.
    if (principal.groups) await deps.fleet.gateway(principal, row.mac);
    return row;
  };

  /** Creates a command and waits as long as the caller likes; 200 if it has ended by then, else 202. */
  const issue = async (
    request: Omit<CommandRequest, "actor">,
    waitFor: number,
    { principal, signal, changed }: Asking,
  ) => {
    await deps.fleet.gateway(principal, request.mac);
    const created = await commander.create({ ...request, actor: actorOf(principal) });
    // Its parameter may hold passwords: what was asked is on the command itself.
    const { mac, kind, plugin, version, parameter } = request;
    changed(undefined, { id: created.id, mac, kind, plugin, version, cmdType: parameter?.["CmdType"] });
    const row = waitFor > 0 ? await commander.wait(created.id, waitFor * 1000, signal) ?? created : created;
    const status = isFinal(row.status) ? 200 : 202;
    return { status, body: commandView(row), headers: { location: `/api/v1/commands/${row.id}` } } as const;
  };

  routes.route({
    method: "POST",
    path: "/api/v1/gateways/{mac}/commands",
    summary: "Ask a plug-in on a gateway something",
    description:
      "Kept until it has ended: a gateway that is offline is asked when it is back, until the deadline. A post is " +
      "sent at most once, unless it says that it is `repeatable`; where the answer was lost, `outcomeUnknown` says so.",
    tags: ["commands"],
    auth: ["commands:run"],
    params: MacParams,
    query: Wait,
    body: { json: Post },
    responses: answers,
  }).handle(({ params: { mac }, query, body, ...asking }) =>
    issue(
      {
        mac,
        kind: "post",
        plugin: body.plugin,
        version: body.version,
        parameter: body.parameter,
        timeoutMs: body.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        concurrent: body.concurrent,
        repeatable: body.repeatable,
        retry: body.retry,
      },
      query.wait,
      asking,
    )
  );

  routes.mount("", searchRoutes(deps, visible));

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/commands",
    summary: "A gateway's commands, newest first",
    tags: ["commands"],
    auth: ["commands:read"],
    params: MacParams,
    query: v.object(pageQuery()),
    responses: {
      200: { description: "A page of commands", schema: pageSchema(CommandView) },
      404: { description: "Not preset" },
    },
  }).handle(async ({ params: { mac }, query: { cursor, limit }, principal }) => {
    await deps.fleet.gateway(principal, mac);
    const before = decodeCursor(cursor, v.string());
    const rows = await deps.commands.list(mac, limit + 1, before);
    return { status: 200, body: pageOf(rows, limit, (row) => row.id, commandView) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/commands/{id}",
    summary: "One command, at once or when it has ended",
    tags: ["commands"],
    auth: ["commands:read"],
    params: v.object({ id: v.pipe(v.string(), v.maxLength(64)) }),
    query: Wait,
    responses: {
      200: { description: "The command", schema: CommandView },
      404: { description: "No such command" },
    },
  }).handle(async ({ params: { id }, query, principal, signal }) => {
    const row = await visible(principal, id);
    const then = query.wait > 0 ? await commander.wait(id, query.wait * 1000, signal) : row;
    return { status: 200, body: commandView(known(then, id)) };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/commands/{id}/events",
    summary: "How a command goes on, as server-sent events",
    description:
      "A `command` event with the whole command at once and after each change: of its status, and of how far an " +
      "installation is (`progress`, 0 to 100). The stream ends with the command.",
    tags: ["commands"],
    auth: ["commands:read"],
    params: v.object({ id: v.pipe(v.string(), v.maxLength(64)) }),
    responses: {
      200: { description: "Events", mediaType: "text/event-stream" },
      404: { description: "No such command" },
    },
  }).handle(async (call) => {
    const { id } = call.params;
    await visible(call.principal, id);
    return streams.open(call, async (reader) => {
      for await (const row of commander.follow(id, reader.signal)) {
        if (!await reader.send({ event: "command", data: commandView(row) })) return;
      }
    });
  });

  routes.route({
    method: "POST",
    path: "/api/v1/commands/{id}/cancel",
    summary: "Take back a command that still waits, or give up an installation that is under way",
    tags: ["commands"],
    auth: ["commands:run"],
    params: v.object({ id: v.pipe(v.string(), v.maxLength(64)) }),
    responses: {
      200: {
        description: "Cancelled; an installation may take a moment to be given up",
        schema: CommandView,
      },
      404: { description: "No such command" },
      409: { description: "It is under way or has ended" },
    },
  }).handle(async ({ params: { id }, principal, changed }) => {
    const before = await visible(principal, id);
    const cancelled = await commander.cancel(id);
    const row = known(await commander.find(id), id);
    if (!cancelled) {
      throw problem(
        409,
        "not_cancellable",
        `the command is ${row.status}: only waiting ones and installations can be taken back`,
      );
    }
    changed({ status: before.status }, { status: row.status });
    return { status: 200, body: commandView(row) };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/gateways/{mac}/plugins",
    summary: "Install a plug-in of the repository on a gateway, and run it",
    description:
      "The version that is named, or the latest of a channel: `stable` where neither is named. Where the channel " +
      "has no such plug-in the answer is 404. With `from` (`url`, `size` in bytes, hex `sha256`) the gateway fetches " +
      "the version from there instead of the repository; not where the platform asks for signatures.",
    tags: ["plugins on gateways"],
    auth: ["plugins:install"],
    params: MacParams,
    query: Wait,
    body: {
      json: v.strictObject({
        name: v.pipe(PluginName, v.minLength(1)),
        version: v.optional(v.pipe(Version, v.minLength(1))),
        channel: v.optional(v.picklist(CHANNELS, `one of ${CHANNELS.join(", ")}`)),
        from: v.optional(Address),
        timeoutMs: v.optional(TimeoutMs),
      }),
    },
    responses: answers,
  }).handle(async ({ params: { mac }, query, body, ...asking }) => {
    await deps.fleet.gateway(asking.principal, mac);
    const { from } = body;
    if (from && repository.mustBeSigned) {
      throw problem(403, "plugin_untrusted", "nobody can check signatures at an address: upload it instead");
    }
    if (from && body.version === undefined) {
      throw problem(400, "invalid_request", 'an address needs a "version" beside it');
    }
    const version = await chosen(repository, body.name, body.version, body.channel);
    const request = {
      mac,
      kind: "install",
      plugin: body.name,
      version,
      ...(from && { parameter: from }),
      timeoutMs: body.timeoutMs ?? INSTALL_TIMEOUT_MS,
    } as const;
    return await issue(request, query.wait, asking);
  });

  for (
    const { method, path, kind, summary } of [
      { method: "POST", path: "/run", kind: "run", summary: "Run a plug-in on a gateway" },
      { method: "POST", path: "/stop", kind: "stop", summary: "Stop a plug-in on a gateway" },
      {
        method: "POST",
        path: "/factory",
        kind: "factory",
        summary: "Restore a plug-in as it left the factory",
      },
      { method: "DELETE", path: "", kind: "uninstall", summary: "Remove a plug-in from a gateway" },
    ] as const
  ) {
    routes.route({
      method,
      path: `/api/v1/gateways/{mac}/plugins/{name}${path}`,
      summary,
      tags: ["plugins on gateways"],
      auth: ["plugins:install"],
      params: PluginParams,
      query: v.object({ ...Wait.entries, version: v.optional(Version, "") }),
      responses: answers,
    }).handle(({ params: { mac, name }, query, ...asking }) =>
      issue(
        {
          mac,
          kind,
          plugin: name,
          version: query.version,
          timeoutMs: DEFAULT_TIMEOUT_MS,
        },
        query.wait,
        asking,
      )
    );
  }

  routes.route({
    method: "PUT",
    path: "/api/v1/gateways/{mac}/plugins/{name}/parameters",
    summary: "Give a plug-in on a gateway its parameters",
    tags: ["plugins on gateways"],
    auth: ["plugins:install"],
    params: PluginParams,
    query: v.object({ ...Wait.entries, version: v.optional(Version, "") }),
    body: { json: v.record(v.string(), v.unknown()) },
    responses: answers,
  }).handle(({ params: { mac, name }, query, body, ...asking }) =>
    issue(
      {
        mac,
        kind: "configure",
        plugin: name,
        version: query.version,
        parameter: body,
        timeoutMs: DEFAULT_TIMEOUT_MS,
      },
      query.wait,
      asking,
    )
  );

  routes.route({
    method: "GET",
    path: "/api/v1/gateways/{mac}/plugins",
    summary: "The plug-ins on a gateway, asked of itself",
    tags: ["plugins on gateways"],
    auth: ["plugins:read"],
    params: MacParams,
    query: v.object({ wait: v.optional(Wait.entries.wait, "15") }),
    responses: {
      200: {
        description: "What the gateway says",
        schema: v.object({
          items: v.array(v.object({ name: v.string(), version: v.string(), run: v.boolean() })),
        }),
      },
      404: { description: "Not preset" },
      504: { description: "The gateway did not answer in time" },
      502: { description: "The gateway refused" },
    },
  }).handle(async ({ params: { mac }, query, principal, signal }) => {
    await deps.fleet.gateway(principal, mac);
    const seconds = Math.max(1, query.wait);
    const request = {
      mac,
      kind: "list",
      plugin: "",
      version: "",
      actor: actorOf(principal),
      timeoutMs: seconds * 1000,
    };
    const { id } = await commander.create(request as CommandRequest);
    const row = known(await commander.wait(id, seconds * 1000 + 500, signal), id);
    if (row.status === "succeeded") {
      return { status: 200, body: { items: (JSON.parse(row.reply!) as { plugins: Installed[] }).plugins } };
    }
    if (row.status === "failed") {
      throw problem(502, row.error_code ?? "gateway_error", row.error ?? "refused");
    }
    throw problem(504, "gateway_silent", row.error ?? "the gateway did not answer in time");
  });
  return routes;
}

/** The version that an installation is about. */
async function chosen(
  repository: Pick<PluginRepository, "latest">,
  name: string,
  version: string | undefined,
  channel: Channel | undefined,
): Promise<string> {
  if (version !== undefined) {
    if (channel === undefined) return version;
    throw problem(400, "invalid_request", 'either "version" or "channel"');
  }
  const latest = await repository.latest(name, channel ?? "stable");
  if (latest) return latest.version;
  throw problem(404, "plugin_not_found", `no version of plug-in "${name}" is ${channel ?? "stable"}`);
}

interface Installed {
  name: string;
  version: string;
  run: boolean;
}

function known(row: CommandRow | undefined, id: string): CommandRow {
  if (!row) throw problem(404, "command_not_found", `there is no command "${id}"`);
  return row;
}

/**
 * Commands over HTTP: asking, waiting, looking, taking back.
 *
 * @module
 */
import * as v from "valibot";
import {
  decodeCursor,
  EventStreams,
  pageOf,
  pageQuery,
  pageSchema,
  type Principal,
  problem,
  Routes,
} from "../../control/mod.ts";
import type { Commander } from "../commands/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import type { PluginRepository } from "../plugins/mod.ts";
import type { CommandRow } from "../registry/mod.ts";
import { searchRoutes } from "./command_search.ts";
import { gatewayPluginRoutes } from "./gateway_plugins.ts";
import { MacParams } from "./gateways.ts";
import { answers, DEFAULT_TIMEOUT_MS, issue, known, PluginName, TimeoutMs, Version, Wait } from "./issue.ts";
import { CommandView, commandView } from "./views.ts";

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
      deps,
      commander,
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

  routes.mount("", gatewayPluginRoutes(deps, commander, repository));
  return routes;
}

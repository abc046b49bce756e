/**
 * The control API's part about one plug-in: its figures, and the last lines of its log.
 *
 * @module
 */
import * as v from "valibot";
import { problem, queryInteger, Routes } from "../../control/mod.ts";
import { LOG_LINES, type LogQuery, PluginError, type PluginManager } from "../../sandbox/mod.ts";

const AUTH = ["admin"] as const;
const params = v.object({ name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)) });
const absent = { description: "No such plug-in" };
const line = v.object({ seq: v.number(), time: v.string(), level: v.string(), text: v.string() });

/** The routes. */
export function pluginLogRoutes(plugins: Pick<PluginManager, "get" | "logs">): Routes {
  const routes = new Routes();
  const nobody = (name: string) => problem(404, "plugin_absent", `no plug-in "${name}"`);
  const linesOf = (name: string, query: LogQuery) => {
    try {
      return plugins.logs(name, query); // also of one that never loaded, by its file's name
    } catch (error) {
      throw error instanceof PluginError && error.code === "absent" ? nobody(name) : error;
    }
  };

  routes.route({
    method: "GET",
    path: "/api/v1/plugins/{name}",
    summary: "A plug-in with its figures",
    auth: AUTH,
    params,
    responses: {
      200: { description: "As it is now", schema: v.looseObject({ name: v.string(), state: v.string() }) },
      404: absent,
    },
  }).handle(({ params: { name } }) => {
    const status = plugins.get(name);
    if (!status) throw nobody(name);
    return { status: 200, body: { ...status } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/plugins/{name}/logs",
    summary: "The last lines of a plug-in's log",
    description:
      "The newest lines, the oldest of them first. `after=` gives those behind the line of that number; `next` is " +
      "the number to go on with. What is kept is bounded: lines that were not fetched in time are gone.",
    auth: AUTH,
    params,
    query: v.object({
      after: v.optional(queryInteger(0, 1e14)),
      limit: v.optional(queryInteger(1, LOG_LINES), "100"),
    }),
    responses: {
      200: { description: "The lines", schema: v.object({ items: v.array(line), next: v.number() }) },
      404: absent,
    },
  }).handle(({ params: { name }, query: { after, limit } }) => {
    const lines = linesOf(name, { limit, ...(after !== undefined && { after }) });
    return {
      status: 200,
      body: {
        items: lines.map(({ seq, time, level, text }) => ({
          seq,
          time: new Date(time).toISOString(),
          level,
          text,
        })),
        next: lines.at(-1)?.seq ?? after ?? 0,
      },
    };
  });
  return routes;
}

/**
 * What an app wants to know of a gateway before it asks it: how its connection goes on, live, and what it can do from
 * where.
 *
 * @module
 */
import type { Kysely } from "kysely";
import * as v from "valibot";
import type { Deps, Timer } from "../../base/mod.ts";
import { EventStreams, macSchema, Routes } from "../../control/mod.ts";
import type { FleetOwnTables } from "../fleet/mod.ts";
import type { PresenceTable } from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { BindingStore } from "./bindings.ts";
import { ownIn } from "./own.ts";
import type { Connections } from "./connections.ts";
import type { RegistryTables } from "../registry/mod.ts";
import { USER_PERMISSION } from "./users.ts";

const MacParams = v.object({ mac: macSchema });
const CapabilityView = v.object({
  plugin: v.string(),
  version: v.string(),
  running: v.boolean(),
  /** null: the platform's repository does not know this version. */
  commands: v.nullable(v.array(v.object({
    cmdType: v.string(),
    /** `local`: only on the LAN; `remote`: only over the platform; `none`: not at the moment. */
    right: v.picklist(["local", "remote", "both", "none"]),
  }))),
});

/** What these routes lean on. */
export interface LiveParts {
  readonly bindings: Pick<BindingStore, "find">;
  readonly connections: Connections;
  readonly presence: Pick<PresenceTable, "get">;
  readonly bus: Pick<PlatformBus, "subscribe">;
  readonly sql: Kysely<RegistryTables & FleetOwnTables>;
}

/** The routes. */
export function liveRoutes(deps: Pick<Deps, "clock" | "metrics">, parts: LiveParts): Routes {
  const { bindings, connections, presence, bus, sql } = parts;
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "app_connection", maxReaders: 5000, maxPerPrincipal: 8 });
  const own = ownIn(bindings);

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/connection/stream",
    summary: "How the gateway's connection goes on, as it happens",
    description:
      "A `connection` event (`state`, `reason`, `online`) at once and after each change: instead of polling. " +
      "The stream ends when the gateway is no longer the user's.",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      200: { description: "Events", mediaType: "text/event-stream" },
      404: { description: "Not the user's" },
    },
  }).handle(async (call) => {
    const { principal, params: { mac } } = call;
    const { bound_at } = await own(principal.id, mac);
    const still = async () => (await bindings.find(principal.id, mac))?.bound_at === bound_at;
    return streams.open(call, async (reader) => {
      let last = "", timer: Timer | undefined;
      const tell = () => {
        if (reader.signal.aborted) return;
        timer?.cancel();
        const { retryAfterMs, ...view } = connections.state(mac);
        const data = { ...view, online: presence.get(mac)?.online ?? false }, text = JSON.stringify(data);
        if (text !== last) reader.push({ event: "connection", data });
        last = text;
        // A minute without a channel ends in "failed": nobody tells of that.
        timer = retryAfterMs === undefined ? undefined : deps.clock.setTimer(tell, retryAfterMs);
      };
      const mine = (event: { readonly mac: string }) => {
        // Whoever else hears of it notes it first.
        if (event.mac === mac) queueMicrotask(tell);
      };
      using _opened = bus.subscribe("channel.opened", mine);
      using _closed = bus.subscribe("channel.closed", mine);
      using _presence = bus.subscribe("presence.changed", mine);
      using _asked = connections.listen(mine);
      tell();
      await reader.ended;
      timer?.cancel();
    }, still);
  });

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/capabilities",
    summary: "What the gateway's plug-ins can be asked, and from where",
    description:
      "The plug-ins as they were last seen on the gateway, with the commands that their manifests in the repository " +
      "declare: a hint whether to ask on the LAN or over the platform. The gateway itself has the last word.",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      200: { description: "What is known", schema: v.object({ items: v.array(CapabilityView) }) },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac } }) => {
    await own(principal.id, mac);
    const rows = await sql.selectFrom("gateway_plugin")
      .leftJoin(
        "plugin",
        (join) =>
          join.onRef("plugin.name", "=", "gateway_plugin.name")
            .onRef("plugin.version", "=", "gateway_plugin.version"),
      )
      .select(["gateway_plugin.name", "gateway_plugin.version", "gateway_plugin.running", "plugin.manifest"])
      .where("gateway_plugin.mac", "=", mac).orderBy("gateway_plugin.name").execute();
    const items = rows.map(({ name, version, running, manifest }) => ({
      plugin: name,
      version,
      running: running === 1,
      commands: manifest === null ? null : commandsOf(manifest),
    }));
    return { status: 200, body: { items } };
  });
  return routes;
}

type Right = "local" | "remote" | "both" | "none";

/** The commands that a manifest in the repository declares: it was checked when it came in. */
function commandsOf(manifest: string): { cmdType: string; right: Right }[] {
  const { commands = {} } = JSON.parse(manifest) as { commands?: Record<string, { right?: Right }> };
  return Object.entries(commands).map(([cmdType, { right = "both" }]) => ({ cmdType, right }));
}

/**
 * What happens to plug-ins, for those who watch: their states, and how far installations are.
 *
 * @module
 */
import * as v from "valibot";
import { type Clock, type Log, messageOf, type Metrics, silentLog } from "../base/mod.ts";
import { EventStreams, Routes } from "../control/mod.ts";
import type { PluginEvent, PluginManager, PluginStatus } from "../sandbox/mod.ts";
import type { InstallProgress } from "./channel/mod.ts";

/** An event as it goes out: its kind, whom it is about, and what it says. */
interface Told {
  readonly event: "plugin" | "removed" | "install";
  readonly plugin: string;
  readonly data: unknown;
}

/** Hands on what happens to plug-ins. */
export class PluginEvents {
  readonly #listeners = new Set<(told: Told) => void>();
  readonly #installs = new Map<string, InstallProgress>();
  /** The version of each that runs. */
  readonly #running = new Map<string, string>();

  constructor(private readonly log: Log = silentLog) {}

  /** For the manager's `onEvent`. */
  changed({ plugin, status }: PluginEvent): void {
    this.#note(plugin, status);
    this.#tell(status ? shown(status) : { event: "removed", plugin, data: { name: plugin } });
  }

  /** An installation is further, or at its end. */
  installing(progress: InstallProgress): void {
    const { plugin, state } = progress;
    if (state === "downloading" || state === "loading") this.#installs.set(plugin, progress);
    else this.#installs.delete(plugin);
    this.#tell({ event: "install", plugin, data: progress });
  }

  /** Tells of an installation that the control API asked for. */
  async during<T>(plugin: string, version: string, install: () => Promise<T>): Promise<T> {
    const at = { plugin, version, by: "control" } as const;
    this.installing({ ...at, state: "loading", percent: 90 });
    try {
      const result = await install();
      this.installing({ ...at, state: "installed", percent: 100 });
      return result;
    } catch (error) {
      this.installing({ ...at, state: "failed", percent: 90, error: messageOf(error) });
      throw error;
    }
  }

  /** Those under way. */
  installs(): readonly InstallProgress[] {
    return [...this.#installs.values()];
  }

  /** Gives the way to stop listening. */
  listen(listener: (told: Told) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** One that takes over from a running one changes no state: the log would not show an upgrade. */
  #note(plugin: string, status: PluginStatus | undefined): void {
    if (status?.state !== "running" || status.version === undefined) return void this.#running.delete(plugin);
    const before = this.#running.get(plugin), { version, error } = status;
    this.#running.set(plugin, version);
    if (before === undefined || error !== undefined) return;
    this.log.info("plug-in was loaded anew", { plugin, version, before });
  }

  #tell(told: Told): void {
    for (const listener of [...this.#listeners]) listener(told);
  }
}

/** Readers at once: an administrator's console and some scripts. */
const MAX_READERS = 20;

/** The route. */
export function pluginEventRoutes(
  deps: { readonly clock: Clock; readonly metrics: Metrics },
  plugins: Pick<PluginManager, "list">,
  events: PluginEvents,
): Routes {
  const routes = new Routes();
  const streams = new EventStreams(deps, { name: "plugins", maxReaders: MAX_READERS });

  routes.route({
    method: "GET",
    path: "/api/v1/plugin-events",
    summary: "What happens to plug-ins, as server-sent events",
    description:
      "First a `plugin` event for each plug-in as it is and an `install` event for each installation under way, then " +
      "each change. `plugin`: name, version, state, desired, tier, error, restarts, failures. `removed`: name. " +
      "`install`: plugin, version, by (`channel` or `control`), state (`downloading`, `loading`, `installed`, " +
      "`failed`, `cancelled`), percent, error. Whoever comes back is told anew how all is.",
    tags: ["plug-ins"],
    auth: ["admin"],
    query: v.object({ plugin: v.optional(v.pipe(v.string(), v.maxLength(100))) }),
    responses: { 200: { description: "Events", mediaType: "text/event-stream" } },
  }).handle((call) => {
    const { plugin: only } = call.query;
    return streams.open(call, async (reader) => {
      const push = ({ event, plugin, data }: Told) => {
        if (only === undefined || only === plugin) reader.push({ event, data });
      };
      const leave = events.listen(push);
      try {
        for (const status of plugins.list()) push(shown(status));
        for (const progress of events.installs()) {
          push({ event: "install", plugin: progress.plugin, data: progress });
        }
        await reader.ended;
      } finally {
        leave();
      }
    });
  });
  return routes;
}

function shown(status: PluginStatus): Told {
  const { name, version, state, desired, tier, error, restarts, failures } = status;
  return {
    event: "plugin",
    plugin: name,
    data: { name, version, state, desired, tier, error, restarts, failures },
  };
}

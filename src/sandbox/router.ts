/**
 * Calls of plug-ins: which plug-in, whether the caller may, and the books about it.
 *
 * @module
 */
import type { Clock } from "../base/mod.ts";
import { PluginError, type PluginErrorCode } from "./errors.ts";
import type { Books } from "./figures.ts";
import type { Guests } from "./guests.ts";
import { faultOf, type JsonObject, parseObject } from "./json.ts";
import type { Right } from "./manifest.ts";
import type { Plugin } from "./plugin.ts";
import type { DesiredStates } from "./store.ts";
import type { PluginCall } from "./types.ts";

/** Sends calls to the plug-ins that they are for. */
export class Router {
  constructor(
    private readonly named: ReadonlyMap<string, Plugin>,
    private readonly guests: Guests,
    private readonly desired: DesiredStates,
    private readonly books: Books,
    private readonly clock: Pick<Clock, "monotonic">,
  ) {}

  /** See `PluginManager.call`. */
  async call(call: PluginCall): Promise<JsonObject> {
    const { command, origin } = call;
    const plugin = this.#choose(call.plugin ?? "", command);
    const manifest = plugin.manifest!;
    if (call.version && call.version !== manifest.version) {
      throw new PluginError("version", `"${manifest.name}" is there in version ${manifest.version}`);
    }
    if (!Object.hasOwn(manifest.commands, command)) {
      throw new PluginError("unknown_command", `"${manifest.name}" has no command "${command}"`);
    }
    const right = this.rightOf(plugin, command);
    if (right !== "both" && right !== origin && (origin !== "peer" || right === "none")) {
      throw new PluginError("no_right", `"${command}" may not be called from the ${origin} side`);
    }
    const recovering = !plugin.active && plugin.state === "loading";
    if (plugin.state !== "running" && !recovering) {
      throw new PluginError("not_running", `"${manifest.name}" is ${plugin.state}`);
    }
    const { auth } = manifest.commands[command]!;
    const request = JSON.stringify(auth && call.authorize ? await call.authorize(auth) : call.request);
    if (plugin.inFlight >= manifest.limits.calls && plugin.queue.size >= manifest.limits.queue) {
      this.books.of(plugin.name).count("busy");
      throw new PluginError("busy", `"${manifest.name}" has ${plugin.inFlight} calls in flight`);
    }
    const fault = faultOf(request, "the request");
    if (fault) throw new PluginError("limit", fault);
    plugin.calls++;
    const began = this.clock.monotonic();
    const end = (result: "ok" | PluginErrorCode) =>
      this.books.of(plugin.name).count(result, this.clock.monotonic() - began);
    try {
      const text = await this.#send(plugin, command, request, call.timeoutMs ?? Infinity);
      end("ok");
      return parseObject(text);
    } catch (error) {
      plugin.errors++;
      end(error instanceof PluginError ? error.code : "failed");
      throw error;
    }
  }

  #send(plugin: Plugin, command: string, request: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = this.guests.newCall(command, request, (text) => {
        resolve(text);
        this.advance(plugin);
      }, (error) => {
        plugin.waiting.delete(call);
        plugin.queue.delete(call);
        reject(error);
        this.advance(plugin);
      });
      if (plugin.inFlight >= plugin.manifest!.limits.calls) plugin.queue.add(call);
      else if (plugin.active) this.guests.dispatch(plugin.active, call);
      else plugin.waiting.add(call);
      this.guests.limitTime(call, Math.min(timeoutMs, plugin.manifest!.limits.callMs));
    });
  }

  /** Begins calls that wait, as far as there is room for them. */
  advance(plugin: Plugin): void {
    for (const call of plugin.queue) {
      if (!plugin.active || plugin.inFlight >= plugin.manifest!.limits.calls) return;
      plugin.queue.delete(call);
      this.guests.dispatch(plugin.active, call);
    }
  }

  /** The plug-in that a call is for. Without a name: the first by name that runs and has the command. */
  #choose(name: string, command: string): Plugin {
    if (name !== "") {
      const plugin = this.named.get(name);
      if (!plugin?.manifest) throw absent(name);
      return plugin;
    }
    let chosen: Plugin | undefined;
    const better = (a: Plugin, b: Plugin) => {
      const [aRuns, bRuns] = [a.state === "running", b.state === "running"];
      return aRuns === bRuns ? a.name < b.name : aRuns;
    };
    for (const plugin of this.named.values()) {
      if (!plugin.manifest || !Object.hasOwn(plugin.manifest.commands, command)) continue;
      if (!chosen || better(plugin, chosen)) chosen = plugin;
    }
    if (!chosen) throw new PluginError("unknown_command", `no plug-in has a command "${command}"`);
    return chosen;
  }

  /** From where a command may be called: as it was set, else as its manifest says. */
  rightOf(plugin: Plugin, command: string): Right {
    return this.desired.right(plugin.name, command) ?? plugin.manifest?.commands[command]?.right ?? "none";
  }
}

/** The error for a plug-in that is not there. */
export function absent(name: string): PluginError {
  return new PluginError("absent", `no plug-in "${name}"`);
}

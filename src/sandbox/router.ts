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
  call(call: PluginCall): Promise<JsonObject> {
    // Promises are counted here: one a call is what a call costs, and each more is a twentieth of it.
    let plugin: Plugin;
    try {
      plugin = this.#permitted(call);
      const { auth } = plugin.manifest!.commands[call.command]!;
      if (auth && call.origin === "peer") {
        throw new PluginError("no_right", `"${call.command}" asks for a password, which no plug-in can show`);
      }
      if (!auth || !call.authorize) return this.#send(plugin, call, call.request);
      return call.authorize(auth).then((request) => this.#send(plugin, call, request));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The plug-in that a call is for, if it may be called so and runs. */
  #permitted({ plugin: name = "", version, command, origin }: PluginCall): Plugin {
    const plugin = this.#choose(name, command), manifest = plugin.manifest!;
    if (version && version !== manifest.version) {
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
    return plugin;
  }

  #send(
    plugin: Plugin,
    { command, caller, timeoutMs = Infinity }: PluginCall,
    fields: JsonObject,
  ): Promise<JsonObject> {
    const { name, limits } = plugin.manifest!, { guests, clock } = this;
    if (plugin.inFlight >= limits.calls && plugin.queue.size >= limits.queue) {
      this.books.of(plugin.name).count("busy");
      throw new PluginError("busy", `"${name}" has ${plugin.inFlight} calls in flight`);
    }
    const request = JSON.stringify(fields), fault = faultOf(request, "the request");
    if (fault) throw new PluginError("limit", fault);
    plugin.calls++;
    const began = clock.monotonic();
    const end = (result: "ok" | PluginErrorCode) => {
      this.books.of(plugin.name).count(result, clock.monotonic() - began);
      if (plugin.queue.size > 0) this.advance(plugin);
    };
    return new Promise((resolve, reject) => {
      const call = guests.newCall(
        command,
        request,
        (text) => {
          try {
            resolve(parseObject(text));
            end("ok");
          } catch (error) { // a host process that is not what it should be
            failed(new PluginError("crashed", "the plug-in host's answer is no JSON", { cause: error }));
          }
        },
        (error) => failed(error),
        caller,
      );
      const failed = (error: PluginError) => {
        plugin.waiting.delete(call);
        plugin.queue.delete(call);
        plugin.errors++;
        reject(error);
        end(error.code);
      };
      if (plugin.inFlight >= limits.calls) plugin.queue.add(call);
      else if (plugin.active) guests.dispatch(plugin.active, call);
      else plugin.waiting.add(call);
      guests.limitTime(call, Math.min(timeoutMs, limits.callMs));
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

/**
 * The platform's requests on the plug-in channel, each with its answer (reference §4).
 *
 * @module
 */
import { type Log, messageOf } from "../../base/mod.ts";
import {
  type ChannelReply,
  decodeCapabilityFields,
  PluginResult,
  ProtocolError,
  type SetPluginParameterValues,
} from "../../protocol/smart_gateway/mod.ts";
import { type JsonObject, PluginError, type PluginManager } from "../../sandbox/mod.ts";
import type { Dispatcher } from "../capability/mod.ts";
import type { FactoryPlugins } from "../factory_plugins.ts";
import type { Caller } from "../parameters/mod.ts";
import type { Installs } from "./installs.ts";
import { pluginResultOf } from "./plugin_results.ts";
import type { RequestHandler } from "./session.ts";

/** What answering takes. */
export interface ManagementDeps {
  readonly log: Log;
  readonly plugins: PluginManager;
  readonly dispatcher: Dispatcher;
  readonly installs: Installs;
  readonly factory: FactoryPlugins;
}

/** Answers requests. */
export function channelHandler(
  { log, plugins, dispatcher, installs, factory }: ManagementDeps,
): RequestHandler {
  /** Does something with an installed plug-in of the version that was named, if one was. */
  const manage = async (
    { pluginName, version }: { pluginName: string; version: string },
    act: (name: string) => Promise<unknown>,
  ): Promise<ChannelReply> => {
    try {
      const status = plugins.get(pluginName);
      if (!status) throw new PluginError("absent", `no plug-in "${pluginName}"`);
      if (version !== "" && status.version !== version) return { result: PluginResult.VERSION };
      await act(pluginName);
      return { result: PluginResult.OK };
    } catch (error) {
      log.info("plug-in management failed", { plugin: pluginName, reason: messageOf(error) });
      return { result: pluginResultOf(error) };
    }
  };

  return async (request) => {
    switch (request.method) {
      case "Post": {
        const { pluginName, version, parameter } = request;
        return await dispatcher.dispatch({ origin: "remote", pluginName, version, parameter });
      }
      case "Install":
        return { result: installs.begin(request) };
      case "Install_query":
        return { result: installs.query(request.pluginName, request.version) };
      case "Install_cancel":
        return { result: installs.cancel(request.pluginName, request.version) };
      case "UnInstall":
        return await manage(request, async (name) => {
          await plugins.remove(name);
          installs.forget(name);
        });
      case "Run":
        return await manage(request, (name) => plugins.run(name));
      case "Stop":
        return await manage(request, (name) => plugins.stop(name));
      case "FactoryPlugin":
        return await restore(request.pluginName);
      case "ListPlugin":
        return {
          result: PluginResult.OK,
          plugins: plugins.list().map(({ name, version, state }) => ({
            pluginName: name,
            version: version ?? "",
            run: state === "running" ? 1 : 0,
          })),
        };
      case "SetPlug-inParameterValues":
        return await setParameters(request);
    }
  };

  async function restore(pluginName: string): Promise<ChannelReply> {
    try {
      return { result: await factory.restore(plugins, pluginName) ? PluginResult.OK : PluginResult.ABSENT };
    } catch (error) {
      log.warn("factory plug-in not restored", { plugin: pluginName, reason: messageOf(error) });
      return { result: pluginResultOf(error, PluginResult.INSTALL_FAILED) };
    }
  }

  async function setParameters(
    { pluginName, version, parameter }: SetPluginParameterValues,
  ): Promise<ChannelReply> {
    try {
      await giveParameters(
        plugins,
        pluginName,
        version,
        { ...decodeCapabilityFields(parameter) },
        "platform",
      );
      return { result: PluginResult.OK };
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof PluginError)) throw error;
      log.info("plug-in did not take its parameters", { plugin: pluginName, reason: error.message });
      return { result: pluginResultOf(error) };
    }
  }
}

/** Gives a plug-in its parameters: one that takes any has a command of the method's name. Rejects with PluginError. */
export async function giveParameters(
  plugins: Pick<PluginManager, "call">,
  plugin: string,
  version: string,
  request: JsonObject,
  caller: Caller,
): Promise<void> {
  const command: SetPluginParameterValues["method"] = "SetPlug-inParameterValues";
  await plugins.call({ plugin, version, command, request, origin: "remote", caller });
}

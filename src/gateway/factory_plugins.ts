/**
 * The plug-ins that ship with the gateway: inside the program itself, and put into the plug-ins folder once, so
 * that they can be stopped, changed and removed like any other. FactoryPlugin brings one back.
 *
 * @module
 */
import { join } from "@std/path";
import { type Log, messageOf } from "../base/mod.ts";
import deviceIdentity from "../../plugins/device-identity.js" with { type: "text" };
import diagnostics from "../../plugins/diagnostics.js" with { type: "text" };
import lan from "../../plugins/lan.js" with { type: "text" };
import management from "../../plugins/management.js" with { type: "text" };
import service from "../../plugins/service.js" with { type: "text" };
import systemMonitor from "../../plugins/system-monitor.js" with { type: "text" };
import wan from "../../plugins/wan.js" with { type: "text" };
import wifi from "../../plugins/wifi.js" with { type: "text" };
import { type PluginManager, writeWhole } from "../sandbox/mod.ts";
import type { StateStore } from "./state/mod.ts";

/** The sources by plug-in name. */
export const FACTORY_SOURCES: Readonly<Record<string, string>> = {
  "device-identity": deviceIdentity,
  "diagnostics": diagnostics,
  "lan": lan,
  "management": management,
  "service": service,
  "system-monitor": systemMonitor,
  "wan": wan,
  "wifi": wifi,
};

/** Puts shipped plug-ins in place. */
export class FactoryPlugins {
  constructor(
    private readonly deps: { log: Log },
    private readonly state: Pick<StateStore, "get" | "update">,
    private readonly sources: Readonly<Record<string, string>> = FACTORY_SOURCES,
  ) {}

  /**
   * Before the plug-in manager looks into `dir`: writes those that were never put there, and newer ones over those
   * that were. One that somebody removed stays removed; one that somebody else put there under that name stays.
   */
  async seed(dir: string): Promise<void> {
    await Deno.mkdir(dir, { recursive: true });
    const seeded = { ...this.state.get().factoryPlugins };
    for (const [name, source] of Object.entries(this.sources)) {
      const mark = await markOf(source), before = seeded[name];
      if (before === mark) continue;
      const path = join(dir, `${name}.js`);
      try {
        const there = await Deno.readTextFile(path).catch(() => undefined);
        const ours = there !== undefined && before !== undefined && await markOf(there) === before;
        const folder = await Deno.stat(join(dir, name)).then(() => true, () => false);
        if (ours || (there === undefined && before === undefined && !folder)) {
          await writeWhole(path, source); // on the disk before its mark is: else a power cut loses it for good
        }
        seeded[name] = mark;
      } catch (error) {
        this.deps.log.error("a factory plug-in can't be put in place", {
          plugin: name,
          reason: messageOf(error),
        });
      }
    }
    if (JSON.stringify(seeded) !== JSON.stringify(this.state.get().factoryPlugins)) {
      await this.state.update({ factoryPlugins: seeded });
    }
  }

  /** Brings the shipped version back and runs it; false where none of that name ships. */
  async restore(plugins: Pick<PluginManager, "install" | "run">, name: string): Promise<boolean> {
    if (!Object.hasOwn(this.sources, name)) return false;
    await plugins.install(name, this.sources[name]!);
    await plugins.run(name);
    return true;
  }
}

/** Tells one source from another. */
async function markOf(source: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source));
  return new Uint8Array(digest, 0, 12).toHex();
}

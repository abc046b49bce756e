/**
 * What the gateway itself has to say to the platform: that it started, that a plug-in is broken, that its address
 * changed, alarms. `Plugin_Name` is `@gateway`, the content JSON (`docs/protocol-notes.md`).
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Random } from "../../base/mod.ts";
import type { PluginStatus } from "../../sandbox/mod.ts";
import { AGENT_NAME, type MessagePush } from "./push.ts";

/** How bad it is. */
export type Severity = "info" | "warning" | "critical";

/** Speaks for the gateway. Nothing here waits or fails: what can't be taken is logged. */
export class AgentMessages {
  /** Of this start: what is said twice in one second by two starts is not the same. */
  readonly #bootId: string;
  #number = 0;
  #address: string | undefined;
  readonly #broken = new Set<string>();

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random; readonly log: Log },
    private readonly push: Pick<MessagePush, "push">,
  ) {
    this.#bootId = [...deps.random.bytes(8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** It started. */
  boot(versions: { readonly appVersion: string; readonly firmwareVersion: string }): void {
    this.#say("boot", versions);
  }

  /** A plug-in's state changed, or it was removed. Says so once where it is broken. */
  pluginChanged(plugin: string, status: Pick<PluginStatus, "state" | "version" | "error"> | undefined): void {
    if (status?.state !== "broken") {
      // On its way up again it may break again, and that is news.
      if (status === undefined || status.state === "running" || status.state === "stopped") {
        this.#broken.delete(plugin);
      }
      return;
    }
    if (this.#broken.has(plugin)) return;
    this.#broken.add(plugin);
    const { version, error } = status;
    this.#say("plugin_broken", { plugin, version: version ?? null, error: error?.slice(0, 1000) ?? null });
  }

  /** The address towards the platform is this one now; the first one is no change. */
  address(address: string): void {
    if (address === "" || address === "0.0.0.0" || address === this.#address) return;
    const before = this.#address;
    this.#address = address;
    if (before !== undefined) this.#say("wan_address", { address, before });
  }

  /** Something is wrong that people should know of. `code` is stable. */
  alarm(code: string, severity: Severity, text: string): void {
    this.#say("alarm", { code, severity, text });
  }

  #say(event: string, fields: Record<string, unknown>): void {
    const { clock, log } = this.deps;
    const content = {
      event,
      at: new Date(clock.now()).toISOString(),
      bootId: this.#bootId,
      number: ++this.#number,
      ...fields,
    };
    this.push.push(AGENT_NAME, JSON.stringify(content)).catch((error) => {
      log.error("a message of the gateway's own was not taken", { event, error: messageOf(error) });
    });
  }
}

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

/** What is remembered over a restart. */
export interface Remembered {
  /** The last own address towards the platform. */
  readonly wanAddress: string | undefined;
  /** Codes of the alarms that are raised. */
  readonly alarms: readonly string[];
}

/** Where it is remembered. */
export interface AgentMemory {
  get(): Remembered;
  /** Resolves when it is on the disk. */
  update(change: Partial<Remembered>): Promise<void>;
}

/** Speaks for the gateway. Nothing here waits or fails: what can't be taken is logged. */
export class AgentMessages {
  /** Of this start: what is said twice in one second by two starts is not the same. */
  readonly #bootId: string;
  #number = 0;
  readonly #broken = new Set<string>();

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random; readonly log: Log },
    private readonly push: Pick<MessagePush, "push">,
    private readonly memory: AgentMemory,
  ) {
    this.#bootId = [...deps.random.bytes(8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** It started. `address`: its own, where it has one already. */
  boot(
    versions: { readonly appVersion: string; readonly firmwareVersion: string },
    address?: string | undefined,
  ): void {
    void this.#say("boot", { ...versions, address: isKnown(address) ? address : null });
  }

  /** A plug-in's state changed, or it was removed. Says so once where it is broken. */
  pluginChanged(plugin: string, status: Pick<PluginStatus, "state" | "version" | "error"> | undefined): void {
    if (status?.state !== "broken") {
      // On its way up again it may break again, and that is news.
      if (status === undefined || status.state === "running" || status.state === "stopped") {
        if (!this.#broken.delete(plugin)) return;
        void this.#say("plugin_mended", {
          plugin,
          version: status?.version ?? null,
          state: status?.state ?? null,
        });
      }
      return;
    }
    if (this.#broken.has(plugin)) return;
    this.#broken.add(plugin);
    const { version, error } = status;
    void this.#say("plugin_broken", {
      plugin,
      version: version ?? null,
      error: error?.slice(0, 1000) ?? null,
    });
  }

  /** The address towards the platform is this one now; the first one ever is no change, one after a restart is. */
  address(address: string): void {
    const before = this.memory.get().wanAddress;
    if (!isKnown(address) || address === before) return;
    this.#remember({ wanAddress: address });
    if (before !== undefined) void this.#say("wan_address", { address, before });
  }

  /**
   * Somebody here, not the platform, put the gateway back to what it was at the factory. `by`: who. Resolves when it is on
   * the disk, or can't be.
   */
  factoryReset(by: string): Promise<void> {
    return this.#say("factory_reset", { by });
  }

  /** Something is wrong that people should know of, until it is cleared. `code` is stable; said once. */
  raise(code: string, severity: Severity, text: string): void {
    if (this.raised(code)) return;
    this.#remember({ alarms: [...this.memory.get().alarms, code] });
    void this.#say("alarm", { code, state: "raised", severity, text });
  }

  /** It is not so any more. */
  clear(code: string): void {
    if (!this.raised(code)) return;
    this.#remember({ alarms: this.memory.get().alarms.filter((one) => one !== code) });
    void this.#say("alarm", { code, state: "cleared", severity: "info", text: "" });
  }

  /** Whether it was raised and not cleared since, also before a restart. */
  raised(code: string): boolean {
    return this.memory.get().alarms.includes(code);
  }

  #remember(change: Partial<Remembered>): void {
    this.memory.update(change).catch((error) =>
      this.deps.log.error("what was said last could not be kept", { error: messageOf(error) })
    );
  }

  async #say(event: string, fields: Record<string, unknown>): Promise<void> {
    const { clock, log } = this.deps;
    const content = {
      event,
      at: new Date(clock.now()).toISOString(),
      bootId: this.#bootId,
      number: ++this.#number,
      ...fields,
    };
    try {
      await this.push.push(AGENT_NAME, JSON.stringify(content));
    } catch (error) {
      log.error("a message of the gateway's own was not taken", { event, error: messageOf(error) });
    }
  }
}

function isKnown(address: string | undefined): address is string {
  return address !== undefined && address !== "" && address !== "0.0.0.0";
}

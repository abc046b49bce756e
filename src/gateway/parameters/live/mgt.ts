/**
 * `X_CT-COM_Mgt` on the running gateway: what a write to it does, and what its values are before anybody wrote any
 * (reference §8).
 *
 * @module
 */
import { formatHostPort, type HostPort, type Log, messageOf } from "../../../base/mod.ts";
import type { RequestDistri } from "../../../protocol/smart_gateway/mod.ts";
import { MGT_PATH } from "../areas/mod.ts";
import type { ParameterChange } from "../binding.ts";
import type { ParameterValue } from "../definition.ts";
import type { ParameterTree } from "../tree.ts";

/** What of the settings is in the object. */
export interface MgtSettings {
  readonly mgtUrl: string;
  readonly port: number;
  readonly local: HostPort;
}

/** What it acts on. */
export interface MgtParts {
  readonly tree: ParameterTree;
  readonly log: Log;
  /** Forgets what distribution said, under another home from now on. */
  readonly forget: (home: string) => Promise<void>;
  readonly registration: {
    restart(from: "distribution"): void;
    heartbeatEvery(seconds: number): Promise<void>;
    follow(order: RequestDistri): Promise<void>;
  };
  readonly local: { place(at: { port: number; open: boolean }): void; readonly address: HostPort };
}

/** The presets that settings make: what is written later wins, until the settings themselves are changed. */
export function mgtPresets({ mgtUrl, port, local }: MgtSettings): Record<string, ParameterValue> {
  return {
    [`${MGT_PATH}MgtURL`]: mgtUrl,
    [`${MGT_PATH}Port`]: port,
    // Port 0 is one of the system's choosing: it can't be told beforehand.
    ...(local.port > 0 && { [`${MGT_PATH}LocatePort`]: local.port }),
  };
}

/** The object's values as they are now. */
export class Mgt {
  constructor(private readonly tree: ParameterTree, private readonly settings: MgtSettings) {}

  /** The distribution platform that the gateway belongs to. */
  get distribution(): HostPort {
    return { host: String(this.#value("MgtURL")), port: Number(this.#value("Port")) };
  }

  /** Seconds between heartbeats, where somebody set them; otherwise registration's own timing holds. */
  get heartbeatSeconds(): number | undefined {
    return this.tree.stamp(`${MGT_PATH}Heartbeat`) && Number(this.#value("Heartbeat"));
  }

  /** Where the local port is to be; its number is 0 where the settings leave it to the system. */
  get local(): { readonly port: number; readonly open: boolean } {
    const written = this.tree.stamp(`${MGT_PATH}LocatePort`) !== undefined;
    return {
      port: written ? Number(this.#value("LocatePort")) : this.settings.local.port,
      open: this.#value("Ability") === 0,
    };
  }

  /** Opens the local port as the tree says; where that port can't be had, as the settings say. */
  openLocal(local: MgtParts["local"], log: Log): void {
    const place = this.local, { port } = this.settings.local;
    try {
      local.place(place);
    } catch (error) {
      if (place.port === port) throw error;
      log.error("the local port is where the settings say: LocatePort can't be had", {
        port: place.port,
        reason: messageOf(error),
      });
      local.place({ ...place, port });
    }
  }

  /** Lets writes act on the running gateway. */
  bind(parts: MgtParts): Disposable {
    const stack = new DisposableStack();
    stack.use(this.tree.bind(MGT_PATH, { apply: (changes) => this.#apply(changes, parts) }));
    stack.use(
      this.tree.bind(`${MGT_PATH}LocatePort`, {
        read: () => this.tree.stamp(`${MGT_PATH}LocatePort`) ? undefined : parts.local.address.port,
      }),
    );
    let moving = false;
    for (const name of ["MgtURL", "Port"]) {
      stack.use(this.tree.watch(`${MGT_PATH}${name}`, () => {
        if (moving) return; // both in one write
        moving = true;
        queueMicrotask(() => {
          moving = false;
          void this.#moved(parts);
        });
      }));
    }
    return stack;
  }

  /** Follows RequestDistri: mode 0 names another distribution platform, which is kept here. */
  async follow(order: RequestDistri, parts: MgtParts): Promise<void> {
    const { mode, serverAddr: host, serverPort: port } = order;
    if (mode !== "0") return await parts.registration.follow(order);
    const same = formatHostPort({ host, port }) === formatHostPort(this.distribution);
    try {
      await this.tree.set({ [`${MGT_PATH}MgtURL`]: host, [`${MGT_PATH}Port`]: port }, {
        source: "app",
        by: "RequestDistri",
      });
      if (same) await this.#moved(parts); // nothing changed, and it is to begin anew all the same
    } catch (error) {
      parts.log.error("the platform's order to move could not be kept", { reason: messageOf(error) });
      await parts.registration.follow(order);
    }
  }

  async #moved({ forget, registration, log }: MgtParts): Promise<void> {
    const home = formatHostPort(this.distribution);
    log.info("this gateway belongs to another distribution platform", { home });
    await forget(home).catch((error) => {
      log.error("the state could not be kept", { reason: messageOf(error) });
    });
    registration.restart("distribution");
  }

  async #apply(changes: readonly ParameterChange[], { local, registration }: MgtParts): Promise<void> {
    const next = new Map(changes.map(({ name, value }) => [name.slice(MGT_PATH.length), value]));
    if (next.has("Ability") || next.has("LocatePort")) {
      local.place({
        port: Number(next.get("LocatePort") ?? this.local.port),
        open: (next.get("Ability") ?? this.#value("Ability")) === 0,
      });
    }
    const heartbeat = next.get("Heartbeat");
    if (typeof heartbeat === "number") await registration.heartbeatEvery(heartbeat);
  }

  #value(name: string): ParameterValue | undefined {
    return this.tree.peek(MGT_PATH + name);
  }
}

/**
 * What a gateway must remember: where it belongs, its DevRND, the interval, passwords, the factory plug-ins it got.
 *
 * @module
 */
import { join } from "@std/path";
import type { HostPort, Log, Random } from "../../base/mod.ts";
import { hex32, isHex32 } from "../../protocol/smart_gateway/mod.ts";
import { readJsonFile, writeJsonFile } from "./json_file.ts";

/** Alarms that a file may name: more than there are. */
const MOST_ALARMS = 64;

/** Everything in the file. */
export interface GatewayState {
  /** 32 upper-case hex digits; keys of triggers and the binding SN are made with it. */
  readonly devRnd: string;
  /** `host:port` of the distribution platform in the settings, under which the next two were learned. */
  readonly home: string | undefined;
  /** The operations platform that distribution, a redirect or RequestDistri named. */
  readonly operations: HostPort | undefined;
  /** Another distribution platform than the settings name, told by RequestDistri. */
  readonly distribution: HostPort | undefined;
  /** Seconds between heartbeats, as last told by a platform. */
  readonly intervalSeconds: number | undefined;
  /** Hashes, see `passwords.ts`. */
  readonly userPassword: string | undefined;
  readonly adminPassword: string | undefined;
  /** Versions of the shipped plug-ins that were put in place, by name: one that was removed stays removed. */
  readonly factoryPlugins: Readonly<Record<string, string>>;
  /** The own address towards the platform, as it was told last. */
  readonly wanAddress: string | undefined;
  /** Codes of the alarms that were raised and not cleared since. */
  readonly alarms: readonly string[];
}

/** The state in memory and on the disk. */
export class StateStore {
  #current: GatewayState;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #writes = 0;
  /** Whether the last write succeeded. */
  #kept = true;

  private constructor(private readonly path: string, initial: GatewayState) {
    this.#current = initial;
  }

  /**
   * Reads `<dataDir>/gateway.json`, or starts it. A file that can't be read is set aside, not lost. The first write
   * of a fresh one goes on behind: {@linkcode StateStore.flushed} tells whether it succeeded.
   */
  static async open(deps: { random: Random; log: Log }, dataDir: string): Promise<StateStore> {
    await Deno.mkdir(dataDir, { recursive: true });
    const path = join(dataDir, "gateway.json");
    const fresh = hex32(deps.random.bytes(16));
    let found: unknown;
    try {
      found = await readJsonFile(path);
    } catch (error) {
      const aside = `${path}.broken`;
      await Deno.rename(path, aside);
      deps.log.error("the state file could not be read: starting afresh", { path, aside, error });
    }
    const store = new StateStore(path, stateOf(found, fresh));
    if (store.get().devRnd === fresh) store.#write().catch(() => {});
    return store;
  }

  /** The state as it is now. */
  get(): GatewayState {
    return this.#current;
  }

  /** How often the file was written since it was opened: flash wears. */
  get writes(): number {
    return this.#writes;
  }

  /**
   * Changes it at once; resolves when the change is on the disk. Changes that wait for the disk share one write, and
   * what changes nothing is not written.
   */
  update(change: Partial<GatewayState>): Promise<void> {
    const next = { ...this.#current, ...change };
    const same = this.#kept && JSON.stringify(next) === JSON.stringify(this.#current);
    this.#current = next;
    if (same) return this.#next ?? this.#writing ?? Promise.resolve();
    return this.#write();
  }

  #write(): Promise<void> {
    this.#next ??= (this.#writing ?? Promise.resolve()).catch(() => {}).then(() => {
      this.#writing = this.#next!;
      this.#next = undefined;
      this.#writes++;
      this.#kept = true; // what comes during the write and is other than what it writes, is written after it
      return writeJsonFile(this.path, this.#current).catch((error) => {
        this.#kept = false;
        throw error;
      });
    });
    return this.#next;
  }

  /** Waits for what is being written; rejects where that fails. */
  async flushed(): Promise<void> {
    await (this.#next ?? this.#writing);
  }
}

/** Takes from a file what is fit; the rest starts afresh. */
function stateOf(value: unknown, devRnd: string): GatewayState {
  const source: Record<string, unknown> = typeof value === "object" && value !== null
    ? { __proto__: null, ...value }
    : {};
  const { factoryPlugins } = source;
  return {
    devRnd: typeof source["devRnd"] === "string" && isHex32(source["devRnd"]) ? source["devRnd"] : devRnd,
    home: textOf(source["home"]),
    operations: hostPortOf(source["operations"]),
    distribution: hostPortOf(source["distribution"]),
    intervalSeconds: typeof source["intervalSeconds"] === "number" && source["intervalSeconds"] > 0
      ? source["intervalSeconds"]
      : undefined,
    userPassword: textOf(source["userPassword"]),
    adminPassword: textOf(source["adminPassword"]),
    wanAddress: textOf(source["wanAddress"]),
    alarms: Array.isArray(source["alarms"])
      ? source["alarms"].filter((code) => typeof code === "string").slice(0, MOST_ALARMS)
      : [],
    factoryPlugins: Object.fromEntries(
      Object.entries(typeof factoryPlugins === "object" ? factoryPlugins ?? {} : {})
        .filter(([, version]) => typeof version === "string"),
    ),
  };
}

function hostPortOf(value: unknown): HostPort | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { host, port } = value as Record<string, unknown>;
  return typeof host === "string" && host !== "" && Number.isInteger(port) && Number(port) > 0 &&
      Number(port) < 65536
    ? { host, port: Number(port) }
    : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * OpenWrt, where it is OpenWrt: its network manager by `ubus`, its settings by `uci`.
 *
 * @module
 */
import * as v from "valibot";
import { DriverError } from "../errors.ts";
import type { Runner } from "./run.ts";

const ADDRESS = v.object({ address: v.string() });
const INTERFACE = v.object({
  interface: v.string(),
  up: v.boolean(),
  uptime: v.optional(v.number()),
  l3_device: v.optional(v.string()),
  device: v.optional(v.string()),
  proto: v.string(),
  "ipv4-address": v.optional(v.array(ADDRESS), []),
  "ipv6-address": v.optional(v.array(ADDRESS), []),
  route: v.optional(v.array(v.object({ target: v.string(), mask: v.number(), nexthop: v.string() })), []),
  "dns-server": v.optional(v.array(v.string()), []),
  errors: v.optional(
    v.array(v.object({ subsystem: v.optional(v.string()), code: v.optional(v.string()) })),
    [],
  ),
});
const DUMP = v.object({ interface: v.array(INTERFACE) });

/** A logical interface, as `ubus call network.interface dump` tells of it. */
export type OpenWrtInterface = v.InferOutput<typeof INTERFACE>;

/** A change of a setting: `{ set: "network.wan.peerdns", to: "0" }`. */
export type UciChange =
  | { readonly set: string; readonly to: string }
  | { readonly delete: string }
  | { readonly addTo: string; readonly value: string };

/** Speaks to it. */
export class OpenWrt {
  #absent = false;

  constructor(private readonly runner: Runner) {}

  /** The interfaces; undefined where this is no OpenWrt. @throws {DriverError} */
  async interfaces(): Promise<readonly OpenWrtInterface[] | undefined> {
    if (this.#absent) return undefined;
    let dump: unknown;
    try {
      dump = await this.runner.json("ubus", ["call", "network.interface", "dump"]);
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== "unsupported") throw error;
      // A machine does not become OpenWrt while we run.
      this.#absent = true;
      return undefined;
    }
    return parseDump(dump);
  }

  /** The interface towards the internet: that with the default route, else that called `wan`. */
  async wan(): Promise<OpenWrtInterface | undefined> {
    const all = await this.interfaces();
    return all?.find(hasDefaultRoute) ?? all?.find(({ interface: name }) => name === "wan");
  }

  /** Changes settings and brings them into force. The values go by standard input. @throws {DriverError} */
  async change(config: string, changes: readonly UciChange[]): Promise<void> {
    const lines = changes.map((change) => {
      if ("delete" in change) return `delete ${pathOf(change.delete)}`;
      return "set" in change
        ? `set ${pathOf(change.set)}=${quoted(change.to)}`
        : `add_list ${pathOf(change.addTo)}=${quoted(change.value)}`;
    });
    const { code, stderr } = await this.runner.run("uci", ["-q", "batch"], {
      input: [...lines, `commit ${config}`, ""].join("\n"),
    });
    if (code !== 0) throw new DriverError("failed", stderr === "" ? `uci ended with ${code}` : stderr);
    await this.runner.output("ubus", ["call", "network", "reload"]);
  }

  /** Takes an interface down and up again. @throws {DriverError} */
  async restart(name: string): Promise<void> {
    await this.runner.output("ubus", ["call", `network.interface.${pathOf(name)}`, "down"]);
    await this.runner.output("ubus", ["call", `network.interface.${pathOf(name)}`, "up"]);
  }
}

/** Reads a dump. @throws {DriverError} `failed` where it is none */
export function parseDump(dump: unknown): readonly OpenWrtInterface[] {
  const result = v.safeParse(DUMP, dump);
  if (!result.success) throw new DriverError("failed", "ubus answered no list of interfaces");
  return result.output.interface.slice(0, 64);
}

/** Whether what is for nobody else goes out there. */
export function hasDefaultRoute({ route }: OpenWrtInterface): boolean {
  return route.some(({ target, mask }) => mask === 0 && (target === "0.0.0.0" || target === "::"));
}

function pathOf(name: string): string {
  if (!/^[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+){0,2}$/.test(name)) {
    throw new DriverError("invalid", `not the name of a setting: "${name.slice(0, 64)}"`);
  }
  return name;
}

/** Between single quotes a line of `uci batch` takes everything but the quote itself. */
function quoted(value: string): string {
  if (/['\\]|\p{Cc}/u.test(value)) {
    throw new DriverError("invalid", "a setting can't hold quotes, backslashes or control characters");
  }
  return `'${value}'`;
}

/**
 * The name service of a Linux machine: OpenWrt's settings, or pieces of configuration for a dnsmasq that is given its
 * folder. A dnsmasq that does not start with a new piece gets the old one back.
 *
 * @module
 */
import { join } from "@std/path";
import { isIpAddress } from "../../../net/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import type { OpenWrt, Runner } from "../linux/mod.ts";
import { nameServers } from "../wan/mod.ts";
import type { NameServers, Redirection } from "./dns.ts";
import { redirectConf, serversConf, serversOf } from "./dnsmasq.ts";

/** A dnsmasq to configure. */
export interface Dnsmasq {
  /** Its `conf-dir`. */
  readonly dir: string;
  /** Makes it read its configuration anew, in words. */
  readonly reload: readonly string[];
}

const SERVERS = "gatehouse-servers.conf", REDIRECT = "gatehouse-redirect.conf";

/** What {@linkcode LinuxNameServers} works with. */
export interface LinuxNameServersOptions {
  readonly runner: Runner;
  readonly openWrt: OpenWrt;
  readonly dnsmasq?: Dnsmasq | undefined;
  readonly resolvFiles?: readonly string[] | undefined;
}

/** The {@linkcode NameServers} of Linux. */
export class LinuxNameServers implements NameServers {
  /** One change at a time: of two at once, one would bring back what the other replaced. */
  #turn: Promise<void> = Promise.resolve();

  constructor(private readonly options: LinuxNameServersOptions) {}

  async servers(): Promise<readonly string[]> {
    const { dnsmasq, openWrt, resolvFiles } = this.options;
    const own = dnsmasq && serversOf(await textOf(join(dnsmasq.dir, SERVERS)) ?? "");
    if (own && own.length > 0) return own;
    const managed = await openWrt.wan();
    const found = managed?.["dns-server"].filter(isIpAddress) ?? await nameServers(resolvFiles);
    if (found.length === 0) throw unsupported("this machine does not tell its name servers");
    return found;
  }

  async setServers(addresses: readonly string[]): Promise<void> {
    const bad = addresses.find((address) => !isIpAddress(address));
    if (bad !== undefined) throw new DriverError("invalid", `not an IP address: "${bad.slice(0, 64)}"`);
    const { dnsmasq, openWrt } = this.options;
    if (dnsmasq) return await this.#replace(SERVERS, serversConf(addresses));
    const wan = await openWrt.wan();
    if (!wan) throw noDnsmasq();
    const path = `network.${wan.interface}`;
    await openWrt.change("network", [
      { set: `${path}.peerdns`, to: addresses.length > 0 ? "0" : "1" },
      // Set before it is deleted: deleting what is not there fails.
      { set: `${path}.dns`, to: "" },
      { delete: `${path}.dns` },
      ...addresses.map((value) => ({ addTo: `${path}.dns`, value })),
    ]);
  }

  async redirect(redirections: readonly Redirection[]): Promise<void> {
    if (!this.options.dnsmasq) throw noDnsmasq();
    await this.#replace(REDIRECT, redirectConf(redirections));
  }

  #replace(name: string, text: string): Promise<void> {
    const done = this.#turn.then(() => this.#write(name, text));
    this.#turn = done.catch(() => {});
    return done;
  }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.options.dnsmasq!.dir, name), before = await textOf(path);
    if ((before ?? "") === text) return;
    await put(path, text);
    try {
      await this.#reload();
    } catch (error) {
      await put(path, before ?? "");
      await this.#reload().catch(() => {});
      throw error;
    }
  }

  async #reload(): Promise<void> {
    const [program, ...args] = this.options.dnsmasq!.reload;
    await this.options.runner.output(program!, args, { timeoutMs: 20_000 });
  }
}

function noDnsmasq(): DriverError {
  return unsupported("this gateway has no dnsmasq to configure: set --dnsmasq-dir");
}

async function textOf(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch(() => undefined);
}

/** Whole or not at all. The name of the one beside it has an ending that dnsmasq does not read. */
async function put(path: string, text: string): Promise<void> {
  try {
    if (text === "") return await Deno.remove(path).catch(() => {});
    const beside = path.replace(/[^/]*$/, (name) => `.${name}.new`);
    await Deno.writeTextFile(beside, text);
    await Deno.rename(beside, path);
  } catch (cause) {
    throw new DriverError("failed", "the dnsmasq folder can't be written", { cause });
  }
}

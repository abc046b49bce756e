/**
 * The name servers of the house: in the parameter tree, shared by all who may set them (the last writer wins), and in
 * the machine.
 *
 * @module
 */
import { type Log, messageOf } from "../../base/mod.ts";
import type { NameServers } from "../driver/mod.ts";
import type { ParameterTree, Writer } from "../parameters/mod.ts";

const NAME = "InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.DNSServers";
const TEMPLATE = "InternetGatewayDevice.LANDevice.{i}.LANHostConfigManagement.DNSServers";

/** What {@linkcode NameServerSetting} works with. */
export interface NameServerOptions {
  readonly log: Log;
  readonly dns: NameServers;
  readonly tree: ParameterTree;
}

/** Ties the tree to the machine, and brings what was written earlier into force again. */
export class NameServerSetting implements AsyncDisposable {
  readonly #binding: Disposable;
  readonly #begun: Promise<void>;

  constructor(private readonly options: NameServerOptions) {
    const { dns, tree } = options;
    this.#binding = tree.bind(TEMPLATE, {
      read: async () => (await dns.servers().catch(() => undefined))?.join(","),
      apply: async (changes) => await dns.setServers(addressesOf(changes.at(-1)?.value)),
    });
    this.#begun = this.#begin();
  }

  /** Asks these from now on; none: those that the connection tells. Throws ParameterError. */
  async set(addresses: readonly string[], writer: Writer): Promise<void> {
    await this.#begun;
    await this.options.tree.set({ [NAME]: addresses.join(",") }, writer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#binding[Symbol.dispose]();
    await this.#begun;
  }

  /** Most machines remember them by themselves: those are left alone, since a change costs them a moment. */
  async #begin(): Promise<void> {
    const { dns, tree, log } = this.options;
    const wanted = addressesOf(tree.peek(NAME));
    if (tree.stamp(NAME) === undefined || wanted.length === 0) return;
    try {
      const now = await dns.servers().catch(() => []);
      if (now.join() !== wanted.join()) await dns.setServers(wanted);
    } catch (error) {
      log.warn("the name servers could not be brought into force again", { reason: messageOf(error) });
    }
  }
}

function addressesOf(value: unknown): string[] {
  return typeof value === "string"
    ? value.split(",").map((one) => one.trim()).filter((one) => one !== "")
    : [];
}

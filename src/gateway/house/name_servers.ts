/**
 * The name servers of the house: in the parameter tree, shared by all who may set them (the last writer wins), and in
 * the machine.
 *
 * @module
 */
import type { Clock, Log } from "../../base/mod.ts";
import type { NameServers } from "../driver/mod.ts";
import type { ParameterTree, Writer } from "../parameters/mod.ts";
import { UntilDone } from "./until_done.ts";

const NAME = "InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.DNSServers";
const TEMPLATE = "InternetGatewayDevice.LANDevice.{i}.LANHostConfigManagement.DNSServers";

/** What {@linkcode NameServerSetting} works with. */
export interface NameServerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly dns: NameServers;
  readonly tree: ParameterTree;
}

/** Ties the tree to the machine, and brings what was written earlier into force again. */
export class NameServerSetting implements AsyncDisposable {
  readonly #binding: Disposable;
  readonly #force: UntilDone;
  /** What is to be in force: what a write brought there counts before the tree has it. */
  #wanted: readonly string[];

  constructor(private readonly options: NameServerOptions) {
    const { clock, log, dns, tree } = options;
    this.#wanted = tree.stamp(NAME) === undefined ? [] : addressesOf(tree.peek(NAME));
    this.#force = new UntilDone({ clock, log, what: "name servers", work: () => this.#begin() });
    this.#binding = tree.bind(TEMPLATE, {
      read: async () => (await dns.servers().catch(() => undefined))?.join(","),
      apply: async (changes) => {
        const wanted = addressesOf(changes.at(-1)?.value);
        await this.#force.replace(async () => {
          await dns.setServers(wanted);
          this.#wanted = wanted;
        });
      },
    });
    if (this.#wanted.length > 0) void this.#force.begin();
  }

  /** Asks these from now on; none: those that the connection tells. Throws ParameterError. */
  async set(addresses: readonly string[], writer: Writer): Promise<void> {
    await this.options.tree.set({ [NAME]: addresses.join(",") }, writer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#binding[Symbol.dispose]();
    await this.#force[Symbol.asyncDispose]();
  }

  /** Most machines remember them by themselves: those are left alone, since a change costs them a moment. */
  async #begin(): Promise<void> {
    const { dns } = this.options, wanted = this.#wanted;
    const now = await dns.servers().catch(() => []);
    if (now.join() !== wanted.join()) await dns.setServers(wanted);
  }
}

function addressesOf(value: unknown): string[] {
  return typeof value === "string"
    ? value.split(",").map((one) => one.trim()).filter((one) => one !== "")
    : [];
}

/**
 * Names that lead where the phone app says: the rules are kept in the parameter tree and brought into force whenever
 * they change, whoever changed them.
 *
 * @module
 */
import { type Log, messageOf } from "../../base/mod.ts";
import type { NameServers, Redirection } from "../driver/mod.ts";
import type { ParameterTree, Writer } from "../parameters/mod.ts";

const PATH = "InternetGatewayDevice.X_GATEHOUSE_DNSRedirect.";

/** What {@linkcode DnsRedirect} works with. */
export interface DnsRedirectOptions {
  readonly log: Log;
  readonly dns: NameServers;
  readonly tree: ParameterTree;
}

/** Keeps machine and tree the same. */
export class DnsRedirect implements AsyncDisposable {
  readonly #watch: Disposable;
  #working: Promise<void> = Promise.resolve();
  #asked = false;

  constructor(private readonly options: DnsRedirectOptions) {
    this.#watch = options.tree.watch(PATH, () => this.#soon());
    if (this.get().length > 0) this.#soon();
  }

  /** The rules in force. */
  get(): readonly Redirection[] {
    const { tree } = this.options;
    if (tree.peek(`${PATH}Enable`) !== true) return [];
    return tree.instances(`${PATH}Rule.`).map((row) => ({
      name: String(tree.peek(`${PATH}Rule.${row}.Domain`) ?? "").toLowerCase(),
      address: String(tree.peek(`${PATH}Rule.${row}.Address`) ?? ""),
    })).filter(({ name, address }) => name !== "" && address !== "");
  }

  /**
   * Replaces the rules, that came from `url`; none: nothing is redirected. Resolves when they are in force and on the
   * disk. Throws DriverError where the machine refuses them, ParameterError.
   */
  async set(rules: readonly Redirection[], url: string, writer: Writer): Promise<void> {
    const { dns, tree } = this.options, before = this.get();
    // First the machine: what it refuses is not written down.
    await dns.redirect(rules);
    try {
      await tree.replace(
        `${PATH}Rule.`,
        rules.map(({ name, address }) => ({ Domain: name, Address: address })),
        writer,
        { [`${PATH}Enable`]: rules.length > 0, [`${PATH}URL`]: url },
      );
    } catch (error) {
      await dns.redirect(before).catch(() => {});
      throw error;
    }
    await this.#working;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#working;
  }

  /** Many changes at once are one. */
  #soon(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#working = this.#working.then(async () => {
      this.#asked = false;
      try {
        await this.options.dns.redirect(this.get());
      } catch (error) {
        this.options.log.warn("names could not be redirected", { reason: messageOf(error) });
      }
    });
  }
}

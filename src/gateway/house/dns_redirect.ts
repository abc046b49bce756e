/**
 * Names that lead where the phone app says: the rules are kept in the parameter tree and brought into force before they
 * are, whoever writes them.
 *
 * @module
 */
import type { Clock, Log } from "../../base/mod.ts";
import { DriverError, type NameServers, type Redirection } from "../driver/mod.ts";
import type { ParameterChange, ParameterTree, ParameterValue, Writer } from "../parameters/mod.ts";
import { UntilDone } from "./until_done.ts";

const PATH = "InternetGatewayDevice.X_GATEHOUSE_DNSRedirect.";
const TABLE = `${PATH}Rule.`;

/** What {@linkcode DnsRedirect} works with. */
export interface DnsRedirectOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly dns: NameServers;
  readonly tree: ParameterTree;
}

/** Keeps machine and tree the same. */
export class DnsRedirect implements AsyncDisposable {
  readonly #binding: Disposable;
  readonly #force: UntilDone;
  /** What is to be in force: what a write brought there counts before the tree has it. */
  #rules: readonly Redirection[];

  constructor(private readonly options: DnsRedirectOptions) {
    const { clock, log, dns, tree } = options;
    this.#rules = this.get();
    this.#force = new UntilDone({
      clock,
      log,
      what: "redirection of names",
      work: () => dns.redirect(this.#rules),
    });
    this.#binding = tree.bind(PATH, { apply: (changes) => this.#apply(changes) });
    if (this.#rules.length > 0) void this.#force.begin();
  }

  /** The rules in force. */
  get(): readonly Redirection[] {
    return this.#rulesAfter([]);
  }

  /**
   * Replaces the rules, that came from `url`; none: nothing is redirected. Resolves when they are in force and on the
   * disk. Throws ParameterError, `apply` where the machine refuses them; DriverError where it redirects nothing at all.
   */
  async set(rules: readonly Redirection[], url: string, writer: Writer): Promise<void> {
    if (rules.length === 0 && this.#rules.length === 0) await this.options.dns.redirect([]);
    await this.options.tree.replace(
      TABLE,
      rules.map(({ name, address }) => ({ Domain: name, Address: address })),
      writer,
      { [`${PATH}Enable`]: rules.length > 0, [`${PATH}URL`]: url },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#binding[Symbol.dispose]();
    await this.#force[Symbol.asyncDispose]();
  }

  async #apply(changes: readonly ParameterChange[]): Promise<void> {
    const rules = this.#rulesAfter(changes);
    // What is so already, or is being tried, does not disturb the name service.
    if (JSON.stringify(rules) === JSON.stringify(this.#rules)) return;
    await this.#force.replace(async () => {
      await this.options.dns.redirect(rules).catch((error) => {
        // Where there is no name service, nothing is redirected.
        if (rules.length > 0 || !(error instanceof DriverError && error.code === "unsupported")) throw error;
      });
      this.#rules = rules;
    });
  }

  /** The rules as they are once these changes are made. */
  #rulesAfter(changes: readonly ParameterChange[]): Redirection[] {
    const { tree } = this.options, values = new Map<string, ParameterValue | undefined>();
    const rows = new Set(tree.instances(TABLE));
    for (const { kind, name, indices, value } of changes) {
      if (kind === "add") rows.add(indices[0]!);
      else if (kind === "remove") rows.delete(indices[0]!);
      else values.set(name, value);
    }
    const old = new Set(tree.instances(TABLE));
    const text = (row: number, part: string) => {
      const name = `${TABLE}${row}.${part}`;
      return String((values.has(name) ? values.get(name) : old.has(row) ? tree.peek(name) : undefined) ?? "");
    };
    const enable = `${PATH}Enable`;
    if ((values.has(enable) ? values.get(enable) : tree.peek(enable)) !== true) return [];
    return [...rows].sort((a, b) => a - b)
      .map((row) => ({ name: text(row, "Domain").toLowerCase(), address: text(row, "Address") }))
      .filter(({ name, address }) => name !== "" && address !== "");
  }
}

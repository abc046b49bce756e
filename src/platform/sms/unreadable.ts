/**
 * Kept things that can't be read: under another key, or changed. They are left where they are and told of; they must
 * not stop all others.
 *
 * @module
 */
import { type Deps, messageOf } from "../../base/mod.ts";

/** Names remembered, so that each is told of once. */
const MOST = 10_000;

/** Counts what can't be read. */
export class Unreadable {
  readonly #known = new Set<string>();
  readonly #counter;

  constructor(private readonly deps: Pick<Deps, "log" | "metrics">) {
    this.#counter = deps.metrics.counter(
      "gatehouse_sms_unreadable_total",
      "Kept messages and reports that could not be read",
    );
  }

  /** How many there are, up to 10,000. */
  get size(): number {
    return this.#known.size;
  }

  /** What `read` gives; undefined where it throws. `name` tells it from all others. */
  read<T>(name: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (this.#known.has(name) || this.#known.size >= MOST) return undefined;
      this.#known.add(name);
      this.#counter.inc();
      this.deps.log.error("what was kept can't be read", { what: name, error: messageOf(error) });
      return undefined;
    }
  }
}

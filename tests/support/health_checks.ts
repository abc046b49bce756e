/**
 * Looks after nodes as a balancer does: one that does not answer twice in a row is out, and whoever waits for it is
 * told so at once; one that says that it is stopping is out too, and what it has begun it ends.
 *
 * @module
 */
import type { Nodes } from "./nodes.ts";

/** Milliseconds between two looks, and for an answer. */
const EACH_MS = 500, ANSWER_MS = 1000;
/** Looks in a row without an answer after which a node is out. */
const FALL = 2;

interface Seen {
  misses: number;
  stopping: boolean;
  silent: AbortController;
}

/** Looks until `over` is aborted, or it is disposed of. */
export class HealthChecks implements AsyncDisposable {
  readonly #seen: Seen[];
  readonly #end = new AbortController();
  readonly #over: AbortSignal;
  readonly #looking: Promise<unknown>;

  constructor(private readonly nodes: Nodes, over: AbortSignal) {
    this.#over = AbortSignal.any([over, this.#end.signal]);
    this.#seen = nodes.all.map(() => ({ misses: 0, stopping: false, silent: new AbortController() }));
    this.#looking = Promise.all(nodes.all.map((_, i) => this.#watch(i)));
  }

  /** Whether new requests had better go to another node. */
  out(i: number): boolean {
    const { misses, stopping } = this.#seen[i]!;
    return stopping || misses >= FALL;
  }

  /** Aborted once the node is silent: requests to it are to be cut off. */
  silent(i: number): AbortSignal {
    return this.#seen[i]!.silent.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#looking;
  }

  async #watch(i: number): Promise<void> {
    const seen = this.#seen[i]!, signal = this.#over;
    while (!signal.aborted) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
      const answer = await this.nodes.call(i, "GET", "/healthz", undefined, limit).catch(() => undefined);
      seen.stopping = answer?.body.code === "stopping";
      seen.misses = answer ? 0 : seen.misses + 1;
      if (seen.misses === FALL) seen.silent.abort(new Error("the node is silent"));
      if (answer && seen.silent.signal.aborted) seen.silent = new AbortController();
      await new Promise<void>((resolve) => {
        const done = () => (clearTimeout(timer), signal.removeEventListener("abort", done), resolve());
        const timer = setTimeout(done, EACH_MS);
        signal.addEventListener("abort", done);
      });
    }
  }
}

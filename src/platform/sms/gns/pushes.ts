/**
 * Telling gateways what changed: every change in its order, to each of them until it has it (clauses 8.6.9, 8.6.10).
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../../base/mod.ts";
import type { Network } from "../../../net/mod.ts";
import { GnsResult } from "./codes.ts";
import type { GnsChangeRow } from "./schema.ts";
import { pushOf } from "./questions.ts";
import { ShortCall, ShortLinkError, type ShortTimes } from "./short_link.ts";
import type { GnsGateway, GnsStore } from "./store.ts";

/** Changes told on one connection. */
const PAGE = 100;
/** Waits before a gateway that could not be told is tried again: the first, and the longest, in milliseconds. */
const FIRST_WAIT_MS = 1_000, LONGEST_WAIT_MS = 60_000;
/** How often a gateway may refuse a change: then it is left out, so that those behind it are told. */
const MOST_REFUSALS = 10;
/** What a gateway says where it has the change, or something newer. */
const HAS_IT: ReadonlySet<number> = new Set([GnsResult.ok, GnsResult.olderTimeStamp]);

/** Tells them. */
export class Pushes implements AsyncDisposable {
  readonly #working = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, Timer>();
  readonly #again = new Set<string>();
  /** How often the change that a gateway was last told was refused by it. */
  readonly #refusals = new Map<string, { change: number; times: number }>();
  readonly #stop = new AbortController();

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    private readonly network: Pick<Network, "connect">,
    private readonly store: GnsStore,
    /** The name server's own code. */
    private readonly code: string,
    private readonly times: ShortTimes,
  ) {}

  /** There may be something to tell. */
  wake(): void {
    for (const { code, address } of this.store.gateways()) if (address) this.#begin(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers.values()) timer.cancel();
    await Promise.all(this.#working.values());
  }

  #begin(code: string): void {
    if (this.#stop.signal.aborted) return;
    if (this.#working.has(code)) return void this.#again.add(code);
    this.#timers.get(code)?.cancel();
    this.#timers.delete(code);
    this.#working.set(
      code,
      this.#tell(code).finally(() => this.#working.delete(code)).then((done) => {
        if (!done) this.#later(code);
        else if (this.#again.delete(code)) this.#begin(code);
      }),
    );
  }

  #later(code: string): void {
    if (this.#stop.signal.aborted) return;
    const failures = (this.#failures.get(code) ?? 0) + 1;
    this.#failures.set(code, failures);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10));
    this.#timers.set(code, this.deps.clock.setTimer(() => this.#begin(code), wait));
  }

  /** Tells one gateway all that it has not been told; false where it must be tried again. */
  async #tell(code: string): Promise<boolean> {
    try {
      while (!this.#stop.signal.aborted) {
        const gateway = this.store.gateway(code);
        if (!gateway?.address) return true;
        const changes = await this.store.changes("valid", PAGE, gateway.told);
        if (changes.length === 0) {
          this.#failures.delete(code);
          return true;
        }
        if (!await this.#tellPage(gateway, changes)) return false;
      }
      return true;
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.deps.log.debug("a gateway could not be told of routes", { code, error: messageOf(error) });
        this.#count("unreachable");
      }
      return false;
    }
  }

  async #tellPage(gateway: GnsGateway, changes: readonly GnsChangeRow[]): Promise<boolean> {
    const own = { code: this.code, secret: gateway.secret, version: gateway.version };
    await using call = await ShortCall.open(
      this.deps,
      this.network,
      gateway.address!,
      own,
      this.times,
      this.#stop.signal,
    );
    for (const change of changes) {
      const question = pushOf(change, call.dialect);
      if (!question) {
        this.#count("unsayable");
        await this.store.told(gateway, change.id);
        continue;
      }
      const answer = await call.ask(question);
      if (!("Result" in answer)) {
        throw new ShortLinkError("lost", `a push was answered with ${answer.command}`);
      }
      this.#count(String(answer.Result));
      if (!HAS_IT.has(answer.Result)) {
        const givenUp = answer.Result !== GnsResult.busy && this.#refused(gateway.code, change.id);
        this.deps.log.warn("a gateway did not take a route", {
          code: gateway.code,
          routeId: change.route_id,
          result: answer.Result,
          givenUp,
        });
        if (!givenUp) return false;
        this.#count("given_up");
      }
      await this.store.told(gateway, change.id);
    }
    return true;
  }

  /** Whether a change was refused so often that it is left out. */
  #refused(code: string, change: number): boolean {
    const before = this.#refusals.get(code), times = before?.change === change ? before.times + 1 : 1;
    this.#refusals.set(code, { change, times });
    return times >= MOST_REFUSALS;
  }

  #count(outcome: string): void {
    this.deps.metrics.counter("gatehouse_gns_pushes_total", "Changes told to gateways", { outcome }).inc();
  }
}

/**
 * The webhooks that are enabled, in memory: an event that none of them wants costs a look into a set.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { WebhookRow } from "./schema.ts";
import type { WebhookStore } from "./store.ts";

/** An enabled webhook. */
export interface Hook {
  readonly row: WebhookRow;
  readonly events: ReadonlySet<string>;
  readonly groups: readonly string[] | null;
}

/** Among several nodes: how often the rows are read, since word of a change may be lost between them. */
const REREAD_MS = 10_000;

/** What keeping them leans on. */
export interface HooksParts {
  readonly deps: Pick<Deps, "clock" | "log">;
  readonly bus: Pick<PlatformBus, "publish" | "subscribe">;
  readonly store: Pick<WebhookStore, "all">;
  /** There are several nodes. */
  readonly shared: boolean;
}

/** The enabled webhooks by id, as of the last change on any node. */
export class Hooks implements AsyncDisposable {
  #all: ReadonlyMap<string, Hook> = new Map();
  #wanted: ReadonlySet<string> = new Set();
  #reading: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #stopped = false;
  readonly #subscription: Disposable;
  readonly #onChange: (() => void)[] = [];

  private constructor(private readonly parts: HooksParts) {
    this.#subscription = parts.bus.subscribe("webhook.changed", (_, from) => void (from && this.reload()));
    this.#schedule();
  }

  /** Reads them for the first time. */
  static async open(parts: HooksParts): Promise<Hooks> {
    const hooks = new Hooks(parts);
    await hooks.reload();
    return hooks;
  }

  get all(): Iterable<Hook> {
    return this.#all.values();
  }

  get size(): number {
    return this.#all.size;
  }

  get(id: string): Hook | undefined {
    return this.#all.get(id);
  }

  /** Whether any of them hears of that type. */
  want(type: string): boolean {
    return this.#wanted.has(type);
  }

  /** Calls `handler` after each reading. */
  onChange(handler: () => void): void {
    this.#onChange.push(handler);
  }

  /** A row was changed on this node: it counts here once this resolves, and elsewhere soon. */
  async changed(id: string): Promise<void> {
    await this.reload();
    this.parts.bus.publish("webhook.changed", { id });
  }

  /** Reads the rows. What can't be read stays as it was until it can. */
  reload(): Promise<void> {
    return this.#reading = this.#reading.then(async () => {
      if (this.#stopped) return;
      const rows = await this.parts.store.all();
      const all = new Map<string, Hook>();
      for (const row of rows) {
        if (row.enabled !== 1) continue;
        const groups = row.groups === null ? null : JSON.parse(row.groups);
        all.set(row.id, { row, events: new Set(JSON.parse(row.events)), groups });
      }
      this.#all = all;
      this.#wanted = new Set([...all.values()].flatMap(({ events }) => [...events]));
      for (const handler of this.#onChange) handler();
    }).catch((error) => this.#failed(error));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#subscription[Symbol.dispose]();
    await this.#reading;
  }

  #failed(error: unknown): void {
    this.parts.deps.log.warn("webhooks could not be read, trying again", { error: messageOf(error) });
    if (!this.parts.shared) this.#schedule(true);
  }

  #schedule(once = false): void {
    if (this.#stopped || !(this.parts.shared || once)) return;
    this.#timer?.cancel();
    this.#timer = this.parts.deps.clock.setTimer(() => {
      void this.reload().then(() => this.#schedule());
    }, REREAD_MS);
  }
}

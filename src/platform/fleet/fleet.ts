/**
 * Who may see which gateways, and finding many of them: filters, groups, tags, what was seen, and histories in one.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Clock, type Log, messageOf, type Timer } from "../../base/mod.ts";
import { type Principal, problem } from "../../control/mod.ts";
import type { CommandStore, GatewayRow, GatewayStore } from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import { type Filter, parseFilter } from "./filter.ts";
import { GroupStore } from "./groups.ts";
import { HistoryStore } from "./history.ts";
import type { FleetTables, HistoryKind } from "./schema.ts";
import { beginning } from "./search.ts";
import { SeenStore } from "./seen.ts";
import { TagStore } from "./tags.ts";

/** How long histories and removed gateways are kept. */
const HISTORY_MS = 90 * 86_400_000;
const REMOVED_MS = 30 * 86_400_000;
const HOUR_MS = 3_600_000;

/** What the fleet leans on. */
export interface FleetDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: Pick<PlatformBus, "subscribe">;
  readonly gateways: GatewayStore;
  readonly commands: Pick<CommandStore, "find">;
  readonly sql: Kysely<FleetTables>;
}

/** The fleet. Dispose of it to stop its watching. */
export class Fleet implements AsyncDisposable {
  readonly groups: GroupStore;
  readonly tags: TagStore;
  readonly history: HistoryStore;
  readonly seen: SeenStore;
  readonly #work = new Set<Promise<unknown>>();
  #timer: Timer | undefined;
  #stopped = false;
  readonly #subscriptions: Disposable[] = [];

  constructor(private readonly deps: FleetDeps) {
    const { sql, clock, bus } = deps;
    this.groups = new GroupStore(sql, clock);
    this.tags = new TagStore(sql);
    this.history = new HistoryStore(sql, clock);
    this.seen = new SeenStore(sql, clock);
    this.#subscriptions.push(
      // What happened on another node is noted there.
      bus.subscribe("presence.changed", ({ mac, online }, from) => {
        if (!from) this.note(mac, online ? "online" : "offline");
      }),
      bus.subscribe("gateway.registered", ({ mac, ...detail }, from) => {
        if (!from) this.note(mac, "registered", detail);
      }),
      bus.subscribe("gateway.reset", ({ mac }, from) => {
        if (!from) this.note(mac, "reset");
      }),
      bus.subscribe("binding.changed", ({ mac, userId, bound }, from) => {
        if (!from) this.note(mac, bound ? "bound" : "unbound", { user: userId });
      }),
      bus.subscribe("command.changed", ({ id, status }, from) => {
        if (!from && status === "succeeded") this.#behind(this.#learn(id));
      }),
    );
    this.#schedule();
  }

  /** The gateways that somebody may see; undefined: all. */
  async scopeOf(principal: Pick<Principal, "groups">): Promise<Filter | undefined> {
    return principal.groups && await this.groups.membersOf(principal.groups);
  }

  /**
   * What `text` finds among the gateways that somebody may see; undefined: all there are.
   *
   * @throws {FilterError}
   */
  async find(principal: Pick<Principal, "groups">, text: string | undefined): Promise<Filter | undefined> {
    const scope = await this.scopeOf(principal);
    if (text === undefined || text.trim() === "") return scope;
    const wanted = parseFilter(text, this.deps.clock.now());
    return scope ? (eb) => eb.and([scope(eb), wanted(eb)]) : wanted;
  }

  /** What the search field finds: see {@linkcode beginning}. */
  beginning(text: string): Promise<Filter> {
    return beginning(this.deps.sql, text);
  }

  /**
   * The gateway of that MAC, for somebody who may see it.
   *
   * @throws {ProblemError} 404 `gateway_not_found`, the same for one that they may not see
   */
  async gateway(principal: Pick<Principal, "groups">, mac: string): Promise<GatewayRow> {
    const row = await this.deps.gateways.find(mac);
    if (row && await this.#within(principal, mac)) return row;
    throw problem(404, "gateway_not_found", `no gateway with MAC ${mac} is preset`);
  }

  /** Whether somebody may see that gateway. */
  async #within(principal: Pick<Principal, "groups">, mac: string): Promise<boolean> {
    const scope = await this.scopeOf(principal);
    if (!scope) return true;
    const row = await this.deps.sql.selectFrom("gateway").select("mac").where("mac", "=", mac)
      .where((eb) => scope(eb)).executeTakeFirst();
    return row !== undefined;
  }

  /** How many gateways a filter finds; undefined: all. */
  async count(filter: Filter | undefined): Promise<number> {
    let select = this.deps.sql.selectFrom("gateway").select((e) => e.fn.countAll<number>().as("count"))
      .where("deleted_at", "is", null);
    if (filter) select = select.where((eb) => filter(eb));
    return Number((await select.executeTakeFirstOrThrow()).count);
  }

  /** The MACs that a filter finds, in order, from behind `after`. */
  async macs(filter: Filter | undefined, limit: number, after = ""): Promise<string[]> {
    let select = this.deps.sql.selectFrom("gateway").select("mac").where("deleted_at", "is", null)
      .where("mac", ">", after).orderBy("mac").limit(limit);
    if (filter) select = select.where((eb) => filter(eb));
    return (await select.execute()).map(({ mac }) => mac);
  }

  /** Notes something in a gateway's history, behind whatever goes on. */
  note(mac: string, kind: HistoryKind, detail?: Readonly<Record<string, unknown>>): void {
    this.#behind(this.history.note(mac, kind, detail));
  }

  async #learn(id: string): Promise<void> {
    const command = await this.deps.commands.find(id);
    if (command?.status !== "succeeded") return;
    for (const change of await this.seen.learn(command)) this.note(command.mac, "plugin", { ...change });
  }

  #behind(work: Promise<unknown>): void {
    const guarded = work.catch((error) =>
      this.deps.log.warn("the fleet's records lack something", { error: messageOf(error) })
    ).finally(() => this.#work.delete(guarded));
    this.#work.add(guarded);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.deps.clock.setTimer(() => {
      const now = this.deps.clock.now();
      this.#behind(Promise.all([
        this.history.forget(now - HISTORY_MS),
        this.deps.gateways.purge(now - REMOVED_MS),
      ]));
      this.#schedule();
    }, HOUR_MS);
  }

  /** Waits for everything that is being noted. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.settled();
  }
}

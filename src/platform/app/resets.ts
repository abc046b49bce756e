/**
 * Gateways that go back to their factory presets go to another home, or might: whoever owned one owns it no longer.
 *
 * Three things tell of it. A gateway was told to begin anew (result 3 of a Boot) or says that it was reset (by its
 * button): both are kept in `gateway_reset` before anybody is answered. And a `HG_LOCAL_RECOVERY` was sent to it: that
 * is on the command's row. So nothing is lost where the platform goes down, or its database is away for a while.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, messageOf, sleep, type Timer } from "../../base/mod.ts";
import type { CommandRow, GatewayStore } from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { AppTables } from "./schema.ts";

/** The command that restores a gateway's factory presets (reference §7). */
const RECOVERY = "HG_LOCAL_RECOVERY";
/** How often what did not work is tried again, and how often all commands are looked at. */
const AGAIN_MS = 30_000, ALL_MS = 3_600_000;
const PAGE = 200, REST_MS = 10, MAX_ENDED = 100_000;

/** What the watch leans on. */
export interface ResetDeps extends Pick<Deps, "clock" | "log" | "metrics"> {
  readonly bus: Pick<PlatformBus, "subscribe">;
  readonly gateways: Pick<GatewayStore, "resets" | "resetDone">;
  readonly sql: Kysely<AppTables>;
  /** Ends the binding of a gateway that was bound by `at`; false where there is none. */
  unbind(mac: string, at: number): Promise<boolean>;
}

type Told = Pick<CommandRow, "id" | "mac" | "kind" | "parameter" | "status" | "error_code" | "sent_at">;

/** Ends bindings of gateways that were reset. Dispose of it to stop. */
export class ResetWatch implements AsyncDisposable {
  readonly #subscriptions: Disposable[];
  /** Commands that ended, and were not looked at yet. */
  readonly #ended = new Set<string>();
  #lookedAt = -Infinity;
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(private readonly deps: ResetDeps) {
    const { bus } = deps;
    this.#subscriptions = [
      // What happened on another node is seen to there.
      bus.subscribe("gateway.reset", (_, from) => void (from ?? this.#look())),
      bus.subscribe("command.changed", ({ id, status }, from) => {
        if (from || !(status === "succeeded" || status === "failed" || status === "timed_out")) return;
        if (this.#ended.size < MAX_ENDED) this.#ended.add(id);
        else this.#lookedAt = -Infinity; // all of them are looked at
        this.#look();
      }),
    ];
    this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#working;
  }

  /** Looks now, or once more after the look that goes on. */
  #look(): void {
    if (this.#stopped) return;
    if (this.#working) return void (this.#again = true);
    this.#timer?.cancel();
    this.#again = false;
    this.#working = this.#work().catch((error) => {
      this.deps.metrics.counter(
        "gatehouse_app_resets_failed_total",
        "Looks for gateways that were reset that failed, and are tried again",
      ).inc();
      this.deps.log.error("gateways may have been reset and not unbound yet", { error: messageOf(error) });
    }).finally(() => {
      this.#working = undefined;
      if (this.#again) return this.#look();
      if (!this.#stopped) this.#timer = this.deps.clock.setTimer(() => this.#look(), AGAIN_MS);
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      const rows = await this.deps.gateways.resets(PAGE);
      for (const { mac, at } of rows) {
        await this.deps.unbind(mac, at);
        await this.deps.gateways.resetDone(mac, at);
      }
      if (rows.length < PAGE) break;
    }
    const { clock, sql: db } = this.deps;
    if (clock.monotonic() - this.#lookedAt >= ALL_MS) {
      this.#lookedAt = clock.monotonic();
      try {
        await this.#all();
      } catch (error) {
        this.#lookedAt = -Infinity;
        throw error;
      }
    }
    const ids = [...this.#ended].slice(0, PAGE);
    if (ids.length === 0) return;
    await this.#ofCommands(await told(db).where("command.id", "in", ids).execute());
    for (const id of ids) this.#ended.delete(id);
    if (this.#ended.size > 0) this.#again = true;
  }

  /** Looks at every binding, a page at a time, with rests in between so that nobody waits for it. */
  async #all(): Promise<void> {
    const { clock, sql: db } = this.deps;
    for (let after = ""; !this.#stopped;) {
      const page = await db.selectFrom("app_binding").select("mac").where("mac", ">", after).orderBy("mac")
        .limit(PAGE).execute();
      const last = page.at(-1)?.mac;
      if (last === undefined) return;
      await this.#ofCommands(
        await told(db).where("app_binding.mac", ">", after).where("app_binding.mac", "<=", last).execute(),
      );
      if (page.length < PAGE) return;
      after = last;
      await sleep(clock, REST_MS);
    }
  }

  async #ofCommands(commands: readonly Told[]): Promise<void> {
    for (const { mac, parameter, sent_at } of commands) {
      const { CmdType } = JSON.parse(parameter) as { CmdType?: unknown };
      if (CmdType === RECOVERY && sent_at !== null) await this.deps.unbind(mac, sent_at);
    }
  }
}

/** Recoveries that a gateway carried out, or may have, since it was bound: one that reboots at once never answers. */
function told(db: Kysely<AppTables>) {
  return db.selectFrom("command")
    .innerJoin("app_binding", "app_binding.mac", "command.mac")
    .select([
      "command.id",
      "command.mac",
      "command.kind",
      "command.parameter",
      "command.status",
      "command.error_code",
      "command.sent_at",
    ])
    .where("command.kind", "=", "post").where("command.parameter", "like", `%"${RECOVERY}"%`)
    .whereRef("command.sent_at", ">=", "app_binding.bound_at")
    .where((eb) =>
      eb.or([
        eb("command.status", "=", "succeeded"),
        eb("command.error_code", "in", ["outcome_unknown", "no_answer"]),
      ])
    );
}

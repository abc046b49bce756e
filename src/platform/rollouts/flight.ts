/**
 * One gateway of a rollout under way: what it has is looked up where that is not known, its command is made under the
 * id that is on disk already, and seen to its end.
 *
 * @module
 */
import { type Deps, messageOf, newId } from "../../base/mod.ts";
import type { Commander } from "../commands/mod.ts";
import { type CommandRow, isFinal } from "../registry/mod.ts";
import { type Deed, deedOf, learned, questionOf } from "./before.ts";
import type { ItemRow, RolloutRow } from "./schema.ts";
import type { ItemChange, RolloutStore } from "./store.ts";

/** Pause before what the database or a full queue refused is tried again. */
export const AGAIN_MS = 2_000;
/** Least time that a command gets after its gateway was asked what it has. */
const LEAST_MS = 1_000;

/** How a rollout is halted: for now, so that what was not begun with waits on, or for good. */
export type Halt = "paused" | "aborted";

/** What a flight leans on. */
export interface FlightParts {
  readonly deps: Pick<Deps, "clock" | "log">;
  readonly store: Pick<RolloutStore, "update" | "present">;
  readonly commander: Pick<Commander, "create" | "find" | "cancel">;
}

/** One gateway under way. */
export class Flight {
  /** Under which id it is asked what it has. */
  readonly #question = newId();
  readonly #deed: Deed;
  readonly #dueAt: number;
  #wake = Promise.withResolvers<void>();
  #halt: Halt | undefined;
  readonly #stop = new AbortController();

  constructor(
    readonly item: ItemRow,
    private readonly rollout: RolloutRow,
    private readonly parts: FlightParts,
    /** It was begun with a moment ago: it is preset, and has no command yet. */
    private fresh: boolean,
  ) {
    this.#deed = deedOf(rollout, item);
    this.#dueAt = parts.deps.clock.monotonic() + rollout.command_timeout_ms;
  }

  /** The ids of its commands, whether they are made yet or not. */
  get ids(): readonly string[] {
    return [this.#question, this.item.command_id!];
  }

  /** Something may have changed: it looks again. */
  look(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** The rollout is halted: a command that is not made yet is made no more, and where it is for good taken back. */
  halt(how: Halt): void {
    if (this.#halt !== "aborted") this.#halt = how;
    this.look();
  }

  /** Leaves everything as it is: whoever takes the rollout up does the rest. */
  stop(): void {
    this.#stop.abort();
    this.look();
  }

  /** Sees it to its end, and answers that when it is on disk; undefined where it was stopped before. */
  async run(): Promise<ItemChange | undefined> {
    try {
      let change = await this.#fly();
      await this.#write(change);
      // The abort's own look for what waits may have been before this was written.
      if (change.status === "waiting" && this.#halt === "aborted") {
        await this.#write(change = this.#aborted());
      }
      return change;
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      throw error;
    }
  }

  async #fly(): Promise<ItemChange> {
    const id = this.item.command_id!;
    let command = this.fresh ? undefined : await this.#persist(() => this.parts.commander.find(id));
    if (!command) {
      const over = await this.#ask();
      if (over) return over;
      const made = await this.#persist(() => this.#make());
      if ("change" in made) return made.change;
      command = made.command;
    }
    return this.#ended(await this.#endOf(id));
  }

  /** Asks what the gateway has, where that is not known; answers how it ended where that was its end already. */
  async #ask(): Promise<ItemChange | undefined> {
    const question = questionOf(this.#deed, this.item);
    if (!question) return undefined;
    this.fresh = false;
    const { commander } = this.parts, id = this.#question;
    await this.#persist(async () => {
      if (!this.#halt) await commander.create({ id, ...question, ...this.#order() });
    });
    const answer = await this.#endOf(id, true);
    if (!answer) return this.#released();
    // Where it could not be asked in its time it can't be done in it either.
    if (answer.status === "timed_out" || answer.status === "cancelled") return this.#ended(answer);
    if (answer.status !== "succeeded") return undefined; // it does not tell: then it stays unknown
    const change = learned(this.#deed, answer);
    await this.#write(change);
    Object.assign(this.item, change);
    return undefined;
  }

  /** Makes the command; answers how it ended where it is not to be made any more. */
  async #make(): Promise<{ readonly command: CommandRow } | { readonly change: ItemChange }> {
    const { mac } = this.item, { clock } = this.parts.deps;
    if (!this.fresh && !(await this.parts.store.present([mac])).has(mac)) {
      const change = {
        status: "skipped",
        error: "it is no longer preset",
        finished_at: clock.now(),
      } as const;
      return { change };
    }
    if (this.#halt) return { change: this.#released() };
    const command = await this.parts.commander.create({
      id: this.item.command_id!,
      ...this.#deed,
      parameter: JSON.parse(this.#deed.parameter),
      ...this.#order(),
    });
    return { command };
  }

  #order() {
    const { clock } = this.parts.deps, { id } = this.rollout;
    return {
      mac: this.item.mac,
      actor: `rollout:${id}`,
      timeoutMs: Math.max(LEAST_MS, Math.ceil(this.#dueAt - clock.monotonic())),
    };
  }

  /** Waits for a command's end; undefined where it is no longer known, or only a question and the rollout halts. */
  async #endOf(id: string, question = false): Promise<CommandRow | undefined> {
    for (let takenBack = false;;) {
      const woken = this.#wake.promise;
      const command = await this.#persist(() => this.parts.commander.find(id));
      if (!command || isFinal(command.status)) return command;
      if ((question ? this.#halt : this.#halt === "aborted") && !takenBack) {
        try {
          takenBack = await this.parts.commander.cancel(id);
          if (question) return undefined;
        } catch (error) {
          this.#warn(error);
          await this.#rest();
        }
        if (takenBack) continue;
      }
      await woken;
      this.#stop.signal.throwIfAborted();
    }
  }

  #ended(command: CommandRow | undefined): ItemChange {
    const finished_at = this.parts.deps.clock.now();
    if (!command) {
      const error = "its command is no longer kept: whether it was done is not known";
      return { status: "failed", error_code: "outcome_unknown", error, finished_at };
    }
    if (command.status === "succeeded") {
      return { status: "succeeded", error_code: null, error: null, finished_at };
    }
    const why = { error_code: command.error_code ?? command.status, error: command.error };
    const again = this.item.attempt < this.rollout.max_attempts && command.status !== "cancelled" &&
      this.#halt !== "aborted";
    return again
      ? { status: "waiting", command_id: null, ...why }
      : { status: "failed", command_id: command.id, ...why, finished_at };
  }

  /** It was begun with, but nothing was done: it waits as before, or no more. */
  #released(): ItemChange {
    return this.#halt === "aborted"
      ? this.#aborted()
      : { status: "waiting", command_id: null, attempt: this.item.attempt - 1 };
  }

  #aborted(): ItemChange {
    return {
      status: "skipped",
      command_id: null,
      error: "the rollout was aborted",
      finished_at: this.parts.deps.clock.now(),
    };
  }

  #write(change: ItemChange): Promise<void> {
    return this.#persist(() => this.parts.store.update(this.rollout.id, this.item.mac, change));
  }

  /** Does something again and again until it is done. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        this.#stop.signal.throwIfAborted();
        this.#warn(error);
        await this.#rest();
      }
    }
  }

  async #rest(): Promise<void> {
    this.fresh = false;
    const { promise } = this.#wake;
    const timer = this.parts.deps.clock.setTimer(() => this.look(), AGAIN_MS);
    await promise;
    timer.cancel();
  }

  #warn(error: unknown): void {
    this.parts.deps.log.warn("a rollout's gateway could not be seen to; it is tried again", {
      rollout: this.rollout.id,
      mac: this.item.mac,
      command: this.item.command_id,
      error: messageOf(error),
    });
  }
}

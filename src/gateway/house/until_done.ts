/**
 * What has to be brought into force and can't be yet: it is tried until it is. A machine that boots may not have its
 * LAN or its name service when the gateway starts.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Timer } from "../../base/mod.ts";

/** How long after a failure it is tried again. */
export const AGAIN_MS = 15_000;

/** What {@linkcode UntilDone} works with. */
export interface UntilDoneOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Says in the log what it is about: `redirection of names`. */
  readonly what: string;
  /** Brings into force what is to be so at that moment. */
  readonly work: () => Promise<void>;
}

/** One piece of work at a time: what is to be tried again, or what others put in its place. */
export class UntilDone implements AsyncDisposable {
  #working: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #told = "";
  #stopped = false;

  constructor(private readonly options: UntilDoneOptions) {}

  /** Does it, now and again until it succeeds. Never rejects; resolves when it was tried once. */
  begin(): Promise<void> {
    return this.#inTurn(() => this.#try());
  }

  /** Does this instead. Where it succeeds, nothing is tried again; where it rejects, all is as it was. */
  replace(work: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      await work();
      this.#timer?.cancel();
      this.#told = "";
    });
  }

  async #try(): Promise<void> {
    const { clock, log, what, work } = this.options;
    this.#timer?.cancel();
    try {
      await work();
      if (this.#told !== "") log.info(`${what}: in force after all`);
      this.#told = "";
    } catch (error) {
      const reason = messageOf(error);
      // Once for each reason: it is tried again every few seconds.
      if (reason !== this.#told) log.warn(`${what}: not in force, it is tried again`, { reason });
      this.#told = reason;
      if (!this.#stopped) this.#timer = clock.setTimer(() => void this.begin(), AGAIN_MS);
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#working.then(work);
    this.#working = done.catch(() => {});
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#working;
  }
}

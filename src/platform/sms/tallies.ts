/**
 * The counters that QUERY asks for, as changes to be written with what they count or a little later.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";
import type { LocalTimes } from "./local_times.ts";
import type { Count, SmsStore } from "./store.ts";

/** How long a count that nothing depends on may wait for others, in milliseconds. */
const COUNT_MS = 200;

/** Makes counts, and writes those that go with nothing else. */
export class Tallies {
  #counts: Count[] = [];
  #timer: Timer | undefined;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly store: Pick<SmsStore, "write">,
    private readonly times: LocalTimes,
  ) {}

  /** What moves in the counters of a provider's service, on the day of `at`. */
  of(
    at: number,
    sp_id: string,
    service_id: string,
    moved: Omit<Count, "day" | "sp_id" | "service_id">,
  ): Count {
    return { day: this.times.day(at), sp_id, service_id, ...moved };
  }

  /** Writes a count of what is not kept: nothing waits for it, so many go in one write. */
  soon(count: Count): void {
    this.#counts.push(count);
    this.#timer ??= this.deps.clock.setTimer(() => void this.flush(), COUNT_MS);
  }

  /** Writes what waits. Never rejects: a count that can't be written is told of in the log. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const counts = this.#counts;
    this.#counts = [];
    try {
      await Promise.all(counts.map((count) => this.store.write({ count })));
    } catch (error) {
      this.deps.log.error("counters were not written", { error: messageOf(error) });
    }
  }
}

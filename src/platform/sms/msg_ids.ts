/**
 * Where this gateway's Msg_Ids come from.
 *
 * @module
 */
import { type Deps, messageOf } from "../../base/mod.ts";
import { composeMsgId, MSG_IDS_PER_SECOND } from "../../protocol/cmpp/mod.ts";

/** What is known when ids begin to be given out. */
export interface MsgIdOptions {
  readonly gatewayCode: string;
  readonly utcOffsetMinutes: number;
  /** When an earlier run has last given one, in milliseconds since 1970; 0: never. */
  readonly lastUsedAt: number;
  /** The last second since 1970 that was written down by `reserve`; 0: none. */
  readonly reserved: number;
  /** Writes down that ids of up to this second may be in use. */
  readonly reserve: (second: number) => Promise<void>;
}

/** Seconds that are written down at a time, and how many of them are left when the next are. */
const RESERVE_S = 10, LOW_S = 5;
/** Ids left of a second when the next is made ready. */
const LOW_IDS = MSG_IDS_PER_SECOND / 4;
/** How far ids may be ahead of the clock, in seconds: there is no year in them, so half of one. */
const MOST_AHEAD_S = 180 * 86_400;

/**
 * Gives out Msg_Ids that never come twice, in rising order: at most 65,536 in a second, in a time that never goes back.
 *
 * Where a second has no more, or the clock was put back, the ids' time runs ahead of the clock. Such seconds are
 * written down before they are used, so that a restart begins behind them.
 */
export class MsgIds {
  readonly #gateway: number;
  #second: number;
  #reserved: number;
  #reserving: Promise<void> | undefined;
  #sequence = 0;
  #left = 0;

  private constructor(
    private readonly deps: Pick<Deps, "clock" | "log">,
    private readonly options: MsgIdOptions,
  ) {
    this.#gateway = Number(options.gatewayCode);
    this.#reserved = options.reserved;
    this.#second = Math.max(Math.floor(options.lastUsedAt / 1000), options.reserved);
  }

  /** Begins behind everything that an earlier run may have used, this second included. */
  static async open(deps: Pick<Deps, "clock" | "log">, options: MsgIdOptions): Promise<MsgIds> {
    const ids = new MsgIds(deps, options), now = ids.#now();
    if (ids.#second > 0) ids.#second = Math.max(ids.#second, now);
    if (ids.#second >= now) await ids.#reserve(ids.#second + 1);
    return ids;
  }

  /** Seconds that the ids' time is ahead of the clock. */
  get ahead(): number {
    return Math.max(0, this.#second - this.#now());
  }

  /** The first of `count` ids in a row; undefined where there are none for the moment. See `msgIdInGroup`. */
  take(count = 1): bigint | undefined {
    const now = this.#now();
    if (now > this.#second) {
      this.#second = now;
      this.#left = MSG_IDS_PER_SECOND;
    }
    if (count > this.#left && !this.#next(now)) return undefined;
    this.#left -= count;
    const low = this.#left < LOW_IDS && this.#second + LOW_S > this.#reserved;
    if (low) void this.#reserve(this.#second + RESERVE_S);
    const sequence = this.#sequence;
    this.#sequence = (sequence + count) & 0xffff;
    const local = new Date(this.#second * 1000 + this.options.utcOffsetMinutes * 60_000);
    return composeMsgId({
      month: local.getUTCMonth() + 1,
      day: local.getUTCDate(),
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
      second: local.getUTCSeconds(),
      gateway: this.#gateway,
      sequence,
    });
  }

  /** Goes on with the next second, though it has not come; false where it is not written down yet, or too far. */
  #next(now: number): boolean {
    if (this.#second + 1 > this.#reserved) {
      void this.#reserve(this.#second + RESERVE_S);
      return false;
    }
    if (this.#second - now >= MOST_AHEAD_S) return false;
    this.#second++;
    this.#left = MSG_IDS_PER_SECOND;
    return true;
  }

  #reserve(second: number): Promise<void> {
    return this.#reserving ??= this.options.reserve(second).then(
      () => void (this.#reserved = Math.max(this.#reserved, second)),
      // Whoever takes the next id tries again; until then there are none ahead of the clock.
      (error) => this.deps.log.error("ids were not reserved", { error: messageOf(error) }),
    ).finally(() => this.#reserving = undefined);
  }

  #now(): number {
    return Math.floor(this.deps.clock.now() / 1000);
  }
}

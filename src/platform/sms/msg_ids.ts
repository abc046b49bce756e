/**
 * Where this gateway's Msg_Ids come from.
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";
import { composeMsgId, MSG_IDS_PER_SECOND } from "../../protocol/cmpp/mod.ts";

/**
 * Gives out Msg_Ids that never come twice: at most 65,536 in a second, in a time that never goes back, not over
 * a restart either (it begins behind the last second that the store has seen).
 */
export class MsgIds {
  readonly #gateway: number;
  #second: number;
  #sequence = 0;
  #left = 0;

  constructor(
    private readonly clock: Pick<Clock, "now">,
    options: { gatewayCode: string; lastUsedAt: number; utcOffsetMinutes: number },
  ) {
    this.#gateway = Number(options.gatewayCode);
    this.#second = Math.floor(options.lastUsedAt / 1000);
    this.utcOffsetMinutes = options.utcOffsetMinutes;
  }

  private readonly utcOffsetMinutes: number;

  /** The first of `count` ids in a row; undefined where this second has no more. See `msgIdInGroup`. */
  take(count = 1): bigint | undefined {
    const now = Math.floor(this.clock.now() / 1000);
    if (now > this.#second) {
      this.#second = now;
      this.#left = MSG_IDS_PER_SECOND;
    }
    if (count > this.#left) return undefined;
    this.#left -= count;
    const sequence = this.#sequence;
    this.#sequence = (sequence + count) & 0xffff;
    const local = new Date(this.#second * 1000 + this.utcOffsetMinutes * 60_000);
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
}

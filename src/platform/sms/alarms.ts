/**
 * What an operator should hear of: raised while it is so, cleared when it is over.
 *
 * In memory: what is still so after a restart is found again within seconds.
 *
 * @module
 */
import { type Deps, messageOf, type Timer } from "../../base/mod.ts";

/**
 * - `outlet_down`: a centre has not been connected for a while; the subject is its name
 * - `queue_age`: messages wait for the centre too long
 * - `provider_away`: much, or for long, waits for a provider that has no connection; the subject is its SP_Id
 * - `flow_control`: many SUBMITs are answered 8
 * - `ids_ahead`: the time in Msg_Ids is far ahead of the clock
 * - `unreadable`: something that was kept can't be read
 */
export const ALARM_KINDS = [
  "outlet_down",
  "queue_age",
  "provider_away",
  "flow_control",
  "ids_ahead",
  "unreadable",
] as const;
/** One of {@linkcode ALARM_KINDS}. */
export type AlarmKind = typeof ALARM_KINDS[number];

/** An alarm. Times are milliseconds since 1970. */
export interface SmsAlarm {
  /** Rises with time, within a run of the service. */
  readonly id: number;
  readonly kind: AlarmKind;
  /** What it is about; "" where there is only one such thing. */
  readonly subject: string;
  /** One sentence for people, as of when it was raised. */
  readonly detail: string;
  readonly raisedAt: number;
  readonly clearedAt: number | undefined;
}

/** Something that became of an alarm. */
export interface SmsAlarmEvent {
  readonly type: "raised" | "cleared";
  readonly alarm: SmsAlarm;
}

/** What is so right now. */
export interface Finding {
  readonly kind: AlarmKind;
  readonly subject: string;
  readonly detail: string;
}

/** When something is an alarm. */
export interface AlarmLimits {
  /** How long a centre may be away, in milliseconds. */
  readonly outletDownMs: number;
  /** How long a message may wait for the centre, in milliseconds. */
  readonly queueAgeMs: number;
  /** How many items may wait for a provider without a connection, and for how long, in milliseconds. */
  readonly awayItems: number;
  readonly awayMs: number;
  /** Share of SUBMITs that may be answered 8 between two looks, and how many SUBMITs make a share. */
  readonly flowControlShare: number;
  readonly flowControlLeast: number;
  /** How far Msg_Ids may be ahead of the clock, in seconds. */
  readonly idsAheadS: number;
}

/** The limits where nobody says otherwise. */
export const DEFAULT_ALARM_LIMITS: AlarmLimits = {
  outletDownMs: 30_000,
  queueAgeMs: 300_000,
  awayItems: 1_000,
  awayMs: 600_000,
  flowControlShare: 0.05,
  flowControlLeast: 100,
  idsAheadS: 60,
};

/** How often everything is looked at, in milliseconds. */
export const LOOK_MS = 10_000;
/** Alarms that are over and still listed. */
const KEPT = 500;

/** Looks at everything now and then, and tells what is new. */
export class SmsAlarms implements AsyncDisposable {
  readonly #active = new Map<string, SmsAlarm>();
  readonly #over: SmsAlarm[] = [];
  readonly #listeners = new Set<(event: SmsAlarmEvent) => void>();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #id = 0;
  #stopped = false;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    private readonly find: () => Promise<readonly Finding[]>,
  ) {
    for (const kind of ALARM_KINDS) {
      deps.metrics.gauge(
        "gatehouse_sms_alarms",
        "Alarms that are raised, by kind",
        () => [...this.#active.values()].filter((alarm) => alarm.kind === kind).length,
        { kind },
      );
    }
    this.#schedule();
  }

  /** Those that are raised first, then those that are over; the newest first in both. */
  list(): SmsAlarm[] {
    return [...[...this.#active.values()].reverse(), ...this.#over.toReversed()];
  }

  /** Tells of each alarm that is raised or cleared from now on; gives what ends that. */
  listen(listener: (event: SmsAlarmEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.deps.clock.setTimer(() => {
      this.#looking = this.#look().catch((error) =>
        this.deps.log.warn("alarms were not looked for", { error: messageOf(error) })
      ).then(() => this.#schedule());
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    const now = this.deps.clock.now(), found = new Map<string, Finding>();
    for (const finding of await this.find()) found.set(`${finding.kind}\0${finding.subject}`, finding);
    for (const [key, alarm] of this.#active) if (!found.has(key)) this.#clear(key, alarm, now);
    for (const [key, { kind, subject, detail }] of found) {
      if (this.#active.has(key)) continue;
      const alarm = { id: ++this.#id, kind, subject, detail, raisedAt: now, clearedAt: undefined };
      this.#active.set(key, alarm);
      this.deps.log.warn("alarm raised", { alarm: kind, subject, detail });
      this.#tell({ type: "raised", alarm });
    }
  }

  #clear(key: string, raised: SmsAlarm, now: number): void {
    const alarm = { ...raised, clearedAt: now };
    this.#active.delete(key);
    this.#over.push(alarm);
    if (this.#over.length > KEPT) this.#over.shift();
    this.deps.log.info("alarm cleared", { alarm: alarm.kind, subject: alarm.subject });
    this.#tell({ type: "cleared", alarm });
  }

  #tell(event: SmsAlarmEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.deps.log.error("somebody who hears of alarms failed", { error: messageOf(error) });
      }
    }
  }
}

/**
 * A log that an outage can't flood: many lines that say the same are few.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import type { Log, LogFields } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** Lines of one message in a period, and the period in milliseconds. */
const LINES = 20, PERIOD_MS = 10_000;
/** Messages that are told apart: the house has fewer, since what varies is in the fields. */
const MAX_MESSAGES = 1000;

interface Spell {
  since: number;
  lines: number;
  held: number;
}

/**
 * `log`, with at most 20 warnings or errors of one message in ten seconds: thousands of gateways that all meet the
 * same fault would fill the disk and bury what matters. What was held back is counted, and told with the next line of
 * that message as `held`.
 */
export function calmLog(
  log: Log,
  { clock, metrics }: { clock: Pick<Clock, "monotonic">; metrics: Metrics },
): Log {
  const spells = new Map<string, Spell>();
  const counter = metrics.counter(
    "gatehouse_log_lines_held_total",
    "Log lines that were held back as repetitions",
  );
  const allow = (message: string): LogFields | undefined => {
    const now = clock.monotonic();
    let spell = spells.get(message);
    if (!spell) {
      if (spells.size >= MAX_MESSAGES) spells.clear();
      spells.set(message, spell = { since: now, lines: 0, held: 0 });
    }
    let more: LogFields = {};
    if (now - spell.since >= PERIOD_MS) {
      if (spell.held > 0) more = { held: spell.held };
      spell.since = now;
      spell.lines = spell.held = 0;
    }
    if (++spell.lines <= LINES) return more;
    spell.held++;
    counter.inc();
    return undefined;
  };
  const around = (inner: Log): Log => ({
    debug: (message, fields) => inner.debug(message, fields),
    info: (message, fields) => inner.info(message, fields),
    warn: (message, fields) => {
      const more = allow(message);
      if (more) inner.warn(message, { ...fields, ...more });
    },
    error: (message, fields) => {
      const more = allow(message);
      if (more) inner.error(message, { ...fields, ...more });
    },
    with: (fields) => around(inner.with(fields)),
    enabled: (level) => inner.enabled(level),
  });
  return around(log);
}

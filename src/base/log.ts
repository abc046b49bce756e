/**
 * Structured logging: one line an event, as text for people or JSON for collectors.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** Levels from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];
/** How a line is written. */
export type LogFormat = "text" | "json";
/** What goes with a message: flat, named values. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A logger. `with` gives one that adds `fields` to every line. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  with(fields: LogFields): Log;
  /** Whether lines of `level` are written: ask before building costly fields. */
  enabled(level: LogLevel): boolean;
}

/** What {@linkcode createLog} needs. `write` gets whole lines without the newline. */
export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  clock: Pick<Clock, "now">;
  write: (line: string) => void;
}

/** Field names whose values never reach a log, whatever their spelling. */
const SECRET = /pass(w(or)?d|wd)?$|secret|token|authorization|devrnd|private/i;

/** Makes a logger. Values are escaped, so that hostile input can't forge a line; secrets by name are masked. */
export function createLog(options: LogOptions): Log {
  const threshold = LOG_LEVELS.indexOf(options.level);
  const line = options.format === "json" ? jsonLine : textLine;
  const make = (bound: LogFields): Log => {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
      if (LOG_LEVELS.indexOf(level) < threshold) return;
      options.write(line(options.clock.now(), level, message, mask({ ...bound, ...fields })));
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      with: (fields) => make({ ...bound, ...fields }),
      enabled: (level) => LOG_LEVELS.indexOf(level) >= threshold,
    };
  };
  return make({});
}

/** A logger that writes nothing. */
export const silentLog: Log = createLog({
  level: "error",
  format: "text",
  clock: { now: () => 0 },
  write: () => {},
});

function mask(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name in fields) {
    const value = fields[name];
    if (value instanceof Error) fields[name] = value.message;
    else if (value !== undefined && SECRET.test(name)) fields[name] = "***";
  }
  return fields;
}

function jsonLine(now: number, level: LogLevel, message: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ time: new Date(now).toISOString(), level, message, ...fields });
}

function textLine(now: number, level: LogLevel, message: string, fields: Record<string, unknown>): string {
  let line = `${new Date(now).toISOString()} ${level.toUpperCase().padEnd(5)} ${plain(message)}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    line += ` ${name}=${
      typeof value === "string" && /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value)
    }`;
  }
  return line;
}

/** The message with its control characters escaped. */
function plain(message: string): string {
  // deno-lint-ignore no-control-regex
  return message.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => JSON.stringify(c).slice(1, -1));
}

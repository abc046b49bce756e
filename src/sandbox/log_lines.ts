/**
 * The last lines of a plug-in's log, kept in memory within bounds of number and size.
 *
 * @module
 */
import type { Clock, Log, LogFields, LogLevel } from "../base/mod.ts";

/** How many lines are kept of a plug-in, and how many UTF-16 units of text in all. */
export const LOG_LINES = 1000;
/** See {@linkcode LOG_LINES}. */
export const LOG_TEXT = 128 * 1024;
/** The longest line; the rest of a longer one is cut off. */
const LINE_LENGTH = 4096;

/** A line of a plug-in's log: what it wrote, or what the gateway has to say about it. */
export interface PluginLogLine {
  /** Counts up from 1 and never repeats while the gateway runs. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: LogLevel;
  readonly text: string;
}

/** Which lines to give. */
export interface LogQuery {
  /** Only those with a greater number. */
  readonly after?: number;
  /** At most so many: the oldest ones behind `after` where that is given, else the newest. */
  readonly limit?: number;
}

/** The lines of one plug-in, the oldest forgotten first. */
export class LogLines {
  readonly #lines: PluginLogLine[] = [];
  #from = 0;
  #text = 0;

  constructor(private readonly clock: Pick<Clock, "now">, private readonly nextSeq: () => number) {}

  /** How many there are. */
  get size(): number {
    return this.#lines.length - this.#from;
  }

  add(level: LogLevel, text: string): void {
    const line = text.length > LINE_LENGTH ? text.slice(0, LINE_LENGTH) + "…" : text;
    this.#lines.push({ seq: this.nextSeq(), time: this.clock.now(), level, text: line });
    this.#text += line.length;
    while (this.size > LOG_LINES || this.#text > LOG_TEXT) {
      this.#text -= this.#lines[this.#from]!.text.length;
      this.#from++;
    }
    // The forgotten ones are let go of now and then, so that a line costs the same whatever went before it.
    if (this.#from >= LOG_LINES) {
      this.#lines.splice(0, this.#from);
      this.#from = 0;
    }
  }

  /** Lines in order. */
  read({ after, limit = LOG_LINES }: LogQuery = {}): PluginLogLine[] {
    const kept = this.#lines.slice(this.#from);
    if (after === undefined) return limit > 0 ? kept.slice(-limit) : [];
    return kept.filter(({ seq }) => seq > after).slice(0, limit);
  }
}

/** A log that also keeps its lines, of every level, whatever `log` does with them. */
export function keepingLog(log: Log, lines: () => LogLines): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    lines().add(level, fields ? message + shown(fields) : message);
    log[level](message, fields);
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => keepingLog(log.with(fields), lines),
    enabled: (level) => log.enabled(level),
  };
}

/** Fields for people: ` (command: GREET)`, and a stack on lines of its own. */
function shown(fields: LogFields): string {
  let text = "", stack = "";
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (name === "stack") stack = `\n${authorsOwn(String(value))}`;
    else text += `${text === "" ? " (" : ", "}${name}: ${String(value)}`;
  }
  return (text === "" ? "" : text + ")") + stack;
}

/** A stack without the frames of the border between guest and host. */
function authorsOwn(stack: string): string {
  return stack.trimEnd().split("\n").filter((line) => !/\(gatehouse:guest|at apply \(native\)/.test(line))
    .join("\n");
}

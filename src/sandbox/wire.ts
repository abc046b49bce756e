/**
 * How the manager's process and a plug-in host talk: lines of text over the host's standard input and output.
 *
 * A line is a letter, its fields and, as the last field, a JSON text, separated by single spaces. The JSON of a
 * request or reply passes through as it is, so that it is parsed only where it is needed.
 *
 * To the host: `L guest memoryBytes sliceMs program` load · `A guest grant` admit · `C guest call command request` ·
 * `R guest seq =value` or `R guest seq !message` answer a host call · `X call` cancel · `U guest` unload ·
 * `P n` ping · `Q n` ask for its memory.
 *
 * From the host: `ready` · `D guest =description` or `D guest ![code, message]` loaded · `S call reply` ·
 * `E call [code, message, stack]` · `B call` begun, its reply comes later · `H guest seq name args` host call ·
 * `G guest level text` log · `T guest lines` dropped lines of the log · `M guest bytes` memory · `F guest [kind, message]` fault · `N guest` enters the guest ·
 * `P n 0` or `P n 1` pong (1: work is queued) · `Q n bytes` its resident memory.
 *
 * @module
 */

/** The longest line to a host, in UTF-16 units: a whole program. */
export const LINE_TO_HOST = 32 * 1024 * 1024;
/** The longest line from a host. */
export const LINE_FROM_HOST = 4 * 1024 * 1024;

/** Cuts a stream of bytes into lines. */
export class LineReader {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #parts: string[] = [];
  #length = 0;

  constructor(private readonly limit: number, private readonly onLine: (line: string) => void) {}

  /** Takes the next bytes. Throws RangeError at a line past the limit, TypeError at bytes that are not UTF-8. */
  push(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      let line = text.slice(at, end);
      at = end + 1;
      if (this.#parts.length > 0) {
        line = this.#parts.join("") + line;
        this.#parts = [];
        this.#length = 0;
      }
      if (line.length > this.limit) throw new RangeError(`line of ${line.length} characters`);
      this.onLine(line);
    }
    if (at === text.length) return;
    this.#parts.push(at === 0 ? text : text.slice(at));
    this.#length += text.length - at;
    if (this.#length > this.limit) throw new RangeError(`line of more than ${this.limit} characters`);
  }
}

/** Reads the fields of a line one after the other. */
export class Fields {
  #at = 2;

  constructor(private readonly line: string) {}

  /** The next field as text. */
  text(): string {
    const end = this.line.indexOf(" ", this.#at);
    if (end < 0) return this.rest();
    const field = this.line.slice(this.#at, end);
    this.#at = end + 1;
    return field;
  }

  /** The next field as a whole number from 0. Throws TypeError where it is none. */
  number(): number {
    const field = this.text(), value = Number(field);
    if (field === "" || !Number.isSafeInteger(value) || value < 0) {
      throw new TypeError(`not a number: "${field}"`);
    }
    return value;
  }

  /** All that is left. */
  rest(): string {
    const rest = this.line.slice(this.#at);
    this.#at = this.line.length;
    return rest;
  }
}

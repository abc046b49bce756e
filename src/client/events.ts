/**
 * Server-sent events as they come over the wire (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 * @module
 */
import { ClientError } from "./errors.ts";

/** One event of a stream. */
export interface ServerEvent {
  /** Its place in the stream, where it has one. */
  readonly id: string | undefined;
  readonly event: string;
  readonly data: unknown;
}

/** Longest event taken, in characters. */
const MAX_EVENT = 4_194_304;

/** Reads the events of a body. Comments (the signs of life) come as `undefined`. @throws {ClientError} */
export async function* eventsIn(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerEvent | undefined, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "", id: string | undefined, event = "message", data: string[] = [], size = 0;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length + size > MAX_EVENT) throw tooLarge();
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { id, event, data: parsed(data.join("\n")) };
        [event, data, size] = ["message", [], 0];
        continue;
      }
      if (line.startsWith(":")) {
        yield undefined;
        continue;
      }
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (field === "id") id = value;
      else if (field === "event") event = value!;
      else if (field === "data") {
        data.push(value!);
        size += value!.length;
      }
      if (size > MAX_EVENT) throw tooLarge();
    }
  }
}

function tooLarge(): ClientError {
  return new ClientError("too_large", `an event of more than ${MAX_EVENT} characters`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ClientError("not_an_answer", "an event that is no JSON", { cause });
  }
}

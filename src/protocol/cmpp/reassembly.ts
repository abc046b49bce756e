/**
 * Putting the parts of long messages together again, in whatever order and number they come.
 *
 * @module
 */
import { type PartHeader, readPartHeader } from "./long_message.ts";

/** How much is remembered, and how long. */
export interface ReassemblyLimits {
  /** Messages that are not whole yet. Past it the oldest is given up. Default 10,000. */
  readonly maxMessages?: number;
  /** How long a message waits for its next part, in milliseconds. Default 300,000. */
  readonly timeoutMs?: number;
}

/** A message as far as it is known. */
export interface Reassembled {
  /** The content without headers, in order. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** Parts that it is made of. */
  readonly parts: number;
}

/** What a part brought. */
export type PartOutcome =
  /** `undo` is for whoever could not take the message: as if this part had not come, so that its repeat completes it. */
  | { readonly kind: "whole"; readonly message: Reassembled; readonly undo: () => void }
  /** More parts are missing. */
  | { readonly kind: "part"; readonly missing: number }
  /** This part was there already, or its message was put together a moment ago. */
  | { readonly kind: "duplicate" };

/** A message that was given up, with the parts that came. */
export interface Incomplete {
  readonly key: string;
  readonly have: number;
  readonly total: number;
  /** The numbers of the parts that did not come, from 1. */
  readonly missing: readonly number[];
  /** What came, without headers, in order. */
  readonly content: Uint8Array<ArrayBuffer>;
}

interface Pending {
  readonly total: number;
  parts: Map<number, Uint8Array<ArrayBuffer>>;
  /** When it is given up. */
  due: number;
  done: boolean;
}

/**
 * Collects parts by `key` (who to whom) and the header's reference. Holds a bounded number of messages, at most
 * 255 parts of 255 octets each; what was just finished is remembered for the same time, so that a late
 * duplicate does not begin it anew.
 */
export class Reassembler {
  readonly #maxMessages: number;
  readonly #timeoutMs: number;
  /** In the order of their due times: each change puts an entry at the end. */
  readonly #pending = new Map<string, Pending>();
  /** Given up for want of room, until somebody asks. */
  readonly #crowdedOut: Incomplete[] = [];

  constructor(limits: ReassemblyLimits = {}) {
    this.#maxMessages = limits.maxMessages ?? 10_000;
    this.#timeoutMs = limits.timeoutMs ?? 300_000;
  }

  /** Messages remembered now, finished ones included. */
  get size(): number {
    return this.#pending.size;
  }

  /** Takes a part. `content` begins with a user data header; one without a concatenation element is whole by itself. */
  push(key: string, content: Uint8Array, now: number): PartOutcome {
    const header = readPartHeader(content);
    if (!header) {
      return { kind: "whole", message: { content: withoutHeader(content), parts: 1 }, undo: () => {} };
    }
    const id = `${key}\0${header.wide ? "w" : "n"}${header.reference}\0${header.total}`;
    const known = this.#pending.get(id);
    const entry = known && known.due > now
      ? known
      : { total: header.total, parts: new Map(), due: 0, done: false };
    if (entry.done || entry.parts.has(header.number)) return { kind: "duplicate" };
    entry.parts.set(header.number, content.slice(header.octets));
    entry.due = now + this.#timeoutMs;
    this.#pending.delete(id);
    this.#pending.set(id, entry);
    if (this.#pending.size > this.#maxMessages) {
      const [oldest] = this.#pending;
      this.#crowdedOut.push(...this.#giveUp(...oldest!));
      if (this.#crowdedOut.length > this.#maxMessages) this.#crowdedOut.shift();
    }
    return this.#outcome(entry, header);
  }

  /** Forgets what waited too long, or had no room; gives the messages that stay incomplete. */
  expire(now: number): Incomplete[] {
    const given = this.#crowdedOut.splice(0);
    for (const [id, entry] of this.#pending) {
      if (entry.due > now) break;
      given.push(...this.#giveUp(id, entry));
    }
    return given;
  }

  #giveUp(id: string, { total, parts, done }: Pending): Incomplete[] {
    this.#pending.delete(id);
    if (done) return [];
    const key = id.slice(0, id.indexOf("\0"));
    const numbers = Array.from({ length: total }, (_, i) => i + 1);
    const content = concat(numbers.flatMap((number) => parts.get(number) ?? []));
    const missing = numbers.filter((number) => !parts.has(number));
    return [{ key, have: parts.size, total, missing, content }];
  }

  #outcome(entry: Pending, header: PartHeader): PartOutcome {
    const missing = header.total - entry.parts.size;
    if (missing > 0) return { kind: "part", missing };
    const { parts } = entry,
      content = concat(Array.from({ length: header.total }, (_, i) => parts.get(i + 1)!));
    entry.done = true;
    entry.parts = new Map();
    const undo = () => {
      parts.delete(header.number);
      entry.parts = parts;
      entry.done = false;
    };
    return { kind: "whole", message: { content, parts: header.total }, undo };
  }
}

function withoutHeader(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return content.slice(Math.min(content.length, 1 + (content[0] ?? 0)));
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * What bounds a guest from inside its engine: the time of each stretch of running, and its WebAssembly memory.
 *
 * @module
 */
import { SMALLEST_MEMORY } from "./engine.ts";

const PAGE = 65536;
/** How much longer than a slice a built-in may take: enough for the interrupt handler to be asked first. */
const BUILT_IN_GRACE_MS = 50;
/**
 * How much of that is used up at most from one look to the next. Between two looks lies a bounded amount of work: where
 * more time went by, the machine was busy with something else, and that says nothing about the built-in.
 */
const LOOK_MS = 5;

/** The time of one stretch of running. */
export class Meter {
  sliceMs = Infinity;
  /** An interrupt broke the guest's JavaScript off. */
  interrupted = false;
  /** A built-in did not end: the instance trapped. */
  trapped = false;
  #end: number | undefined;
  /** When a built-in was last seen at work after the end, and for how long it was, by all such looks. */
  #seen = 0;
  #late = 0;

  constructor(private readonly now: () => number) {}

  begin(): void {
    this.#end = undefined;
    this.#late = 0;
    this.interrupted = false;
  }

  /** Asked between steps of JavaScript. */
  interrupt(): boolean {
    return this.#sinceEnd(this.now()) >= 0 && (this.interrupted = true);
  }

  /** Asked within built-ins, after a bounded amount of their work. */
  ask(): number {
    const now = this.now(), late = this.#sinceEnd(now);
    if (late < 0) return 0;
    this.#late += Math.min(LOOK_MS, this.#late === 0 ? late : now - this.#seen);
    this.#seen = now;
    return this.#late >= BUILT_IN_GRACE_MS && (this.trapped = true) ? 1 : 0;
  }

  /** Milliseconds since the stretch should have ended; negative before. */
  #sinceEnd(now: number): number {
    // The clock is read only at looks, not at the start of each slice: most slices end before the first look.
    return now - (this.#end ??= now + this.sliceMs);
  }
}

/** A WebAssembly memory whose ceiling can be lowered after it was made; remembers when the guest got no more. */
export class CappedMemory {
  readonly memory: WebAssembly.Memory;
  refused = false;

  constructor(public limitBytes: number) {
    this.memory = new WebAssembly.Memory({
      initial: SMALLEST_MEMORY / PAGE,
      maximum: Math.max(SMALLEST_MEMORY, limitBytes) / PAGE | 0,
    });
    const grow = this.memory.grow.bind(this.memory);
    // The C library's resizing asks for more than is needed first, and for less when that is refused.
    this.memory.grow = (pages) => {
      if (this.memory.buffer.byteLength + pages * PAGE > this.limitBytes) {
        throw new RangeError("the guest's memory is full");
      }
      return grow(pages);
    };
  }

  /** Told how each resizing ended; hands that on. */
  resized(grown: boolean): boolean {
    if (!grown) this.refused = true;
    return grown;
  }
}

/**
 * What bounds a guest from inside its engine: the time of each stretch of running, and its WebAssembly memory.
 *
 * @module
 */
import { SMALLEST_MEMORY } from "./engine.ts";

const PAGE = 65536;
/** How much longer than a slice a built-in may take: enough for the interrupt handler to be asked first. */
const BUILT_IN_GRACE_MS = 50;

/** The time of one stretch of running. */
export class Meter {
  sliceMs = Infinity;
  /** An interrupt broke the guest's JavaScript off. */
  interrupted = false;
  /** A built-in did not end: the instance trapped. */
  trapped = false;
  #end: number | undefined;

  constructor(private readonly now: () => number) {}

  begin(): void {
    this.#end = undefined;
    this.interrupted = false;
  }

  /** Asked between steps of JavaScript. */
  interrupt(): boolean {
    return this.#over(0) && (this.interrupted = true);
  }

  /** Asked within built-ins. */
  ask(): number {
    return this.#over(BUILT_IN_GRACE_MS) && (this.trapped = true) ? 1 : 0;
  }

  #over(graceMs: number): boolean {
    const now = this.now();
    // The clock is read only here, not at the start of each slice: most slices end before the first look.
    this.#end ??= now + this.sliceMs;
    return now >= this.#end + graceMs;
  }
}

/** A WebAssembly memory whose ceiling can be lowered after it was made; remembers when growth was refused. */
export class CappedMemory {
  readonly memory: WebAssembly.Memory;
  refused = false;

  constructor(public limitBytes: number) {
    this.memory = new WebAssembly.Memory({
      initial: SMALLEST_MEMORY / PAGE,
      maximum: Math.max(SMALLEST_MEMORY, limitBytes) / PAGE | 0,
    });
    const grow = this.memory.grow.bind(this.memory);
    // The C library asks for memory through this JavaScript method, and tries smaller steps when refused.
    this.memory.grow = (pages) => {
      if (this.memory.buffer.byteLength + pages * PAGE > this.limitBytes) {
        this.refused = true;
        throw new RangeError("the guest's memory is full");
      }
      return grow(pages);
    };
  }
}

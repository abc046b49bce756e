/**
 * Puts a meter into a WebAssembly module, so that its native loops can be broken off.
 *
 * An interrupt handler stops what an engine interprets, not what it does by itself: one search in a long string
 * may run for hours. Here every loop of the module counts down, and when it has counted out it asks the host
 * whether to go on; if not, the module traps. Nothing is renumbered: what is added stands at the end of its section.
 *
 * @module
 */

/**
 * Turns of loops between two questions. Each function counts in a variable of its own, which costs little, and
 * books {@linkcode BATCH} at a time: a loop with fewer turns, called from another loop, is not seen. So there may be
 * BATCH times as many turns in fact, or its square where three loops nest like that: a few milliseconds.
 */
const TURNS = 1 << 16;
const BATCH = 64;
/** Copying or filling of memory counts by its size: so many bytes, as a power of two, take about as long as a turn. */
const BULK_SHIFT = 4;

/** A branch to so many targets is where an interpreter goes by its instructions. */
const INTERPRETER_TARGETS = 200;

const Section = { TYPE: 1, IMPORT: 2, FUNCTION: 3, TABLE: 4, GLOBAL: 6, EXPORT: 7, CODE: 10 } as const;
const I32 = 0x7f;

/** By what name the module's table of functions is exported. */
export const ENGINE_TABLE = "table";

/** Reads a module from its bytes. Every read past the end throws RangeError. */
class Reader {
  constructor(readonly bytes: Uint8Array, public at = 0, readonly end = bytes.length) {}

  byte(): number {
    if (this.at >= this.end) throw new RangeError("the WebAssembly module ends too soon");
    return this.bytes[this.at++]!;
  }

  /** An unsigned LEB128 of 32 bits. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number of the WebAssembly module is too long");
  }

  skipNumbers(count: number): void {
    for (let i = 0; i < count; i++) while (this.byte() >= 0x80);
  }

  skip(bytes: number): void {
    this.at += bytes;
    if (this.at > this.end) throw new RangeError("the WebAssembly module ends too soon");
  }

  text(): string {
    const length = this.number(), from = this.at;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(from, this.at));
  }
}

/** Collects the bytes of the new module. */
class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  put(bytes: ArrayLike<number>): void {
    const need = this.#length + bytes.length;
    if (need > this.#bytes.length) {
      const larger = new Uint8Array(need * 2);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = need;
  }

  /** The bytes behind their length. */
  sized(bytes: Uint8Array): void {
    this.put(leb(bytes.length));
    this.put(bytes);
  }

  reset(): void {
    this.#length = 0;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** LEB128 of an unsigned number, or of a signed one that is not negative. */
function leb(value: number, signed = false): number[] {
  const bytes: number[] = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>>= 7;
    if (value === 0 && !(signed && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/**
 * The module with the meter, which also exports its table, where it has one, as {@linkcode ENGINE_TABLE}. `ask`: the name of a function that it imports already, of type `(i32) -> i32`: the meter
 * calls it with 0, and traps where the answer is not 0. Throws RangeError at what is no module or holds instructions
 * that are not known here, TypeError where there is no such import.
 */
export function meterLoops(module: Uint8Array, ask: string): Uint8Array<ArrayBuffer> {
  const input = new Reader(module), output = new Writer(module.length * 2);
  output.put(module.subarray(0, 8));
  input.skip(8);
  let imported = 0, tables = 0, globals = 0, importedGlobals = 0, asked = -1;
  /** Of each type how many parameters it has; of each function its type. */
  const parameters: number[] = [], typeOf: number[] = [];
  while (input.at < module.length) {
    const id = input.byte(), length = input.number();
    const section = new Reader(module, input.at, input.at + length);
    input.skip(length);
    const count = id === 0 ? 0 : section.number();
    const entries = section.at;
    const added = (bytes: ArrayLike<number>) => {
      const whole = new Writer(length + bytes.length + 8);
      whole.put(leb(count + 1));
      whole.put(module.subarray(entries, section.end));
      whole.put(bytes);
      output.put([id]);
      output.sized(whole.view);
    };
    if (id === Section.TYPE) {
      for (let i = 0; i < count; i++) {
        if (section.byte() !== 0x60) {
          throw new RangeError("a type of the WebAssembly module is no function's");
        }
        parameters.push(section.number());
        section.skip(parameters.at(-1)!);
        section.skip(section.number());
      }
      added([0x60, 1, I32, 0]);
      continue;
    } else if (id === Section.IMPORT) {
      for (let i = 0; i < count; i++) {
        section.text();
        const name = section.text(), kind = section.byte();
        if (kind === 0) {
          if (name === ask) asked = imported;
          imported++;
          section.number();
        } else if (kind === 3) {
          importedGlobals++;
          section.skip(2);
        } else {
          if (kind === 1) section.skip(1);
          const most = section.byte() & 1;
          section.skipNumbers(1 + most);
        }
      }
    } else if (id === Section.FUNCTION) {
      for (let i = 0; i < count; i++) typeOf.push(section.number());
      added(leb(parameters.length));
      continue;
    } else if (id === Section.TABLE) {
      tables = count;
    } else if (id === Section.GLOBAL) {
      globals = importedGlobals + count;
      added([I32, 1, 0x41, ...leb(TURNS, true), 0x0b]);
      continue;
    } else if (id === Section.EXPORT && tables > 0) {
      added([ENGINE_TABLE.length, ...new TextEncoder().encode(ENGINE_TABLE), 1, 0]);
      continue;
    } else if (id === Section.CODE) {
      if (asked < 0) throw new TypeError(`the WebAssembly module imports no function "${ask}"`);
      const turns = leb(globals), book = [0x10, ...leb(imported + typeOf.length)];
      const whole = new Writer(length * 2), body = new Writer(65536);
      whole.put(leb(count + 1));
      for (let i = 0; i < count; i++) {
        const size = section.number();
        body.reset();
        const own = parameters[typeOf[i] ?? -1];
        if (own === undefined) throw new RangeError(`function ${i} of the WebAssembly module has no type`);
        meterBody(new Reader(module, section.at, section.at + size), body, own, book);
        section.skip(size);
        whole.sized(body.view);
      }
      // if ((turns -= the argument) <= 0) { turns = TURNS; if (ask(0)) unreachable }
      whole.sized(Uint8Array.from([
        ...[0, 0x23, ...turns, 0x20, 0, 0x6b, 0x24, ...turns, 0x23, ...turns, 0x41, 0, 0x4c, 0x04, 0x40],
        ...[0x41, ...leb(TURNS, true), 0x24, ...turns],
        ...[0x41, 0, 0x10, ...leb(asked), 0x04, 0x40, 0x00, 0x0b, 0x0b, 0x0b],
      ]));
      output.put([id]);
      output.sized(whole.view);
      continue;
    }
    output.put([id]);
    output.sized(module.subarray(input.at - length, input.at));
  }
  return output.bytes;
}

/**
 * Copies a function's body, and has it book the turns of its loops and its bulk operations. The interpreter itself
 * is left as it is: its loop turns once an instruction, and asks its interrupt handler.
 *
 * @param parameters how many the function has: its variables are numbered after them
 * @param book the call of the function that books as many turns as its argument says
 */
function meterBody(input: Reader, output: Writer, parameters: number, book: readonly number[]): void {
  const { bytes, end, at: begin } = input;
  const groups = input.number(), variables = input.at;
  let counter = parameters, changed = false;
  for (let i = 0; i < groups; i++) {
    counter += input.number();
    input.skip(1);
  }
  output.put(leb(groups + 1));
  output.put(bytes.subarray(variables, input.at));
  output.put([2, I32]);
  // if ((++counter & BATCH - 1) === 0) book(BATCH)
  const turn = [
    ...[0x20, ...leb(counter), 0x41, 1, 0x6a, 0x22, ...leb(counter), 0x41, ...leb(BATCH - 1, true), 0x71],
    ...[0x45, 0x04, 0x40, 0x41, ...leb(BATCH, true), ...book, 0x0b],
  ];
  // The size is on top of the stack: book(1 + (size >>> BULK_SHIFT)), and put it back.
  const size = leb(counter + 1);
  const bulk = [
    ...[0x22, ...size, 0x41, BULK_SHIFT, 0x76, 0x41, 1, 0x6a, ...book, 0x20, ...size],
  ];
  let copied = input.at;
  const copyUntil = (to: number) => {
    output.put(bytes.subarray(copied, to));
    copied = to;
  };
  let at = input.at;
  while (at < end) {
    const start = at, code = bytes[at++]!;
    let numbers = IMMEDIATES[code]!;
    if (numbers === UNKNOWN) throw new RangeError(`unknown WebAssembly instruction 0x${code.toString(16)}`);
    if (numbers === SPECIAL) {
      input.at = at;
      numbers = 0;
      if (code === 0x43) input.skip(4);
      else if (code === 0x44) input.skip(8);
      else if (code === 0x0e) {
        const targets = input.number();
        if (targets >= INTERPRETER_TARGETS) {
          output.reset();
          return output.put(bytes.subarray(begin, end));
        }
        input.skipNumbers(targets + 1);
      } else {
        const more = input.number();
        if (more > 11) throw new RangeError(`unknown WebAssembly instruction 0xfc ${more}`);
        if (more === 8 || more >= 10) {
          copyUntil(start);
          output.put(bulk);
          changed = true;
        }
        numbers = more < 8 ? 0 : more === 8 || more === 10 ? 2 : 1;
      }
      at = input.at;
    }
    while (numbers-- > 0) while (bytes[at++]! >= 0x80);
    if (code === 0x03) {
      copyUntil(at);
      output.put(turn);
      changed = true;
    }
  }
  if (at !== end) throw new RangeError("a function of the WebAssembly module ends too soon");
  copyUntil(end);
  if (changed) return;
  output.reset();
  output.put(bytes.subarray(begin, end));
}

/** How many LEB128 numbers follow an instruction, by its code; `SPECIAL` where it is not so simple. */
const UNKNOWN = 255, SPECIAL = 254;
const IMMEDIATES = immediates();

function immediates(): Uint8Array {
  const table = new Uint8Array(256).fill(UNKNOWN);
  table.fill(2, 0x28, 0x3f); // loads and stores: alignment and offset
  table.fill(0, 0x45, 0xc5); // arithmetic
  // unreachable, nop, else, end, return, drop, select
  for (const code of [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b]) table[code] = 0;
  // block, loop, if, br, br_if, call; locals and globals; memory.size and .grow; i32.const, i64.const
  for (const code of [0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x3f, 0x40, 0x41, 0x42]) table[code] = 1;
  table.fill(1, 0x20, 0x25);
  table[0x11] = 2; // call_indirect
  // br_table, f32.const, f64.const, and what goes by two codes
  for (const code of [0x0e, 0x43, 0x44, 0xfc]) table[code] = SPECIAL;
  return table;
}

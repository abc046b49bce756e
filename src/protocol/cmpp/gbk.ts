/**
 * Writing GBK. The runtime reads it; the way back is a table that is made from what it reads, on first use.
 *
 * @module
 */
let table: ReadonlyMap<string, number> | undefined;

/** The octets of `text` in GBK; undefined where it has a character that GBK does not. */
export function encodeGbk(text: string): Uint8Array<ArrayBuffer> | undefined {
  table ??= makeTable();
  const octets: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) octets.push(code);
    else {
      const pair = table.get(character);
      if (pair === undefined) return undefined;
      octets.push(pair >> 8, pair & 0xff);
    }
  }
  return Uint8Array.from(octets);
}

/** The text of octets in GBK; what is none becomes U+FFFD. */
export function decodeGbk(octets: Uint8Array): string {
  return new TextDecoder("gbk").decode(octets);
}

/** Reads every pair of octets that GBK has: 0x81 to 0xFE, then 0x40 to 0xFE without 0x7F. */
function makeTable(): Map<string, number> {
  const made = new Map<string, number>(), decoder = new TextDecoder("gbk");
  for (let first = 0x81; first <= 0xfe; first++) {
    for (let second = 0x40; second <= 0xfe; second++) {
      if (second === 0x7f) continue;
      const character = decoder.decode(Uint8Array.of(first, second));
      const code = character.codePointAt(0)!;
      // Pairs that stand for nothing read as U+FFFD (and more); those for private use are no text.
      const single = character.length === (code > 0xffff ? 2 : 1);
      if (!single || code === 0xfffd || (code >= 0xe000 && code <= 0xf8ff)) continue;
      if (!made.has(character)) made.set(character, first << 8 | second);
    }
  }
  return made;
}

/**
 * Randomness as a dependency: the system's for real use, a seeded one for tests and simulations.
 *
 * @module
 */

/** A source of random values. */
export interface Random {
  /** `length` random bytes, in a fresh array. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** A number in [0, 1). Not for secrets. */
  float(): number;
}

/** The operating system's randomness: the only one fit for challenges, tokens and keys. */
export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  float: () => Math.random(),
};

/** A repeatable sequence (mulberry32) for tests and simulations. Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const float = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  return { float, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(float() * 256)) };
}

// SPDX-License-Identifier: Apache-2.0

const HASHES = 7;
const BITS_A_KEY = 16;
const MIN_BITS = 2 ** 16;
/** 32 MiB, for 25 million keys at one wrong answer in a hundred. */
const MAX_BITS = 2 ** 28;

/**
 * A set of keys in fixed memory that forgets none, but may believe to hold one that it does not (a Bloom filter). Each
 * has a salt of its own, so that a key which one mistakes is not mistaken by the next.
 */
export class KeyFilter {
  readonly #words: Uint32Array;
  readonly #mask: number;
  readonly #salt: number;

  /** @param expected about how many keys it will hold */
  constructor(expected: number, salt: string) {
    const bits = Math.min(MAX_BITS, Math.max(MIN_BITS, 2 ** Math.ceil(Math.log2(Math.max(1, expected) * BITS_A_KEY))));
    this.#words = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
    this.#salt = hash(salt, 0x811c9dc5);
  }

  add(key: string): void {
    for (const bit of this.#bitsOf(key)) this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }

  mayHave(key: string): boolean {
    return this.#bitsOf(key).every((bit) => ((this.#words[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0);
  }

  #bitsOf(key: string): number[] {
    const first = hash(key, this.#salt);
    const step = hash(key, first) | 1;
    return Array.from({ length: HASHES }, (_, at) => ((first + Math.imul(at, step)) >>> 0) & this.#mask);
  }
}

/** FNV-1a, with its bits mixed once more at the end, as keys that differ in their last characters are the rule here. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../errors.ts';
import type { Compression } from '../media-types.ts';

/** How many bytes `detectCompression` needs to see, at most. */
const MAGIC_LENGTH = 10;

/** In hexadecimal. Those of compressions that begin with letters are long enough to be no file's name. */
const MAGIC: readonly (readonly [name: Compression | 'xz' | 'bzip2' | 'lz4', start: RegExp])[] = [
  ['gzip', /^1f8b/],
  ['zstd', /^28b52ffd/],
  ['xz', /^fd377a585a00/],
  ['bzip2', /^425a683[1-9]314159265359/],
  ['lz4', /^04224d18/],
];

/**
 * How a tar archive is compressed.
 *
 * @param head its first bytes, as `peek` gives them
 * @throws ImageError `COMPRESSION_INVALID` for a compression that is not read here
 */
export function detectCompression(head: Uint8Array): Compression {
  const hex = Buffer.from(head).toString('hex');
  const found = MAGIC.find(([, start]) => start.test(hex))?.[0] ?? 'none';
  if (found === 'none' || found === 'gzip' || found === 'zstd') return found;
  throw new ImageError('COMPRESSION_INVALID', `it is compressed with ${found}, which is not supported`, {
    hint: 'unpack it first, or use gzip or zstd',
  });
}

/** The first bytes of a stream, and the whole stream again. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ head: Buffer; whole: AsyncGenerator<Uint8Array, void, undefined> }> {
  const iterator = source[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < MAGIC_LENGTH) {
    const next = await iterator.next();
    if (next.done === true) break;
    pieces.push(next.value);
    length += next.value.length;
  }
  async function* whole(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* pieces;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(pieces).subarray(0, MAGIC_LENGTH), whole: whole() };
}

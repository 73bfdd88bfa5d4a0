// SPDX-License-Identifier: Apache-2.0
import type { Compression } from '../media-types.ts';
import { ByteReader } from './byte-reader.ts';
import { decompress } from './decompress.ts';
import type { LayerFile } from './entry.ts';
import { HeaderReader } from './header-reader.ts';
import { BLOCK, damaged, padding } from './ustar.ts';

export interface ReadLayerOptions {
  compression: Compression;
  /** Most bytes that the layer may unpack to. Default: 16 GiB. */
  limit?: number;
  /**
   * `strict` (default) is for layers that uk writes: names are UTF-8, and nothing but zeros follows the end of the
   * archive. `foreign` is for layers of container images: names are any bytes, and `path`, `linkname` and the names of
   * extended attributes hold one character (U+0000 to U+00FF) for each byte. As with Go's archive/tar, the archive may
   * lack its closing blocks, and bytes behind them mean nothing.
   */
  origin?: 'strict' | 'foreign';
}

export const DEFAULT_LIMIT = 16 * 1024 ** 3;

/**
 * Reads a layer entry by entry. Paths are cleaned (a leading `/` or `./` goes), `..` is refused; whether a path leads
 * through a link is the caller's concern, as is the order of links and their targets.
 *
 * @param source the blob, already verified against its digest
 * @throws ImageError `LAYER_INVALID`, `COMPRESSION_INVALID`
 */
export async function* readLayer(
  source: AsyncIterable<Uint8Array>,
  options: ReadLayerOptions,
): AsyncGenerator<LayerFile, void, undefined> {
  const { compression, limit = DEFAULT_LIMIT, origin = 'strict' } = options;
  const reader = new ByteReader(decompress(source, compression, limit), () => damaged('no end: it is cut off'));
  try {
    const headers = new HeaderReader(reader, origin);
    for (let header = await headers.next(); header !== undefined; header = await headers.next()) {
      const content = new Content(reader, header.size);
      yield Object.assign(header, { offset: reader.position, content });
      await content.finish();
    }
    if (origin === 'strict') await readEnd(reader);
    else await reader.drain();
  } finally {
    await reader.close();
  }
}

/** The content of one entry, and the padding behind it. */
class Content implements AsyncIterable<Buffer> {
  readonly #reader: ByteReader;
  readonly #size: number;
  #rest: number;

  constructor(reader: ByteReader, size: number) {
    this.#reader = reader;
    this.#size = size;
    this.#rest = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    // Counted before a piece is given away: whoever stops in the middle leaves the reader where it is.
    for await (const piece of this.#reader.pieces(this.#rest)) {
      this.#rest -= piece.length;
      yield piece;
    }
  }

  async finish(): Promise<void> {
    await this.#reader.skip(this.#rest + padding(this.#size));
    this.#rest = 0;
  }
}

/** Behind the first block of zeros stands a second, and nothing but zeros (tar fills up its last record). */
async function readEnd(reader: ByteReader): Promise<void> {
  if (await reader.atEnd()) throw damaged('only one of the two blocks that end it');
  while (!(await reader.atEnd())) {
    const block = await reader.read(BLOCK);
    if (!block.every((byte) => byte === 0)) throw damaged('bytes behind its end');
  }
}

// SPDX-License-Identifier: Apache-2.0
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { formatIndex, type IndexEntry, parseIndex } from '../../../image-format/root/index.ts';

/** The files of a layer, without their contents. */
export interface IndexedLayer {
  entries: readonly IndexEntry[];
  /** For each entry what tells its content from others: of a file a part of its hash, else ''. */
  contents: readonly string[];
  /** Bytes of the plain archive. */
  unpacked: number;
  /** A few small files that pages show, by their paths. */
  texts: Readonly<Record<string, string>>;
}

/** Version of the format below; an index of another one is made again. */
export const INDEX_VERSION = 1;

const MOST_BYTES = 512 * 1024 * 1024;

/** Three lines, compressed with zstd: what is about the layer, the entries, the marks of contents. */
export function encodeLayer({ entries, contents, unpacked, texts }: IndexedLayer): Buffer {
  const lines = [JSON.stringify({ unpacked, texts }), formatIndex(entries), JSON.stringify(contents)];
  return zstdCompressSync(lines.join('\n'));
}

/** Reads what {@link encodeLayer} has written. */
export function decodeLayer(bytes: Uint8Array): IndexedLayer {
  const lines = zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES }).toString('utf8').split('\n');
  const [head = '', entries = '', contents = ''] = lines;
  return { ...JSON.parse(head), entries: parseIndex(entries), contents: JSON.parse(contents) };
}

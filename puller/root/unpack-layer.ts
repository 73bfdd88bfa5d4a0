// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Compression, type Digest, ImageError } from '../../image-format/index.ts';
import { decompress, type LayerFile, readLayer } from '../../image-format/layers/index.ts';
import { formatIndex, type IndexEntry } from '../../image-format/root/index.ts';
import { PullerError } from '../errors.ts';
import { INDEX, TAR } from './file-names.ts';
import { TarFile } from './tar-file.ts';

/** Most bytes that a layer may unpack to: 512-byte blocks are counted with 32 bits. */
export const LAYER_MAX = 2 ** 31 * 512;

/** Most entries of a layer: all of them are in memory when a root is made. */
const ENTRIES_MAX = 4_000_000;

export interface LayerInput {
  /** The blob, verified against its digest. */
  blob: AsyncIterable<Uint8Array>;
  compression: Compression;
  diffId: Digest;
  signal?: AbortSignal | undefined;
  /** Told how many bytes are unpacked so far. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Unpacks a layer into `folder`: the plain tar archive, from which a guest reads files directly, and an index of its
 * entries. The archive is verified against its diff_id before this returns.
 *
 * @returns bytes of the archive's file
 * @throws ImageError `DIGEST_MISMATCH`, `LAYER_INVALID`, `COMPRESSION_INVALID`; PullerError `IMAGE_UNSUPPORTED`
 */
export async function unpackLayer(folder: string, input: LayerInput): Promise<number> {
  const { blob, compression, diffId, signal, onProgress } = input;
  const tar = await TarFile.create(join(folder, TAR), diffId);
  try {
    const entries: IndexEntry[] = [];
    let reported = 0;
    const plain = tar.copy(decompress(blob, compression, LAYER_MAX));
    for await (const file of readLayer(plain, { compression: 'none', limit: LAYER_MAX, origin: 'foreign' })) {
      if (entries.length >= ENTRIES_MAX) throw tooMany();
      entries.push(indexEntry(file));
      if (file.offset - reported > 2 ** 24) {
        reported = file.offset;
        signal?.throwIfAborted();
        onProgress?.(reported);
      }
    }
    const size = await tar.finish();
    await writeFile(join(folder, INDEX), formatIndex(entries), { flag: 'wx', mode: 0o600 });
    return size;
  } catch (error) {
    // A layer that is not what its diff_id says often does not even parse; both are the same fault.
    throw error instanceof ImageError ? named(error, diffId) : error;
  } finally {
    await tar.close();
  }
}

function indexEntry(file: LayerFile): IndexEntry {
  const { path, type, mode, uid, gid, mtime, size, offset, linkname = '', devmajor = 0, devminor = 0 } = file;
  const xattrs = [...(file.xattrs ?? [])].map(
    ([name, value]) =>
      [name, Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')] as [string, string],
  );
  const blockOffset = size === 0 ? 0 : offset;
  return {
    ...{ path, type, mode, uid, gid, mtime, size, offset: blockOffset },
    ...{ target: linkname, major: devmajor, minor: devminor, xattrs },
  };
}

function named(error: ImageError, diffId: Digest): ImageError {
  return new ImageError(error.code, `layer ${diffId.slice(0, 19)}…: ${error.message}`, { cause: error });
}

function tooMany(): PullerError {
  return new PullerError('IMAGE_UNSUPPORTED', `a layer has more than ${ENTRIES_MAX} entries`);
}

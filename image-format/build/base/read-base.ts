// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ImageError } from '../../errors.ts';
import { decompress, type EntryHeader, type LayerFile, readLayer } from '../../layers/index.ts';
import type { ContentStore } from '../../layout/store.ts';
import { layerCompression } from '../../media-types.ts';
import { VerifiedStream } from '../../verified-stream.ts';
import type { Layer } from '../request.ts';
import { BaseTree } from './base-tree.ts';

/** Files of the base whose content says where libraries are looked for. */
const LIBRARY_FOLDERS = /^etc\/(?:ld\.so\.cache|ld\.so\.conf(?:\.d\/[^/]+)?|ld-musl-x86_64\.path)$/;
const MAX_CONTENT = 16 * 1024 * 1024;
const MAX_LAYER = 64 * 1024 ** 3;

/** What a new image is built on. */
export interface Base {
  tree: BaseTree;
  /** Contents of the files that say where libraries are looked for, by path. */
  contents: ReadonlyMap<string, Buffer>;
}

/**
 * Reads layers whole: each is checked to unpack to what its diff_id says, and to be of the size that is said.
 *
 * @throws ImageError that names the layer: `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `LAYER_INVALID`, `COMPRESSION_INVALID`,
 *   `NOT_FOUND`
 */
export async function readBase(store: ContentStore, layers: readonly Layer[], signal?: AbortSignal): Promise<Base> {
  const tree = new BaseTree();
  const contents = new Map<string, Buffer>();
  for (const [index, layer] of layers.entries()) {
    try {
      const headers: Omit<EntryHeader, 'size' | 'mtime'>[] = [];
      for await (const { content, size, mtime: _, ...named } of verifiedEntries(store, layer, signal)) {
        const header = { ...named, path: textOf(named.path) };
        if (named.linkname !== undefined) header.linkname = textOf(named.linkname);
        headers.push(header);
        if (header.type !== 'file' || !LIBRARY_FOLDERS.test(header.path)) continue;
        contents.set(header.path, size > MAX_CONTENT ? Buffer.alloc(0) : await collect(content));
      }
      tree.apply(headers);
    } catch (error) {
      throw named(error, `layer ${index + 1} of ${layers.length} (${layer.descriptor.digest})`);
    }
  }
  return { tree, contents };
}

/** The entries of a layer; the loop ends without an error only if all bytes are what the diff_id says. */
async function* verifiedEntries(
  store: ContentStore,
  { descriptor, diffId }: Layer,
  signal: AbortSignal | undefined,
): AsyncGenerator<LayerFile> {
  const stored = await store.stat(descriptor.digest);
  if (stored !== undefined && stored !== descriptor.size) {
    throw new ImageError('SIZE_MISMATCH', `the manifest says ${descriptor.size} bytes, it has ${stored}`);
  }
  const compression = layerCompression(descriptor.mediaType) ?? 'none';
  const unpacked = Readable.from(decompress(store.stream(descriptor.digest), compression, MAX_LAYER), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
  const verified = new VerifiedStream({ digest: diffId });
  const flow = pipeline(unpacked, verified, signal === undefined ? {} : { signal });
  // The loop below throws the same.
  flow.catch(() => {});
  yield* readLayer(verified, { compression: 'none', limit: MAX_LAYER, origin: 'foreign' });
  await flow;
}

/**
 * A name of a foreign layer as text. One that is not UTF-8 becomes text that nobody can have typed, so that no added file
 * is taken to be in its place: each byte from 0x80 on is a lone surrogate, as Python's `surrogateescape` has it.
 */
function textOf(name: string): string {
  const bytes = Buffer.from(name, 'latin1');
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return name.replaceAll(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

async function collect(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function named(error: unknown, which: string): unknown {
  if (!(error instanceof ImageError)) return error;
  const what = error.code === 'DIGEST_MISMATCH' ? 'does not unpack to its diff_id: ' : '';
  return new ImageError(error.code, `${which}: ${what}${error.message}`, { cause: error, hint: error.hint });
}

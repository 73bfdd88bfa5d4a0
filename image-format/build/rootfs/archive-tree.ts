// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { ImageError } from '../../errors.ts';
import { decompress, detectCompression, FileNames, type LayerEntry, peek, readLayer } from '../../layers/index.ts';
import type { ContentStore } from '../../layout/store.ts';

const READ_STEP = 1024 * 1024;
/** Most bytes that a compressed archive may unpack to. */
const LIMIT = 256 * 1024 ** 3;

/** Attributes that belong to the machine where the archive was made: labels, signatures and overlays of its kernel. */
const MACHINES_OWN = /^(?:trusted\.|security\.(?!capability$))/;

/**
 * All that is in a tar archive of this machine, plain or compressed, as the root of an image. The contents of files are
 * not held in memory: they are read from the archive when the layer is written. A compressed archive is unpacked into
 * the store for that; the unpacked archive has no name, so it is collected later.
 *
 * @throws ImageError `SOURCE_INVALID`, `LAYER_INVALID`, `COMPRESSION_INVALID`, `STORE_IO`
 */
export async function archiveTree(
  file: string,
  store: ContentStore,
  options: { signal?: AbortSignal } = {},
): Promise<LayerEntry[]> {
  try {
    return await readTree(await plainArchive(file, store, options));
  } catch (cause) {
    if (!(cause instanceof ImageError) || cause.code === 'STORE_IO') throw cause;
    throw new ImageError(cause.code, `${file}: ${cause.message}`, { cause, hint: cause.hint });
  }
}

async function plainArchive(file: string, store: ContentStore, options: { signal?: AbortSignal }): Promise<string> {
  const source = createReadStream(file, { highWaterMark: READ_STEP });
  try {
    const { head, whole } = await peek(source);
    const compression = detectCompression(head);
    if (compression === 'none') return file;
    const unpacked = Readable.from(decompress(whole, compression, LIMIT), { objectMode: false });
    const { digest } = await store.ingest(unpacked, options);
    return await store.path(digest);
  } catch (cause) {
    if (cause instanceof ImageError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new ImageError('SOURCE_INVALID', `cannot read it: ${(cause as Error).message}`, { cause });
  } finally {
    source.destroy();
  }
}

async function readTree(plain: string): Promise<LayerEntry[]> {
  const names = new FileNames();
  const seen = new Set<string>();
  const source = createReadStream(plain, { highWaterMark: READ_STEP });
  const entries = readLayer(source, { compression: 'none', limit: Number.MAX_SAFE_INTEGER });
  for await (const { content: _, mtime: __, size, offset, xattrs, ...header } of entries) {
    seen.add(header.path);
    const kept = [...(xattrs ?? [])].filter(([name]) => !MACHINES_OWN.test(name));
    names.add({
      ...header,
      ...(kept.length === 0 ? {} : { xattrs: new Map(kept) }),
      ...(header.type === 'file' ? { source: { partOf: plain, start: offset, size } } : {}),
    });
  }
  refuseImage(seen);
  return names.entries();
}

/** An archive of an image has its layers as files; nobody wants those as the root. */
function refuseImage(paths: ReadonlySet<string>): void {
  const docker = paths.has('manifest.json') && (paths.has('repositories') || paths.has('oci-layout'));
  if (!docker && !(paths.has('oci-layout') && paths.has('index.json'))) return;
  throw new ImageError('SOURCE_INVALID', 'it is an archive of an image, not of a root file system', {
    hint: docker ? 'write --from-image docker-archive:FILE' : 'unpack it into a folder, and write --from-image oci:DIR',
  });
}

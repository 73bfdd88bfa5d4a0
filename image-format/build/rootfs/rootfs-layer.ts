// SPDX-License-Identifier: Apache-2.0
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../../errors.ts';
import { writeLayer } from '../../layers/index.ts';
import type { ContentStore } from '../../layout/store.ts';
import { layerMediaType } from '../../media-types.ts';
import { sourceDateEpoch } from '../manifest/source-date.ts';
import type { BuildOptions, Layer } from '../request.ts';
import { archiveTree } from './archive-tree.ts';
import { folderTree, isFolder } from './folder-tree.ts';

/**
 * Makes one layer of a root file system: a folder of this machine, or a tar archive (plain, gzip or zstd). The same
 * tree gives the same layer. `buildOnBase` takes it as its base.
 *
 * @throws ImageError `SOURCE_INVALID`, `LAYER_INVALID`, `COMPRESSION_INVALID`, `STORE_IO`
 */
export async function rootfsLayer(path: string, store: ContentStore, options: BuildOptions = {}): Promise<Layer> {
  const { compression = 'zstd', signal, onProgress = () => {} } = options;
  const abort = signal === undefined ? {} : { signal };
  const mtime = sourceDateEpoch(options.sourceDateEpoch) ?? 0;
  const folder = await isFolder(path);
  if (folder) await refuseLayout(path);
  const warn = (warning: string) => onProgress({ phase: 'closure', warning });
  const entries = folder ? await folderTree(path, warn) : await archiveTree(path, store, abort);
  onProgress({ phase: 'closure', files: entries.length });
  onProgress({ phase: 'layer', layer: 'deps' });
  const { diffId, digest, size } = await writeLayer(entries, store, { compression, mtime, ...abort });
  onProgress({ phase: 'layer', layer: 'deps', size });
  return { descriptor: { mediaType: layerMediaType(compression), digest, size }, diffId };
}

async function refuseLayout(folder: string): Promise<void> {
  const found = await Promise.all(['oci-layout', 'index.json', 'blobs'].map((name) => isThere(join(folder, name))));
  if (!found.every(Boolean)) return;
  throw new ImageError('SOURCE_INVALID', `an image layout, not a root file system: ${folder}`, {
    hint: `write --from-image oci:${folder}`,
  });
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

// SPDX-License-Identifier: Apache-2.0
import { checkLayerTypes, checkPlatform, isImageConfig, unusable } from '../../check-image.ts';
import type { Descriptor } from '../../descriptor.ts';
import type { Digest } from '../../digest.ts';
import { type ImageConfig, parseImageConfig } from '../../image-config.ts';
import { MANIFEST_LIMIT } from '../../layout/reach.ts';
import type { ContentStore } from '../../layout/store.ts';
import { type Manifest, parseManifestDocument } from '../../manifest.ts';
import { notPulled, selectManifest } from '../../select-manifest.ts';
import type { Layer } from '../request.ts';

/** An image for linux on amd64, whoever made it. */
export interface ReadImage {
  /** The manifest's: where the descriptor named an index, the chosen one's. */
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
  /** In the order in which they are applied. */
  layers: Layer[];
}

/**
 * Reads the manifest and the config of an image, and checks that they fit: linux on amd64, as many diff_ids as layers,
 * layers of a type and size that can be read. Whether the layers are what their diff_ids say shows when they are read.
 *
 * @param descriptor of a manifest or of an index
 * @param profile which manifest of an index. Default: the first that the store holds
 * @throws ImageError `MANIFEST_INVALID`, `CONFIG_INVALID`, `NOT_FOUND`
 */
export async function readImage(store: ContentStore, descriptor: Descriptor, profile?: string): Promise<ReadImage> {
  const { chosen, manifest } = await readManifest(store, descriptor, profile);
  const config = await readConfig(store, chosen, manifest);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw unusable(chosen, `it has ${manifest.layers.length} layers and ${diffIds.length} diff_ids`);
  }
  checkLayerTypes(chosen, manifest.layers);
  const layers = manifest.layers.flatMap((layer, i) => {
    const diffId = diffIds[i];
    return diffId === undefined ? [] : [{ descriptor: layer, diffId }];
  });
  return { descriptor: chosen, manifest, config, layers };
}

async function readManifest(
  store: ContentStore,
  descriptor: Descriptor,
  profile: string | undefined,
): Promise<{ chosen: Descriptor; manifest: Manifest }> {
  const document = parseManifestDocument(await store.read(descriptor.digest, MANIFEST_LIMIT), descriptor.mediaType);
  if (document.kind === 'manifest') return { chosen: descriptor, manifest: document.value };
  const held = new Set<Digest>();
  for (const { digest } of document.value.manifests) {
    if ((await store.stat(digest)) !== undefined) held.add(digest);
  }
  const chosen = selectManifest(document.value, profile, ({ digest }) => held.has(digest));
  if (!held.has(chosen.digest)) throw notPulled(chosen);
  const inner = parseManifestDocument(await store.read(chosen.digest, MANIFEST_LIMIT), chosen.mediaType);
  if (inner.kind === 'manifest') return { chosen, manifest: inner.value };
  throw unusable(chosen, 'an index of indexes');
}

async function readConfig(store: ContentStore, chosen: Descriptor, manifest: Manifest): Promise<ImageConfig> {
  const { mediaType, digest } = manifest.config;
  if (!isImageConfig(manifest.config)) {
    throw unusable(chosen, `it is no image but an artifact (${manifest.artifactType ?? mediaType})`);
  }
  const bytes = await store.read(digest, MANIFEST_LIMIT);
  const config = parseImageConfig(bytes);
  checkPlatform(chosen, bytes);
  return config;
}

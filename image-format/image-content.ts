// SPDX-License-Identifier: Apache-2.0
import { checkLayerTypes, isImageManifest } from './check-image.ts';
import type { Descriptor } from './descriptor.ts';
import { ImageError } from './errors.ts';
import { parseManifestDocument } from './manifest.ts';
import { selectManifest } from './select-manifest.ts';

/** A manifest or an index, with its bytes. */
export interface FetchedDocument {
  descriptor: Descriptor;
  bytes: Buffer;
}

/** What has to be fetched so that one image is there as a whole. */
export interface ImageContent {
  /** The image's manifest: the root, or the one chosen from it. */
  manifest: Descriptor;
  /** Signatures, charts and other artifacts are no images: they can be kept, and not run. */
  isImage: boolean;
  config: Descriptor;
  /** Each digest once. */
  layers: Descriptor[];
  /** The manifest, then the index that it is from. */
  documents: FetchedDocument[];
}

/**
 * Chooses the image that a manifest or an index stands for, and lists what it consists of. Layers that cannot be had or
 * read are refused here, before anything of them is fetched.
 *
 * @param fetch gets a manifest of the index; its bytes must be verified
 * @param profile which manifest of an index (see `selectManifest`)
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`
 */
export async function imageContent(
  root: FetchedDocument,
  fetch: (chosen: Descriptor) => Promise<FetchedDocument>,
  profile?: string,
): Promise<ImageContent> {
  const document = parseManifestDocument(root.bytes, root.descriptor.mediaType);
  if (document.kind === 'manifest') return { ...contentOf(root.descriptor, document.value), documents: [root] };
  const chosen = await fetch(selectManifest(document.value, profile));
  const inner = parseManifestDocument(chosen.bytes, chosen.descriptor.mediaType);
  if (inner.kind === 'manifest') {
    return { ...contentOf(chosen.descriptor, inner.value), documents: [chosen, root] };
  }
  throw new ImageError('MANIFEST_INVALID', `${root.descriptor.digest} is an index of indexes, which is not supported`);
}

function contentOf(manifest: Descriptor, { config, layers }: { config: Descriptor; layers: Descriptor[] }) {
  const isImage = isImageManifest({ config, layers });
  if (isImage) checkLayerTypes(manifest, layers);
  const once = new Map(layers.map((descriptor) => [descriptor.digest, descriptor]));
  once.delete(config.digest);
  return { manifest, isImage, config, layers: [...once.values()] };
}

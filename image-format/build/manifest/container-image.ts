// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION, LABEL, type LayerRole } from '../../annotations.ts';
import type { Descriptor } from '../../descriptor.ts';
import { ImageError } from '../../errors.ts';
import type { ContentStore } from '../../layout/store.ts';
import type { Layer } from '../request.ts';
import { type ReadImage, readImage } from './read-image.ts';

/** A layer, and what it is for. */
export interface RoledLayer extends Layer {
  role: LayerRole;
}

/** A plain container image: it has no kernel. */
export interface ContainerImage extends ReadImage {
  /** All of them are `deps`, in the order in which they are applied. There may be none. */
  layers: RoledLayer[];
}

/**
 * Reads a container image that was not made by uk: its manifest and config are checked, its layers are named in order.
 * Whether the layers are what their diff_ids say shows when they are read.
 *
 * @param descriptor of a manifest or of an index
 * @throws ImageError `MANIFEST_INVALID` (also for an image of ours), `CONFIG_INVALID`, `NOT_FOUND`
 */
export async function readContainerImage(store: ContentStore, descriptor: Descriptor): Promise<ContainerImage> {
  return containerImageOf(await readImage(store, descriptor));
}

/** What {@link readContainerImage} does with an image that has been read already. */
export function containerImageOf(image: ReadImage): ContainerImage {
  if (!isOurs(image)) return { ...image, layers: image.layers.map((layer) => ({ ...layer, role: 'deps' })) };
  throw new ImageError('MANIFEST_INVALID', `${image.descriptor.digest} is a unikernel image, not a container image`, {
    hint: 'it has a kernel already: uk run runs it, uk build --from changes how its program runs',
  });
}

/** Whether uk built it. A tool that copies an image keeps its config as it is; annotations it may drop. */
export function isOurs({ manifest, config }: ReadImage): boolean {
  const version = manifest.annotations?.[ANNOTATION.imageVersion];
  return version !== undefined || config.config?.Labels?.[LABEL.layerRoles] !== undefined;
}

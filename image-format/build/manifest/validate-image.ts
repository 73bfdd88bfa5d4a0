// SPDX-License-Identifier: Apache-2.0
import {
  ANNOTATION,
  IMAGE_VERSION,
  LABEL,
  LAYER_ROLES,
  type LayerRole,
  STACKED_IMAGE_VERSION,
} from '../../annotations.ts';
import type { Descriptor } from '../../descriptor.ts';
import { ImageError } from '../../errors.ts';
import type { ContentStore } from '../../layout/store.ts';
import type { Manifest } from '../../manifest.ts';
import { readKernelDescriptions } from '../kernel/kernel-descriptions.ts';
import type { Layer } from '../request.ts';
import { isOurs, type RoledLayer } from './container-image.ts';
import { type ReadImage, readImage } from './read-image.ts';

/** An image of ours, read and checked. */
export interface UnikernelImage extends ReadImage {
  /** The kernel first, then all that make the root, in the order in which they are applied; the config layer is last. */
  layers: RoledLayer[];
  /** Whether a later layer may replace or remove what an earlier one has (version 2 of the image). */
  stacked: boolean;
  profile: string;
  kernelVariant: string;
}

const VERSIONS: readonly string[] = [IMAGE_VERSION, STACKED_IMAGE_VERSION];

/** `kernel`, any number of `deps`, perhaps `app`, `config`. */
const STACK = /^kernel(?:,deps)*(?:,app)?,config$/;

/**
 * Reads an image and checks that it is one of ours: layers with their roles in order, as many diff_ids, linux on
 * amd64, a version that is known. Whether the layers are what their diff_ids say shows when they are read.
 *
 * @param descriptor of a manifest or of an index
 * @param options.profile which manifest of an index. Default: the first that the store holds
 * @throws ImageError `MANIFEST_INVALID`, `CONFIG_INVALID`, `NOT_FOUND`; where annotations are missing as `kernelLayerOf`
 */
export async function validateImage(
  store: ContentStore,
  descriptor: Descriptor,
  options: { profile?: string } = {},
): Promise<UnikernelImage> {
  return unikernelOf(store, await readImage(store, descriptor, options.profile));
}

/** What {@link validateImage} does with an image that has been read already. */
export async function unikernelOf(store: ContentStore, read: ReadImage): Promise<UnikernelImage> {
  const image = await withRoles(store, read);
  const roles = image.layers.map(({ role }) => role);
  if (roles.at(-1) === 'config') return image;
  const what = roles.length === 1 ? 'holds only a kernel' : `has the layers ${roles.join(', ')}`;
  throw notOurs(image.descriptor, `it ${what}; a unikernel has ${LAYER_ROLES.join(', ')}`);
}

/** An image of ours, or a kernel image: of its layers the first, or all. */
export async function readRoledImage(
  store: ContentStore,
  descriptor: Descriptor,
  options: { profile?: string },
): Promise<UnikernelImage> {
  return withRoles(store, await readImage(store, descriptor, options.profile));
}

async function withRoles(store: ContentStore, image: ReadImage): Promise<UnikernelImage> {
  const { descriptor: chosen, manifest, config } = image;
  if (!isOurs(image)) throw notOurs(chosen, 'it was not built by uk');
  const version = manifest.annotations?.[ANNOTATION.imageVersion];
  if (version !== undefined && !VERSIONS.includes(version)) {
    throw notOurs(chosen, `it is of version ${version}, and this uk knows ${VERSIONS.join(' and ')}`, 'use a newer uk');
  }
  const label = config.config?.Labels?.[LABEL.layerRoles] ?? '';
  const roles = label === '' ? [] : label.split(',');
  // Where a tool has dropped the annotation, what only the second version has shows it.
  const stacked = version === STACKED_IMAGE_VERSION || (version === undefined && label !== LAYER_ROLES.join(','));
  if (roles.length !== image.layers.length || !(isStart(roles) || (stacked && STACK.test(label)))) {
    throw notOurs(chosen, `its label ${LABEL.layerRoles} does not name its ${image.layers.length} layers`);
  }
  const layers = image.layers.map((layer, i) => ({ ...layer, role: roles[i] as LayerRole }));
  return { ...image, layers, stacked, ...(await kernelOf(store, manifest, layers[0])) };
}

function isStart(roles: readonly string[]): boolean {
  return roles.every((role, i) => role === LAYER_ROLES[i]);
}

/** As the annotations say, or where a tool has dropped them the kernel layer itself. */
async function kernelOf(
  store: ContentStore,
  { annotations }: Manifest,
  layer: Layer | undefined,
): Promise<Pick<UnikernelImage, 'profile' | 'kernelVariant'>> {
  const profile = annotations?.[ANNOTATION.profile];
  const kernelVariant = annotations?.[ANNOTATION.kernelVariant];
  if (layer === undefined || (profile && kernelVariant)) {
    return { profile: profile ?? '', kernelVariant: kernelVariant ?? '' };
  }
  const read = await readKernelDescriptions(store, layer);
  return { profile: profile || read.profile.name, kernelVariant: kernelVariant || read.variant };
}

function notOurs({ digest }: Descriptor, why: string, hint?: string): ImageError {
  return new ImageError('MANIFEST_INVALID', `${digest} is not a unikernel image of uk: ${why}`, { hint });
}

// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION, IMAGE_VERSION, LABEL, LAYER_ROLES, type LayerRole } from '../../annotations.ts';
import type { Descriptor } from '../../descriptor.ts';
import type { Digest } from '../../digest.ts';
import { ImageError } from '../../errors.ts';
import { type ImageConfig, parseImageConfig } from '../../image-config.ts';
import { MANIFEST_LIMIT } from '../../layout/reach.ts';
import type { ContentStore } from '../../layout/store.ts';
import { type Manifest, parseManifestDocument } from '../../manifest.ts';
import { layerCompression, MEDIA_TYPE } from '../../media-types.ts';
import { notPulled, selectManifest } from '../../select-manifest.ts';
import { readKernelDescriptions } from '../kernel/kernel-descriptions.ts';
import type { Layer } from '../request.ts';

/** An image of ours, read and checked. */
export interface UnikernelImage {
  /** The manifest's: where the descriptor named an index, the chosen one's. */
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
  layers: Record<LayerRole, Layer>;
  profile: string;
  kernelVariant: string;
}

/**
 * Reads an image and checks that it is one of ours: four layers with their roles in order, as many diff_ids, linux on
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
  const image = await readRoledImage(store, descriptor, options);
  const [kernel, deps, app, config] = image.layers;
  if (
    kernel === undefined ||
    deps === undefined ||
    app === undefined ||
    config === undefined ||
    image.layers.length > 4
  ) {
    const what = image.layers.length === 1 ? 'holds only a kernel' : `has the layers ${image.roles.join(', ')}`;
    throw notOurs(image.descriptor, `it ${what}; a unikernel has ${LAYER_ROLES.join(', ')}`);
  }
  const { layers: _, roles: __, ...rest } = image;
  return { ...rest, layers: { kernel, deps, app, config } };
}

export interface RoledImage extends Omit<UnikernelImage, 'layers'> {
  layers: Layer[];
  roles: LayerRole[];
}

/** An image of ours, or a kernel image: the first one, or all, of the four layers. */
export async function readRoledImage(
  store: ContentStore,
  descriptor: Descriptor,
  options: { profile?: string },
): Promise<RoledImage> {
  const { chosen, manifest } = await readManifest(store, descriptor, options.profile);
  const version = manifest.annotations?.[ANNOTATION.imageVersion];
  const config = await readConfig(store, chosen, manifest);
  const labels = config.config?.Labels ?? {};
  const roles = labels[LABEL.layerRoles]?.split(',') ?? [];
  // Tools that copy an image keep its config as it is; annotations they may drop.
  if (version === undefined && labels[LABEL.layerRoles] === undefined) throw notOurs(chosen, 'it was not built by uk');
  if (version !== undefined && version !== IMAGE_VERSION) {
    throw notOurs(chosen, `it is of version ${version}, and this uk knows ${IMAGE_VERSION}`, 'use a newer uk');
  }
  if (roles.length !== manifest.layers.length || !roles.every((role, i) => role === LAYER_ROLES[i])) {
    throw notOurs(chosen, `its label ${LABEL.layerRoles} does not name its ${manifest.layers.length} layers`);
  }
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw notOurs(chosen, `it has ${manifest.layers.length} layers and ${diffIds.length} diff_ids`);
  }
  const layers = manifest.layers.flatMap((layer, i) => {
    const diffId = diffIds[i];
    if (layerCompression(layer.mediaType) === undefined) throw notOurs(chosen, `a layer of type ${layer.mediaType}`);
    return diffId === undefined ? [] : [{ descriptor: layer, diffId }];
  });
  const kernel = await kernelOf(store, manifest, layers[0]);
  return { descriptor: chosen, manifest, config, layers, roles: roles as LayerRole[], ...kernel };
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
  throw notOurs(chosen, 'an index of indexes');
}

async function readConfig(store: ContentStore, chosen: Descriptor, manifest: Manifest): Promise<ImageConfig> {
  const { mediaType, digest } = manifest.config;
  if (mediaType !== MEDIA_TYPE.config && mediaType !== MEDIA_TYPE.dockerConfig) {
    throw notOurs(chosen, `it is no image but an artifact (${manifest.artifactType ?? mediaType})`);
  }
  const config = parseImageConfig(await store.read(digest, MANIFEST_LIMIT));
  if (config.os !== 'linux' || config.architecture !== 'amd64') {
    throw notOurs(chosen, `it is for ${config.os} on ${config.architecture}`);
  }
  return config;
}

function notOurs({ digest }: Descriptor, why: string, hint?: string): ImageError {
  return new ImageError('MANIFEST_INVALID', `${digest} is not a unikernel image of uk: ${why}`, { hint });
}

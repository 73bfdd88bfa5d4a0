// SPDX-License-Identifier: Apache-2.0
import { type Profile, parseProfile } from '../../../hardware-profiles/index.ts';
import { ImageError } from '../../errors.ts';
import { readLayer } from '../../layers/index.ts';
import type { ContentStore } from '../../layout/store.ts';
import { layerCompression } from '../../media-types.ts';
import type { Layer } from '../request.ts';
import { KERNEL_JSON_PATH, PROFILE_PATH } from './kernel-layer.ts';

const MAX_JSON = 1024 * 1024;
/** A kernel that is much larger is none of ours. */
const MAX_KERNEL_LAYER = 1024 ** 3;

/** What a kernel layer says of itself. */
export interface KernelDescriptions {
  variant: string;
  /** From `/boot/profile.json`: an image with this layer is for this profile. */
  profile: Profile;
  /** From `/boot/kernel.json`. */
  kernelJson: Record<string, unknown>;
}

/** @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`, `LAYER_INVALID`; ProfileError `PROFILE_INVALID` */
export async function readKernelDescriptions(store: ContentStore, layer: Layer): Promise<KernelDescriptions> {
  const files = await readJsonFiles(store, layer, [PROFILE_PATH, KERNEL_JSON_PATH]);
  const profile = files.get(PROFILE_PATH);
  const kernelJson = files.get(KERNEL_JSON_PATH);
  if (profile === undefined || kernelJson === undefined) {
    throw new ImageError('MANIFEST_INVALID', `the kernel layer ${layer.descriptor.digest} lacks its descriptions`);
  }
  const parsed = parseKernelJson(kernelJson, layer);
  return {
    variant: String(parsed.variant ?? ''),
    profile: parseProfile(profile, `${layer.descriptor.digest}: /${PROFILE_PATH}`),
    kernelJson: parsed,
  };
}

function parseKernelJson(bytes: Buffer, layer: Layer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Falls through to the same answer as a value of another type.
  }
  throw new ImageError(
    'MANIFEST_INVALID',
    `the kernel layer ${layer.descriptor.digest}: /${KERNEL_JSON_PATH} is damaged`,
  );
}

async function readJsonFiles(store: ContentStore, layer: Layer, paths: string[]): Promise<Map<string, Buffer>> {
  const { mediaType, digest } = layer.descriptor;
  const compression = layerCompression(mediaType) ?? 'none';
  const found = new Map<string, Buffer>();
  const options = { compression, limit: MAX_KERNEL_LAYER };
  for await (const { path, type, size, content } of readLayer(store.stream(digest), options)) {
    if (type !== 'file' || size > MAX_JSON || !paths.includes(path)) continue;
    const pieces: Buffer[] = [];
    for await (const piece of content) pieces.push(Buffer.from(piece));
    found.set(path, Buffer.concat(pieces));
  }
  return found;
}

// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from './descriptor.ts';
import { ImageError } from './errors.ts';
import { isForeignLayer, layerCompression, MEDIA_TYPE } from './media-types.ts';

/** Whether a manifest's config says that it is an image. Charts, signatures and other artifacts have configs of their own. */
export function isImageConfig({ mediaType }: Descriptor): boolean {
  return mediaType === MEDIA_TYPE.config || mediaType === MEDIA_TYPE.dockerConfig;
}

/**
 * Whether a manifest is that of an image, be it one that cannot be read. Older versions of cosign give their signatures
 * the config of an image; what they call layers is none.
 */
export function isImageManifest({ config, layers }: { config: Descriptor; layers: readonly Descriptor[] }): boolean {
  return isImageConfig(config) && (layers.length === 0 || layers.some(({ mediaType }) => LAYER_LIKE.test(mediaType)));
}

const LAYER_LIKE = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./;

/**
 * Checks that the layers of an image can be had and read. It needs the manifest only, so it comes before any transfer.
 *
 * @param image the manifest's descriptor
 * @throws ImageError `MANIFEST_INVALID` that names the layer and its media type
 */
export function checkLayerTypes(image: Descriptor, layers: readonly Descriptor[]): void {
  for (const [index, { mediaType, digest }] of layers.entries()) {
    const which = `layer ${index + 1} (${digest})`;
    if (isForeignLayer(mediaType)) {
      throw unusable(image, `${which} is foreign: it is kept elsewhere than the image (${mediaType})`);
    }
    if (layerCompression(mediaType) === undefined) {
      throw unusable(image, `${which} is of the unknown type ${mediaType}`);
    }
  }
}

/**
 * Checks that an image is for this kind of machine. It needs the config only, so it comes before the layers. A config
 * that does not say what it is for is left to whoever reads it as a whole.
 *
 * @param image the manifest's descriptor
 * @throws ImageError `MANIFEST_INVALID` that names the platform
 */
export function checkPlatform(image: Descriptor, config: Uint8Array): void {
  let said: { os?: unknown; architecture?: unknown } | null;
  try {
    said = JSON.parse(Buffer.from(config.buffer, config.byteOffset, config.length).toString('utf8'));
  } catch {
    return;
  }
  const { os, architecture } = said ?? {};
  if (typeof os !== 'string' || typeof architecture !== 'string') return;
  if (os === 'linux' && architecture === 'amd64') return;
  const platform = [os, architecture].map((part) => (/^[\w.-]{1,64}$/.test(part) ? part : JSON.stringify(part)));
  throw unusable(image, `it is for ${platform[0]} on ${platform[1]}, and only linux on amd64 can be run`);
}

export function unusable({ digest }: Descriptor, why: string): ImageError {
  return new ImageError('MANIFEST_INVALID', `${digest} cannot be used as an image: ${why}`);
}

// SPDX-License-Identifier: Apache-2.0

/** Media types of the OCI image specification 1.1 (media-types.md) and of Docker's Image Manifest V2, Schema 2. */
export const MEDIA_TYPE = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const;

/** What a client that pulls any image puts into `Accept`. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  MEDIA_TYPE.manifest,
  MEDIA_TYPE.index,
  MEDIA_TYPE.dockerManifest,
  MEDIA_TYPE.dockerManifestList,
];

export type Compression = 'zstd' | 'gzip' | 'none';

/** How a layer of that media type is compressed; undefined where it is no layer's media type. */
export function layerCompression(mediaType: string): Compression | undefined {
  switch (mediaType) {
    case MEDIA_TYPE.layerZstd:
    case MEDIA_TYPE.dockerLayerZstd:
      return 'zstd';
    case MEDIA_TYPE.layerGzip:
    case MEDIA_TYPE.dockerLayerGzip:
      return 'gzip';
    case MEDIA_TYPE.layer:
    case MEDIA_TYPE.dockerLayer:
      return 'none';
    default:
      return undefined;
  }
}

/**
 * Whether a layer is kept elsewhere than the image (Windows base layers are): registries and archives do not hold it.
 *
 * @see image-spec layer.md, "Non-Distributable Layers"
 */
export function isForeignLayer(mediaType: string): boolean {
  return /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/.test(
    mediaType,
  );
}

/** The media type of a layer of ours. */
export function layerMediaType(compression: 'zstd' | 'gzip'): string {
  return compression === 'zstd' ? MEDIA_TYPE.layerZstd : MEDIA_TYPE.layerGzip;
}

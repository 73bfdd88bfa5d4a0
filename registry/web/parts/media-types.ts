// SPDX-License-Identifier: Apache-2.0

/** What media types are called; those that are not here are shown as they are. */
const NAMES: Record<string, string> = {
  'application/vnd.oci.image.manifest.v1+json': 'OCI image manifest',
  'application/vnd.oci.image.index.v1+json': 'OCI image index',
  'application/vnd.oci.image.config.v1+json': 'OCI image config',
  'application/vnd.oci.empty.v1+json': 'empty config',
  'application/vnd.oci.artifact.manifest.v1+json': 'OCI artifact manifest (withdrawn)',
  'application/vnd.docker.distribution.manifest.v2+json': 'Docker image manifest',
  'application/vnd.docker.distribution.manifest.list.v2+json': 'Docker manifest list',
  'application/vnd.docker.container.image.v1+json': 'Docker image config',
  'application/vnd.cncf.helm.config.v1+json': 'Helm chart config',
};

export function mediaTypeName(mediaType: string): string | undefined {
  return NAMES[mediaType];
}

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
  'application/vnd.cncf.helm.chart.content.v1.tar+gzip': 'Helm chart',
  'application/vnd.cncf.helm.chart.provenance.v1.prov': 'signature of a Helm chart',
  'application/vnd.oci.image.layer.v1.tar': 'tar',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'tar, gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'tar, zstd',
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'tar, kept elsewhere',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'tar, gzip, kept elsewhere',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'tar, gzip',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'tar, gzip, kept elsewhere',
  'application/vnd.dev.cosign.simplesigning.v1+json': 'cosign signature',
  'application/vnd.dsse.envelope.v1+json': 'signed statement (DSSE)',
  'application/vnd.in-toto+json': 'statement (in-toto)',
  'application/spdx+json': 'SPDX document',
  'application/vnd.cyclonedx+json': 'CycloneDX document',
};

export function mediaTypeName(mediaType: string): string | undefined {
  return NAMES[mediaType];
}

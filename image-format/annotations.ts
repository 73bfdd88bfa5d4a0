// SPDX-License-Identifier: Apache-2.0

/** The shape of an image with the four layers kernel, deps, app, config, in which no file stands twice. */
export const IMAGE_VERSION = '1';

/**
 * The shape of an image whose layers are applied in their order, as the OCI specification says: kernel, any number of
 * `deps`, perhaps app, config. A later layer may replace or remove what an earlier one has.
 */
export const STACKED_IMAGE_VERSION = '2';

export const ANNOTATION = {
  /** On a layer's descriptor: its {@link LayerRole}. Pullers may drop it, so {@link LABEL.layerRoles} mirrors it. */
  layerRole: 'vnd.uk.layer.role',
  /** On the manifest: {@link IMAGE_VERSION}. */
  imageVersion: 'vnd.uk.image.version',
  /** On the manifest, and on an index's descriptors: the name of the hardware profile. */
  profile: 'vnd.uk.profile',
  /** On the manifest: which Linux it is (`default`, `rt`, …). */
  kernelVariant: 'vnd.uk.kernel.variant',
  /** On the manifest of a kernel image: what programs find in it, where that is not the preset `small`. */
  kernelPreset: 'vnd.uk.kernel.preset',
  /** image-spec annotations.md */
  refName: 'org.opencontainers.image.ref.name',
  created: 'org.opencontainers.image.created',
} as const;

export const LABEL = {
  /** In the config: the roles of all layers, in order, joined by commas. */
  layerRoles: 'vnd.uk.layer.roles',
  /** In the config: the libc that the image was given instead of its program's own, as `/etc/uk/libc.json` describes it. */
  libc: 'vnd.uk.libc',
  /** In the config: how the guest gets its root, `initramfs` or `erofs`, where the image does not leave that to the node. */
  root: 'vnd.uk.root',
  /** In the config: `off` where the guest's agent must not do anything. */
  agent: 'vnd.uk.agent',
} as const;

export const LAYER_ROLES = ['kernel', 'deps', 'app', 'config'] as const;

export type LayerRole = (typeof LAYER_ROLES)[number];

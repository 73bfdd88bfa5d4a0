// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { ANNOTATION, IMAGE_VERSION, LABEL, type LayerRole, STACKED_IMAGE_VERSION } from '../../annotations.ts';
import type { Descriptor } from '../../descriptor.ts';
import { digestOf } from '../../digest.ts';
import type { ExecutionConfig, ImageConfig } from '../../image-config.ts';
import type { ContentStore } from '../../layout/store.ts';
import type { Manifest } from '../../manifest.ts';
import { MEDIA_TYPE } from '../../media-types.ts';
import type { BuiltImage } from '../request.ts';
import type { RoledLayer } from './container-image.ts';

export interface ImageDescription {
  layers: readonly RoledLayer[];
  /** Whether a later layer may replace or remove what an earlier one has. */
  stacked?: boolean;
  execution: ExecutionConfig;
  profile: string;
  kernelVariant: string;
  /** Further annotations of the manifest. */
  annotations: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  created: number | undefined;
}

/** Writes an image's config and manifest. */
export async function writeManifest(store: ContentStore, description: ImageDescription): Promise<BuiltImage> {
  const { layers, execution, profile, kernelVariant, annotations } = description;
  const created = description.created === undefined ? {} : { created: rfc3339(description.created) };
  const labels = { ...execution.Labels, [LABEL.layerRoles]: layers.map(({ role }) => role).join(',') };
  const Labels = Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  const imageConfig: ImageConfig = {
    ...created,
    architecture: 'amd64',
    os: 'linux',
    config: { ...execution, Labels },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ role }) => ({ ...created, created_by: `uk build: ${role}` })),
  };
  const config = await writeJson(store, MEDIA_TYPE.config, imageConfig);
  const roled = layers.map(({ descriptor, diffId, role }) => ({ descriptor: withRole(descriptor, role), diffId }));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config,
    layers: roled.map(({ descriptor }) => descriptor),
    annotations: {
      ...annotations,
      ...(created.created === undefined ? {} : { [ANNOTATION.created]: created.created }),
      [ANNOTATION.imageVersion]: description.stacked === true ? STACKED_IMAGE_VERSION : IMAGE_VERSION,
      [ANNOTATION.profile]: profile,
      [ANNOTATION.kernelVariant]: kernelVariant,
    },
  };
  return { descriptor: await writeJson(store, MEDIA_TYPE.manifest, manifest), config, layers: roled };
}

function withRole({ mediaType, digest, size }: Descriptor, role: LayerRole): Descriptor {
  return { mediaType, digest, size, annotations: { [ANNOTATION.layerRole]: role } };
}

export async function writeJson(store: ContentStore, mediaType: string, document: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(document));
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await store.write(descriptor, Readable.from([bytes]));
  return descriptor;
}

function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

// SPDX-License-Identifier: Apache-2.0
// The keys that readers of image documents know (image-spec 1.1, schema/; specs-go/v1).
import type { Shape } from './unambiguous-json.ts';

const TEXTS: Shape = { list: 'text' };
const ANNOTATIONS: Shape = { map: 'text' };

const PLATFORM: Shape = {
  object: { architecture: 'text', os: 'text', 'os.version': 'text', 'os.features': TEXTS, variant: 'text' },
};

const DESCRIPTOR: Shape = {
  object: {
    mediaType: 'text',
    digest: 'text',
    size: 'integer',
    urls: TEXTS,
    annotations: ANNOTATIONS,
    data: 'text',
    artifactType: 'text',
    platform: PLATFORM,
  },
};

/** A manifest and an index together: a document that has what only the other one knows is ambiguous, too. */
export const MANIFEST_SHAPE: Shape = {
  object: {
    schemaVersion: 'integer',
    mediaType: 'text',
    artifactType: 'text',
    config: DESCRIPTOR,
    layers: { list: DESCRIPTOR },
    manifests: { list: DESCRIPTOR },
    subject: DESCRIPTOR,
    annotations: ANNOTATIONS,
  },
};

export const IMAGE_CONFIG_SHAPE: Shape = {
  object: {
    created: 'text',
    author: 'text',
    architecture: 'text',
    os: 'text',
    'os.version': 'text',
    'os.features': TEXTS,
    variant: 'text',
    config: {
      object: {
        User: 'text',
        ExposedPorts: { map: 'unknown' },
        Env: TEXTS,
        Entrypoint: TEXTS,
        Cmd: TEXTS,
        Volumes: { map: 'unknown' },
        WorkingDir: 'text',
        Labels: ANNOTATIONS,
        StopSignal: 'text',
        ArgsEscaped: 'unknown',
      },
    },
    rootfs: { object: { type: 'text', diff_ids: TEXTS } },
    history: {
      list: {
        object: { created: 'text', created_by: 'text', author: 'text', comment: 'text', empty_layer: 'unknown' },
      },
    },
  },
};

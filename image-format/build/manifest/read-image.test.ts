// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANNOTATION, LABEL } from '../../annotations.ts';
import type { Descriptor } from '../../descriptor.ts';
import { digestOf } from '../../digest.ts';
import { type ContentStore, openContentStore } from '../../layout/index.ts';
import { MEDIA_TYPE } from '../../media-types.ts';
import { readContainerImage } from './container-image.ts';
import { readImage } from './read-image.ts';
import { validateImage } from './validate-image.ts';

let dir: string;
let store: ContentStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-read-image-'));
  store = await openContentStore(dir);
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function put(mediaType: string, content: object | string): Promise<Descriptor> {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const digest = digestOf(bytes);
  await store.write({ digest, size: bytes.length }, Readable.from([bytes]));
  return { mediaType, digest, size: bytes.length };
}

interface Parts {
  types?: string[];
  roles?: string;
  version?: string;
  architecture?: string;
  diffIds?: number;
  mediaType?: string;
}

async function image(parts: Parts = {}): Promise<Descriptor> {
  const { types = [MEDIA_TYPE.layerGzip], roles, version, architecture = 'amd64' } = parts;
  const { diffIds = types.length, mediaType = MEDIA_TYPE.manifest } = parts;
  const docker = mediaType === MEDIA_TYPE.dockerManifest;
  const config = await put(docker ? MEDIA_TYPE.dockerConfig : MEDIA_TYPE.config, {
    architecture,
    os: 'linux',
    config: roles === undefined ? { Cmd: ['sh'] } : { Labels: { [LABEL.layerRoles]: roles } },
    rootfs: { type: 'layers', diff_ids: Array.from({ length: diffIds }, (_, i) => digestOf(`diff ${i}`)) },
  });
  const layers: Descriptor[] = [];
  for (const [i, type] of types.entries()) layers.push(await put(type, `layer ${i}`));
  const annotations =
    version === undefined
      ? {}
      : { [ANNOTATION.imageVersion]: version, [ANNOTATION.profile]: 'p', [ANNOTATION.kernelVariant]: 'default' };
  return await put(mediaType, { schemaVersion: 2, mediaType, config, layers, annotations });
}

const zstd = (count: number) => Array.from({ length: count }, () => MEDIA_TYPE.layerZstd);

describe('a container image', () => {
  test.each([
    ['OCI', MEDIA_TYPE.manifest, [MEDIA_TYPE.layer, MEDIA_TYPE.layerGzip, MEDIA_TYPE.layerZstd]],
    [
      'Docker',
      MEDIA_TYPE.dockerManifest,
      [MEDIA_TYPE.dockerLayer, MEDIA_TYPE.dockerLayerGzip, MEDIA_TYPE.dockerLayerZstd],
    ],
  ])('of %s: its layers in order', async (_, mediaType, types) => {
    const read = await readContainerImage(store, await image({ mediaType, types }));
    expect(read.layers).toEqual(
      types.map((type, i) => ({
        role: 'deps',
        descriptor: { mediaType: type, digest: digestOf(`layer ${i}`), size: 7 },
        diffId: digestOf(`diff ${i}`),
      })),
    );
    expect(read.config.config?.Cmd).toEqual(['sh']);
  });

  test('with 127 layers, or none', async () => {
    expect((await readContainerImage(store, await image({ types: zstd(127) }))).layers).toHaveLength(127);
    expect((await readContainerImage(store, await image({ types: [] }))).layers).toEqual([]);
  });

  test('of an index with another platform and an attestation', async () => {
    const amd64 = await image();
    const arm64 = await image({ architecture: 'arm64' });
    const index = await put(MEDIA_TYPE.index, {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.index,
      manifests: [
        { ...arm64, platform: { os: 'linux', architecture: 'arm64' } },
        { ...amd64, platform: { os: 'unknown', architecture: 'unknown' } },
        { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
      ],
    });
    expect((await readContainerImage(store, index)).descriptor.digest).toBe(amd64.digest);
  });

  test.each<[what: string, parts: Parts, message: RegExp]>([
    ['a foreign layer', { types: ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'] }, /layer 1 .* foreign/],
    [
      'a layer that is not distributed',
      { types: [MEDIA_TYPE.layer, 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd'] },
      /layer 2 .* foreign/,
    ],
    ['a layer of another type', { types: ['application/wasm'] }, /layer 1 .* unknown type application\/wasm/],
    ['too few diff_ids', { types: zstd(2), diffIds: 1 }, /2 layers and 1 diff_ids/],
    ['another platform', { architecture: 'arm64' }, /linux on arm64/],
    ['an image of ours', { types: zstd(4), roles: 'kernel,deps,app,config' }, /is a unikernel image/],
  ])('%s is refused', async (_, parts, message) => {
    await expect(readContainerImage(store, await image(parts))).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('it is none of ours, and read as any image', async () => {
    const descriptor = await image();
    expect((await readImage(store, descriptor)).descriptor).toEqual(descriptor);
    await expect(validateImage(store, descriptor)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });
});

describe('an image of ours', () => {
  test.each(['kernel,config', 'kernel,deps,config', 'kernel,deps,deps,deps,app,config'])(
    'of version 2 with the layers %s',
    async (roles) => {
      const types = zstd(roles.split(',').length);
      const read = await validateImage(store, await image({ types, roles, version: '2' }));
      expect(read.layers.map(({ role }) => role).join(',')).toBe(roles);
      expect(read.stacked).toBe(true);
    },
  );

  test('of version 1 has four', async () => {
    const read = await validateImage(
      store,
      await image({ types: zstd(4), roles: 'kernel,deps,app,config', version: '1' }),
    );
    expect(read.layers.map(({ role }) => role)).toEqual(['kernel', 'deps', 'app', 'config']);
    expect(read.stacked).toBe(false);
  });

  test.each([
    ['1', 'kernel,deps,deps,config'],
    ['2', 'deps,kernel,app,config'],
    ['2', 'kernel,app,deps,config'],
    ['2', 'kernel,deps,app,other'],
    ['2', 'kernel,deps,config'],
    ['3', 'kernel,deps,app,config'],
  ])('of version %s with the layers %s is refused', async (version, roles) => {
    const descriptor = await image({ types: zstd(4), roles, version });
    await expect(validateImage(store, descriptor)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readContainerImage } from '../build/index.ts';
import { digestHex, digestOf } from '../digest.ts';
import type { LayerEntry } from '../layers/index.ts';
import { type ContentStore, openContentStore } from '../layout/index.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { importImage, parseSource } from './index.ts';
import { configOf, member, tarOf } from './testing.ts';

let dir: string;
let file: string;
let store: ContentStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-archive-'));
  file = join(dir, 'saved.tar');
  store = await openContentStore(join(dir, 'store'));
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

const take = async (rest = '') => {
  const source = parseSource(`docker-archive:${file}${rest}`);
  if (source === undefined) throw new Error('not a source');
  return await importImage(store, source);
};
const layer = async (text: string) => await tarOf(member('etc/motd', text));
const link = (path: string, linkname: string): LayerEntry => {
  return { path, type: 'symlink', mode: 0o777, uid: 0, gid: 0, linkname };
};

/** As docker wrote it for years: `HEX.json`, `ID/layer.tar`. */
async function image(id: string, tags: string[] | null, layers: Buffer[]) {
  const config = configOf(layers.map((bytes) => digestOf(bytes)));
  const name = `${digestHex(digestOf(config))}.json`;
  const paths = layers.map((_, i) => `${id}${i}/layer.tar`);
  const members = [member(name, config), ...layers.map((bytes, i) => member(paths[i] ?? '', bytes))];
  return { members, listed: { Config: name, RepoTags: tags, Layers: paths } };
}
const manifest = (...images: unknown[]) => member('manifest.json', JSON.stringify(images));
async function save(...entries: LayerEntry[]) {
  await writeFile(file, await tarOf(...entries));
}

describe('an image', () => {
  test('its layers are stored under their diff_ids', async () => {
    const layers = [await layer('1'), await layer('2')];
    const { members, listed } = await image('a', ['x:1'], layers);
    await save(...members, manifest(listed));
    const read = await readContainerImage(store, await take());
    expect(read.layers.map(({ descriptor }) => descriptor)).toEqual(
      layers.map((bytes) => ({ mediaType: MEDIA_TYPE.layer, digest: digestOf(bytes), size: bytes.length })),
    );
    expect(read.config.config?.Cmd).toEqual(['x']);
    // The same archive gives the same image.
    expect((await take(':x:1')).digest).toBe(read.descriptor.digest);
  });

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('from an archive that is compressed with %s', async (_, compress) => {
    const { members, listed } = await image('a', null, [await layer('1')]);
    await writeFile(file, compress(await tarOf(manifest(listed), ...members)));
    expect((await readContainerImage(store, await take())).layers).toHaveLength(1);
  });

  test('layers that are links, and one that is there twice', async () => {
    const bytes = await layer('1');
    const { members, listed } = await image('a', null, [bytes, bytes]);
    const [config, first] = members;
    if (config === undefined || first === undefined) throw new Error('no members');
    await save(manifest(listed), link('a1/layer.tar', '../a0/layer.tar'), first, config);
    expect((await readContainerImage(store, await take())).layers.map(({ descriptor }) => descriptor.digest)).toEqual([
      digestOf(bytes),
      digestOf(bytes),
    ]);
  });

  test('compressed layers below blobs/, as docker with containerd writes them', async () => {
    const tar = await layer('1');
    const packed = gzipSync(tar);
    const config = configOf([digestOf(tar)]);
    const path = (bytes: Buffer) => `blobs/sha256/${digestHex(digestOf(bytes))}`;
    const listed = { Config: path(config), RepoTags: ['x:1'], Layers: [path(packed)] };
    await save(member(path(config), config), member(path(packed), packed), manifest(listed));
    const { layers } = await readContainerImage(store, await take());
    expect(layers[0]?.descriptor).toEqual({
      mediaType: MEDIA_TYPE.layerGzip,
      digest: digestOf(packed),
      size: packed.length,
    });
  });
});

test('of several images one is named', async () => {
  const one = await image('a', ['x:1', 'localhost/x:1'], [await layer('1')]);
  const two = await image('b', null, [await layer('2')]);
  await save(...one.members, ...two.members, manifest(one.listed, two.listed));
  await expect(take()).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: `docker-archive:${file}: it holds 2 images: x:1 = localhost/x:1, :@1 has no name`,
    hint: `write docker-archive:${file}:NAME, or :@0 to :@1 for its position`,
  });
  await expect(take(':y')).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('y:latest') });
  await expect(take(':@2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect((await take(':localhost/x:1')).digest).toBe((await take(':@0')).digest);
  expect((await take(':@1')).digest).not.toBe((await take(':@0')).digest);
});

describe('an archive that lies', () => {
  test('about a layer', async () => {
    const { members, listed } = await image('a', null, [await layer('1')]);
    await save(...members.slice(0, 1), member('a0/layer.tar', await layer('2')), manifest(listed));
    await expect(take()).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringContaining('the layer "a0/layer.tar": '),
    });
    await save(...members.slice(0, 1), member('a0/layer.tar', gzipSync(await layer('2'))), manifest(listed));
    await expect(take()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('about its config', async () => {
    const { members, listed } = await image('a', null, [await layer('1')]);
    await save(member(listed.Config, configOf([])), ...members.slice(1), manifest(listed));
    await expect(take()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', message: expect.stringContaining('config') });
  });

  test('not, but is for another machine', async () => {
    const config = configOf([], { architecture: 'arm64' });
    await save(member('config', config), manifest({ Config: 'config', Layers: [] }));
    await expect(take()).rejects.toThrow('it is for linux on arm64');
  });

  test('about the number of its layers', async () => {
    const { members, listed } = await image('a', null, [await layer('1')]);
    await save(...members, manifest({ ...listed, Layers: [] }));
    await expect(take()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });

  test.each(['../../etc/passwd', '/etc/passwd', 'a0/none'])('a name that leads elsewhere: %s', async (name) => {
    const { members, listed } = await image('a', null, [await layer('1')]);
    await save(...members, manifest({ ...listed, Layers: [name] }));
    await expect(take()).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(name) });
    await save(...members.slice(0, 1), link('a0/layer.tar', name), manifest(listed));
    await expect(take()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('links in a circle', async () => {
    const { members, listed } = await image('a', null, [await layer('1')]);
    await save(...members.slice(0, 1), link('a0/layer.tar', 'layer.tar'), manifest(listed));
    await expect(take()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('what is no archive of images', () => {
  test('a tar archive of files', async () => {
    await save(member('etc/motd', 'x'));
    await expect(take()).rejects.toMatchObject({
      code: 'LAYOUT_INVALID',
      hint: expect.stringContaining('--rootfs'),
    });
    await save(member('oci-layout', 'x'));
    await expect(take()).rejects.toMatchObject({ hint: expect.stringContaining('oci:DIR') });
  });

  test.each([
    ['no file', undefined, 'SOURCE_INVALID'],
    ['another file', 'text\n', 'LAYOUT_INVALID'],
    ['xz', Buffer.from('fd377a585a000004', 'hex'), 'COMPRESSION_INVALID'],
    ['a broken manifest', 'json', 'LAYOUT_INVALID'],
  ])('%s', async (_, content, code) => {
    if (content === 'json') await save(member('manifest.json', '[{}]'));
    else if (content !== undefined) await writeFile(file, content);
    await expect(take()).rejects.toMatchObject({ code });
  });
});

// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import { createService, type Service } from '../../service/index.ts';
import { blobKey } from '../../service/keys.ts';
import { encode, parseBlob } from '../../service/records.ts';
import { SYSTEM } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { FilesystemStore } from '../../storage/filesystem/index.ts';
import { createBrowse } from '../browse.ts';
import type { Browse } from '../contract.ts';
import { Pusher, tarOf } from '../testing.ts';
import type { Made } from '../types/paging.ts';
import { indexKey } from './index-keys.ts';
import { pruneIndexes } from './prune.ts';

let root: string;
let store: ObjectStore;
let service: Service;
let browse: Browse;
let push: Pusher;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-files-'));
  store = await FilesystemStore.open({ root });
  service = createService(store);
  browse = createBrowse({ store, service, indexLimits: { entries: 5_000, unpacked: 8 * 1024 * 1024 } });
  push = new Pusher(service);
});
afterEach(async () => {
  await browse.close();
  await store.close();
  await rm(root, { recursive: true });
});

/** Asks until it is made. */
async function soon<T>(ask: () => Promise<Made<T>>): Promise<T> {
  for (;;) {
    const made = await ask();
    if (made.state === 'ready') return made.value;
    if (made.state === 'refused') throw new Error(made.reason.message);
    await wait(20);
  }
}
const names = (page: { rows: { name: string }[] }) => page.rows.map(({ name }) => name);

const base = tarOf([
  { path: 'etc/', type: 'directory', mode: 0o700, uid: 5 },
  { path: 'etc/name', content: 'base', mode: 0o640, uid: 7, gid: 8 },
  { path: 'etc/old', content: 'goes away' },
  { path: 'big', content: 'x'.repeat(3000) },
  { path: 'lib', type: 'symlink', target: 'usr/lib' },
  { path: 'usr/lib/one', content: 'one' },
  { path: 'opt/a/b', content: 'hidden' },
]);
const top = tarOf([
  { path: 'etc/name', content: 'top!!' },
  { path: 'etc/.wh.old', content: '' },
  { path: 'opt/.wh..wh..opq', content: '' },
  { path: 'opt/new', content: 'new' },
]);

describe('files of an image', () => {
  for (const [name, mediaType, compress] of [
    ['gzip', MEDIA_TYPE.layerGzip, gzipSync],
    ['zstd', MEDIA_TYPE.layerZstd, zstdCompressSync],
    ['plain', MEDIA_TYPE.layer, (bytes: Buffer) => bytes],
    ['zstd that is called gzip', MEDIA_TYPE.layerGzip, zstdCompressSync],
  ] as const) {
    test(`of ${name} are listed, shown and downloaded`, async () => {
      await push.image('app', ['v1'], [compress(base), compress(top)], { mediaType });
      const place = { repository: 'app', reference: 'v1' };
      expect(names(await soon(() => browse.files(place)))).toEqual(['etc', 'opt', 'usr', 'big', 'lib']);
      const etc = await soon(() => browse.files(place, { path: 'etc' }));
      expect(etc.rows).toMatchObject([{ path: 'etc/name', size: 5, layer: 1, type: 'file' }]);
      expect(etc.folder).toMatchObject({ mode: 0o700, uid: 5, files: 1, size: 5 });
      expect(names(await soon(() => browse.files(place, { path: 'lib' })))).toEqual(['one']);
      expect(names(await soon(() => browse.files(place, { search: 'NE' })))).toEqual(['new', 'one']);

      const lower = await soon(() => browse.files({ ...place, layer: 0 }, { path: 'etc' }));
      expect(lower.rows).toMatchObject([
        { name: 'name', mode: 0o640, uid: 7, gid: 8, change: 'adds' },
        { name: 'old', change: 'adds' },
      ]);
      const upper = { ...place, layer: 1 };
      expect((await soon(() => browse.files(upper, { changes: true }))).rows).toMatchObject([
        { path: 'etc/name', change: 'replaces', wasted: 4 },
        { path: 'etc/old', change: 'removes', type: 'removed', wasted: 9 },
        { path: 'opt/a', change: 'removes', wasted: 6 },
      ]);

      expect(await soon(() => browse.file(place, 'lib/one'))).toMatchObject({
        view: 'text',
        content: 'one',
        path: 'usr/lib/one',
      });
      expect(await soon(() => browse.file({ ...place, layer: 0 }, 'etc/name'))).toMatchObject({ content: 'base' });
      await using open = await soon(() => browse.openFile(place, 'big'));
      expect(open).toMatchObject({ name: 'big', size: 3000 });
      let bytes = 0;
      for await (const chunk of open.content) bytes += chunk.length;
      expect(bytes).toBe(3000);

      const summary = await soon(() => browse.root('app', 'v1'));
      expect(summary).toMatchObject({
        files: 4,
        links: 1,
        wasted: 19,
        layers: [{ wasted: 0 }, { replaces: 1, removes: 2 }],
      });
      expect(summary.waste[0]).toMatchObject({ path: 'etc/old', wasted: 9, layers: [1] });
      expect((await browse.image('app', 'v1')).layers[0]?.unpacked).toBeGreaterThan(3000);
    });
  }

  test('that are not there are said so', async () => {
    await push.image('app', ['v1'], [base]);
    const place = { repository: 'app', reference: 'v1' };
    await soon(() => browse.files(place));
    await expect(browse.files(place, { path: 'nothing' })).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
    await expect(browse.file(place, 'etc/nothing')).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
    await expect(browse.files({ ...place, layer: 7 })).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
    expect(await soon(() => browse.file(place, 'etc'))).toMatchObject({ view: 'none', type: 'directory' });
  });

  test('that hold bytes are shown in hexadecimal', async () => {
    await push.image('app', ['v1'], [tarOf([{ path: 'bin', content: Buffer.from([0, 255, 16]) }])]);
    expect(await soon(() => browse.file({ repository: 'app', reference: 'v1' }, 'bin'))).toMatchObject({
      view: 'hex',
      content: '00ff10',
    });
  });

  test('are compared with those of another image', async () => {
    await push.image('app', ['v1'], [base]);
    await push.image('app', ['v2'], [base, top]);
    const pair = { from: { repository: 'app', reference: 'v1' }, to: { repository: 'app', reference: 'v2' } };
    const page = await soon(() => browse.compareFiles(pair));
    expect(page.rows.map(({ path, change, differs }) => [path, change, ...differs])).toEqual([
      ['etc/name', 'changed', 'content', 'mode', 'owner'],
      ['etc/old', 'removed'],
      ['opt/a/b', 'removed'],
      ['opt/new', 'added'],
    ]);
    expect(await soon(() => browse.compareFile(pair, 'etc/name'))).toMatchObject({
      hunks: [
        {
          lines: [
            { kind: 'removed', text: 'base' },
            { kind: 'added', text: 'top!!' },
          ],
        },
      ],
    });
    const whole = await browse.compare(pair);
    expect(whole).toMatchObject({
      same: false,
      files: { state: 'ready', value: { added: 1, removed: 2, changed: 1 } },
      layers: [{ change: 'same' }, { change: 'added' }],
    });
  });
});

describe('a unikernel', () => {
  test('shows its Linux', async () => {
    const kernel = tarOf([
      { path: 'boot/config', content: 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="text"\n' },
      { path: 'boot/kernel.json', content: JSON.stringify({ version: '6.12', variant: 'default', guestContract: 2 }) },
    ]);
    await push.image('app', ['v1'], [kernel]);
    expect(await soon(() => browse.kernel('app', 'v1'))).toMatchObject({ version: '6.12', contract: 2, kconfig: true });
    const on = await soon(() => browse.kconfig('app', 'v1', { enabled: true }));
    expect(on.rows).toEqual([
      { name: 'A', value: 'y' },
      { name: 'C', value: '"text"' },
    ]);
    await push.image('app', ['plain'], [base]);
    expect(await browse.kernel('app', 'plain')).toMatchObject({ state: 'refused' });
  });
});

describe('a layer that is', () => {
  const refusedWith = async (layer: Buffer, mediaType: string, reason: RegExp) => {
    await push.image('app', ['bad'], [layer], { mediaType });
    await expect(soon(() => browse.files({ repository: 'app', reference: 'bad' }))).rejects.toThrow(reason);
  };
  test('no tar is refused', () => refusedWith(Buffer.from('x'.repeat(2000)), MEDIA_TYPE.layer, /header|checksum|tar/i));
  test('damaged is refused', () => refusedWith(gzipSync(base).subarray(0, 100), MEDIA_TYPE.layerGzip, /gzip/));
  test('of too many files is refused', () =>
    refusedWith(
      tarOf(Array.from({ length: 6_000 }, (_, at) => ({ path: `f${at}`, content: '' }))),
      MEDIA_TYPE.layer,
      /more than 5000 entries/,
    ));
  test('a bomb is refused', async () => {
    const bomb = gzipSync(tarOf([{ path: 'bomb', content: Buffer.alloc(16 * 1024 * 1024) }]));
    await refusedWith(bomb, MEDIA_TYPE.layerGzip, /unpacks to more than/);
  });
  test('encrypted, or of another type, is refused', async () => {
    await refusedWith(base, `${MEDIA_TYPE.layerGzip}+encrypted`, /encrypted/);
    await refusedWith(base, 'application/x-thing', /no layer of files/);
  });
  test('full of folders in folders is refused, or shown', async () => {
    const deep = tarOf(Array.from({ length: 40 }, (_, at) => ({ path: `${at}/${'d/'.repeat(1_900)}f`, content: '' })));
    await push.image('app', ['deep'], [deep]);
    await soon(() => browse.files({ repository: 'app', reference: 'deep' })).catch((error) => {
      expect(error.message).toMatch(/deep/);
    });
    await push.image('app', ['v1'], [base]);
    expect(names(await soon(() => browse.files({ repository: 'app', reference: 'v1' })))).toContain('etc');
  });
  test('named in any bytes is shown', async () => {
    const odd = ['\u202egnp.exe', '<script>', 'a\nb', 'ünï'];
    await push.image('app', ['odd'], [tarOf(odd.map((path) => ({ path, content: path })))]);
    const page = await soon(() => browse.files({ repository: 'app', reference: 'odd' }));
    expect(names(page).sort()).toEqual([...odd].sort());
    expect(await soon(() => browse.file({ repository: 'app', reference: 'odd' }, 'a\nb'))).toMatchObject({
      content: 'a\nb',
    });
  });
  test('shows its files although another layer cannot be read', async () => {
    await push.image('app', ['half'], [base, Buffer.from('no tar at all')]);
    const place = { repository: 'app', reference: 'half' };
    await expect(soon(() => browse.files(place))).rejects.toThrow(/layer 1/);
    expect(names(await soon(() => browse.files({ ...place, layer: 0 }, { path: 'etc' })))).toEqual(['name', 'old']);
  });
});

test('two processes make an index once, and see each other', async () => {
  await push.image('app', ['v1'], [base]);
  const other = createBrowse({ store, service: createService(store, {}, SYSTEM) });
  const place = { repository: 'app', reference: 'v1' };
  await Promise.all([soon(() => browse.files(place)), soon(() => other.files(place))]);
  expect((await store.list({ prefix: 'layer-files/', limit: 10 })).keys).toHaveLength(1);
  expect((await store.list({ prefix: 'layer-files-making/', limit: 10 })).keys).toEqual([]);
  await other.close();
});

test('indexes of layers that are gone are deleted, and of no others', async () => {
  await push.image('app', ['v1'], [base]);
  await push.image('app', ['v2'], [top]);
  for (const reference of ['v1', 'v2']) await soon(() => browse.files({ repository: 'app', reference }));
  const gone = digestOf(base);
  const key = blobKey(gone);
  const stored = await store.get(key);
  if (stored === undefined) throw new Error('there is no record');
  await store.put(key, encode({ ...parseBlob(stored, key), state: 'deleted' }));
  expect(await pruneIndexes(store, SYSTEM)).toBe(2);
  expect((await store.list({ prefix: 'layer-files/', limit: 10 })).keys).toEqual([indexKey(digestOf(top))]);
  expect((await store.list({ prefix: 'layer-files-data/', limit: 10 })).keys).toHaveLength(1);
  expect(await pruneIndexes(store, SYSTEM)).toBe(0);
});

// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Digest, digestHex, digestOf } from '../digest.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { exportLayout, openContentStore } from './index.ts';
import type { ContentStore } from './store.ts';

let dir: string;
let store: ContentStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-store-'));
  store = await openContentStore(join(dir, 'store'));
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

const describeBlob = (text: string, mediaType: string = MEDIA_TYPE.layer) => {
  return { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) };
};
const put = async (text: string, mediaType?: string) => {
  const descriptor = describeBlob(text, mediaType);
  await store.write(descriptor, Readable.from([Buffer.from(text)]));
  return descriptor;
};
const putManifest = async (...layers: Awaited<ReturnType<typeof put>>[]) => {
  const config = await put('{}', MEDIA_TYPE.config);
  return await put(JSON.stringify({ schemaVersion: 2, config, layers }), MEDIA_TYPE.manifest);
};
const leftovers = async () => await readdir(join(dir, 'store', 'ingest'));
const age = async (digest: Digest) => await utimes(await store.path(digest), new Date(0), new Date(0));

describe('blobs', () => {
  test('are there once they are whole', async () => {
    const { digest, size } = await put('hello');
    expect(await store.stat(digest)).toBe(5);
    expect((await store.read(digest)).toString()).toBe('hello');
    expect((await buffer(store.stream(digest, { start: 1, end: 3 }))).toString()).toBe('ell');
    expect(await readFile(await store.path(digest), 'utf8')).toBe('hello');
    expect(size).toBe(5);
    expect(await leftovers()).toEqual([]);
  });

  test('are not there if they were not what was declared, and leave nothing', async () => {
    const { digest } = describeBlob('hello');
    for (const [text, size, code] of [
      ['hellx', 5, 'DIGEST_MISMATCH'],
      ['hell', 5, 'SIZE_MISMATCH'],
      ['hello!', 5, 'SIZE_MISMATCH'],
    ] as const) {
      await expect(store.write({ digest, size }, Readable.from([Buffer.from(text)]))).rejects.toMatchObject({ code });
    }
    const broken = new Readable({
      read() {
        this.push('he');
        this.destroy(new Error('cut'));
      },
    });
    await expect(store.write({ digest, size: 5 }, broken)).rejects.toThrow('cut');
    expect(await store.stat(digest)).toBeUndefined();
    expect(await leftovers()).toEqual([]);
  });

  test('an aborted write leaves nothing', async () => {
    const { digest } = describeBlob('hello');
    const abort = new AbortController();
    const endless = new Readable({ read() {} });
    endless.push('he');
    const writing = store.write({ digest, size: 5 }, endless, { signal: abort.signal });
    abort.abort();
    await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
    expect(await leftovers()).toEqual([]);
  });

  test('that are there are not read again', async () => {
    const descriptor = await put('hello');
    let reads = 0;
    const source = new Readable({
      read() {
        reads++;
        this.push(null);
      },
    });
    await store.write(descriptor, source);
    expect(reads).toBe(0);
    expect(source.destroyed).toBe(true);
  });

  test('of another size than declared are damaged, and replaced', async () => {
    const descriptor = await put('hello');
    await truncate(await store.path(descriptor.digest), 2);
    await store.write(descriptor, Readable.from([Buffer.from('hello')]));
    expect(await store.stat(descriptor.digest)).toBe(5);
  });

  test('may be written by several at once', async () => {
    const text = 'x'.repeat(300_000);
    await Promise.all(Array.from({ length: 8 }, () => put(text)));
    expect((await store.read(digestOf(text))).length).toBe(300_000);
    expect(await leftovers()).toEqual([]);
  });

  test('that are missing are NOT_FOUND', async () => {
    const digest = digestOf('nothing');
    const missing = { code: 'NOT_FOUND' };
    await expect(store.path(digest)).rejects.toMatchObject(missing);
    await expect(store.read(digest)).rejects.toMatchObject(missing);
    await expect(buffer(store.stream(digest))).rejects.toMatchObject(missing);
  });

  test('too large to be read into memory, or altered on disk, are refused', async () => {
    const { digest } = await put('hello');
    await expect(store.read(digest, 4)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    const other = await put('world');
    const path = await store.path(other.digest);
    await rm(path);
    await writeFile(path, 'w0rld');
    await expect(store.read(other.digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('of unknown digest are given theirs', async () => {
    const ingested = await store.ingest(Readable.from([Buffer.from('hel'), Buffer.from('lo')]));
    expect(ingested).toEqual({ digest: digestOf('hello'), size: 5 });
    expect(await store.stat(ingested.digest)).toBe(5);
  });
});

describe('names', () => {
  test('point at content, move, and go', async () => {
    const [first, second] = [await put('1'), await put('2')];
    await store.tag('localhost:5000/a/b:1', first);
    await store.tag('localhost:5000/a/b:1', second);
    await store.tag('docker.io/library/z:1', first);
    expect(await store.resolve('localhost:5000/a/b:1')).toEqual(second);
    expect((await store.list()).map(({ name }) => name)).toEqual(['docker.io/library/z:1', 'localhost:5000/a/b:1']);
    expect(await store.untag('docker.io/library/z:1')).toBe(true);
    expect(await store.untag('docker.io/library/z:1')).toBe(false);
    expect(await store.resolve('docker.io/library/z:1')).toBeUndefined();
  });

  test('of any length and any letters are told apart', async () => {
    const names = [
      'a',
      'A',
      '.',
      '..',
      '',
      'ü',
      'x'.repeat(1000),
      `${'x'.repeat(999)}y`,
      'sha256-1',
      '../../etc/passwd',
      'a\0b',
    ];
    for (const name of names) await store.tag(name, await put(`blob of ${name}`));
    for (const name of names) expect((await store.resolve(name))?.digest).toBe(digestOf(`blob of ${name}`));
    expect(await store.list()).toHaveLength(names.length);
    expect(await readdir(dir)).toEqual(['store']);
  });

  test('cannot point at what is not there', async () => {
    await expect(store.tag('a', describeBlob('nothing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that are damaged on disk say so and say where', async () => {
    await store.tag('h.io/a:1', await put('1'));
    const file = join(store.root, 'names', 'h.io%2Fa%3A1.json');
    await truncate(file, 20);
    const damaged = expect.objectContaining({ code: 'LAYOUT_INVALID', message: expect.stringContaining(file) });
    await expect(store.resolve('h.io/a:1')).rejects.toEqual(damaged);
    await expect(store.list()).rejects.toEqual(damaged);
    expect(await store.untag('h.io/a:1')).toBe(true);
    expect(await store.list()).toEqual([]);
  });
});

describe('collect', () => {
  test('removes what no name reaches, through index, manifest and config', async () => {
    const [kept, lost] = [await put('kept layer'), await put('lost layer')];
    const manifest = await putManifest(kept);
    const index = await put(JSON.stringify({ schemaVersion: 2, manifests: [manifest] }), MEDIA_TYPE.index);
    const orphan = await putManifest(lost);
    await store.tag('a', index);
    for (const { digest } of [kept, lost, manifest, index, orphan]) await age(digest);
    const collected = (await store.collect({ dryRun: true })).map(({ digest }) => digest).sort();
    expect(collected).toEqual([lost.digest, orphan.digest].sort());
    expect(await store.stat(lost.digest)).toBeDefined();
    expect((await store.collect()).map(({ digest }) => digest).sort()).toEqual(collected);
    expect(await store.stat(lost.digest)).toBeUndefined();
    for (const { digest } of [kept, manifest, index]) expect(await store.stat(digest)).toBeDefined();
    expect(await leftovers()).toEqual([]);
  });

  test('leaves what was written, or asked for, a short time ago', async () => {
    const [fresh, renewed] = [await put('fresh'), await put('renewed')];
    await age(renewed.digest);
    await put('renewed');
    expect(await store.collect()).toEqual([]);
    expect(await store.stat(fresh.digest)).toBeDefined();
  });

  test('removes nothing while a name is damaged', async () => {
    const orphan = await put('orphan');
    await age(orphan.digest);
    await writeFile(join(store.root, 'names', 'x.json'), '{');
    await expect(store.collect()).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    expect(await store.stat(orphan.digest)).toBeDefined();
  });
});

describe('opening', () => {
  test('removes what a killed process left, and nothing of a living one', async () => {
    const [own] = (await openedNames()).values();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const ingest = join(store.root, 'ingest');
    await writeFile(join(ingest, `${own}-${dead}-aa`), 'half');
    await writeFile(join(ingest, `${own}-${process.pid}-bb`), 'being written');
    await writeFile(join(ingest, '1-1-cc'), 'of another namespace');
    await writeFile(join(ingest, '1-1-dd'), 'of another namespace, old');
    await utimes(join(ingest, '1-1-dd'), new Date(0), new Date(0));
    await openContentStore(store.root);
    expect((await leftovers()).sort()).toEqual(['1-1-cc', `${own}-${process.pid}-bb`].sort());
  });

  /** The namespace part of the names that this process gives. */
  async function openedNames(): Promise<Set<string>> {
    const seen = new Set<string>();
    const source = new Readable({ read() {} });
    const writing = store.ingest(source);
    while (seen.size === 0) for (const name of await leftovers()) seen.add(name.split('-')[0] ?? '');
    source.push(null);
    await writing;
    return seen;
  }

  test('refuses a folder that is something else', async () => {
    await mkdir(join(dir, 'home'));
    await writeFile(join(dir, 'home', 'letters.txt'), '');
    await expect(openContentStore(join(dir, 'home'))).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    expect(await readdir(join(dir, 'home'))).toEqual(['letters.txt']);
  });

  test('refuses a layout of another version, and a file', async () => {
    await writeFile(join(store.root, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    await expect(openContentStore(store.root)).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    await appendFile(join(dir, 'file'), '');
    await expect(openContentStore(join(dir, 'file'))).rejects.toMatchObject({ code: 'STORE_IO' });
  });
});

describe('exportLayout', () => {
  test('makes a layout with the one image, under its tag', async () => {
    const manifest = await putManifest(await put('layer'));
    await store.tag('localhost:5000/a:v1', manifest);
    await put('not of the image');
    const out = join(dir, 'out');
    await exportLayout(store, 'localhost:5000/a:v1', out);
    expect(JSON.parse(await readFile(join(out, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    const index = JSON.parse(await readFile(join(out, 'index.json'), 'utf8'));
    expect(index.manifests).toEqual([{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }]);
    const blobs = await readdir(join(out, 'blobs', 'sha256'));
    expect(blobs.sort()).toEqual([manifest.digest, digestOf('{}'), digestOf('layer')].map(digestHex).sort());
    expect((await stat(out)).mode & 0o777).toBe(0o755);
  });

  test('overwrites nothing and leaves nothing', async () => {
    await store.tag('a', await putManifest(await put('layer')));
    await mkdir(join(dir, 'out'));
    await writeFile(join(dir, 'out', 'precious'), '');
    await expect(exportLayout(store, 'a', join(dir, 'out'))).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    await expect(exportLayout(store, 'b', join(dir, 'new'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await readdir(dir)).sort()).toEqual(['out', 'store']);
  });
});

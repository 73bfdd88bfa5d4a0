// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Descriptor } from '../descriptor.ts';
import { digestOf } from '../digest.ts';
import { type ContentStore, openContentStore } from '../layout/index.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { loadArchive, saveArchive } from './index.ts';

let dir: string;
let here: ContentStore;
let there: ContentStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-archive-'));
  here = await openContentStore(join(dir, 'here'));
  there = await openContentStore(join(dir, 'there'));
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function put(content: string | object, mediaType: string): Promise<Descriptor> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const descriptor = { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) };
  await here.write(descriptor, Readable.from([Buffer.from(text)]));
  return descriptor;
}
async function image(layer: string, subject?: Descriptor): Promise<Descriptor> {
  const config = await put('{}', MEDIA_TYPE.config);
  const layers = [await put(layer, MEDIA_TYPE.layer)];
  return await put({ schemaVersion: 2, config, layers, ...(subject ? { subject } : {}) }, MEDIA_TYPE.manifest);
}
const saved = async (...names: string[]) => await buffer((await saveArchive(here, names)).chunks);
async function load(bytes: Buffer) {
  const file = join(dir, 'archive.tar');
  await writeFile(file, bytes);
  return await loadArchive(there, file);
}
const [one, two] = ['localhost:5000/a/one:1', 'localhost:5000/a/two:2'];

describe('an archive', () => {
  test('has the same bytes for the same images', async () => {
    await here.tag(one, await image('1'));
    await here.tag(two, await image('2'));
    expect((await saved(one, two)).equals(await saved(two, one, two))).toBe(true);
  });

  test('gives images back under their names, and what is attached to them', async () => {
    const first = await image('1');
    const signature = await image('signature', first);
    await here.tag(one, first);
    await here.tag(two, await image('2'));
    await here.attach(first.digest, signature);
    expect((await load(await saved(one, two)))?.map(({ name }) => name)).toEqual([one, two]);
    expect(await there.resolve(one)).toEqual(first);
    expect(await there.referrers(first.digest)).toEqual([signature]);
    expect((await there.read(digestOf('signature'))).toString()).toBe('signature');
    // Nothing of it is collected while the image has a name; all of it goes with it.
    expect(await there.collect({ graceMs: -1000 })).toEqual([]);
    await there.untag(one);
    await there.untag(two);
    await there.collect({ graceMs: -1000 });
    expect(await there.stat(signature.digest)).toBeUndefined();
    expect(await there.referrers(first.digest)).toEqual([]);
  });

  test('of which a byte was altered is refused, and names nothing', async () => {
    await here.tag(one, await image('some layer'));
    const bytes = await saved(one);
    bytes[bytes.indexOf('some layer')] = 0x53;
    await expect(load(bytes)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await there.list()).toEqual([]);
  });

  test('that lacks a layer names nothing', async () => {
    await here.tag(one, await image('some layer'));
    const bytes = await saved(one);
    // Its name then is no digest's.
    const name = bytes.indexOf(`blobs/sha256/${digestOf('some layer').slice(7)}`);
    const header = bytes.subarray(name, name + 512);
    header.write('blobs/sha25x', 'latin1');
    header.fill(' ', 148, 156);
    header.write(
      header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0'),
      148,
      'latin1',
    );
    await expect(load(bytes)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await there.list()).toEqual([]);
  });

  test('of something else is not taken for one', async () => {
    await expect(load(Buffer.from('no archive at all'.repeat(100)))).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    expect(await load(Buffer.alloc(1024))).toBeUndefined();
  });
});

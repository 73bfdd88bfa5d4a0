// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadProfile, type Profile } from '../../hardware-profiles/index.ts';
import { digestOf } from '../digest.ts';
import { type LayerEntry, writeLayer } from '../layers/index.ts';
import { readAll } from '../layers/testing.ts';
import { encodeUstar } from '../layers/ustar.ts';
import { type ContentStore, openContentStore } from '../layout/index.ts';
import { layerCompression, MEDIA_TYPE } from '../media-types.ts';
import { buildOnBase, type Layer, rebuildConfig, type StackedRequest, validateImage } from './index.ts';
import { makeElf } from './needs/testing.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';

let dir: string;
let store: ContentStore;
let profile: Profile;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-on-base-'));
  store = await openContentStore(join(dir, 'store'));
  profile = await loadProfile('qemu-microvm');
  await put('vmlinux', 'kernel');
  await put('config', 'CONFIG_64BIT=y\n');
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function put(path: string, content: Buffer | string): Promise<string> {
  const full = join(dir, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, content, { mode: 0o755 });
  return full;
}

const OWNED = { mode: 0o755, uid: 0, gid: 0 };
const file = (path: string, text = path): LayerEntry => ({
  path,
  type: 'file',
  ...OWNED,
  source: { bytes: Buffer.from(text) },
});
const folder = (path: string, mode = 0o755): LayerEntry => ({ path, type: 'directory', ...OWNED, mode });
const link = (path: string, linkname: string): LayerEntry => ({ path, type: 'symlink', ...OWNED, linkname });

async function layerOf(...entries: LayerEntry[]): Promise<Layer> {
  const { diffId, digest, size } = await writeLayer(entries, store, { compression: 'gzip' });
  return { descriptor: { mediaType: MEDIA_TYPE.dockerLayerGzip, digest, size }, diffId };
}

/** As Debian: `/lib64` is a link, the loader and a libc are there. */
const debian = () =>
  layerOf(
    link('lib', 'usr/lib'),
    link('lib64', 'usr/lib64'),
    file('usr/lib64/ld-linux-x86-64.so.2'),
    file('usr/lib/x86_64-linux-gnu/libc.so.6'),
    file('usr/bin/env'),
    file('usr/bin/python3'),
    folder('var/lib/data', 0o700),
  );

async function build(request: Partial<StackedRequest>) {
  const kernelJson = { version: '6.12.1', variant: 'default' };
  const kernel = { vmlinux: join(dir, 'vmlinux'), config: join(dir, 'config'), kernelJson };
  const warnings: string[] = [];
  const image = await buildOnBase({ base: [await debian()], execution: {}, profile, kernel, ...request }, store, {
    onProgress: ({ warning }) => warning !== undefined && warnings.push(warning),
  });
  const read = await validateImage(store, image.descriptor);
  const roles = read.layers.map(({ role }) => role);
  const entriesOf = async (role: string) => {
    const found = read.layers.findLast((layer) => layer.role === role);
    if (found === undefined) throw new Error(`no layer ${role}`);
    const { mediaType, digest } = found.descriptor;
    const entries = await readAll(await buffer(store.stream(digest)), layerCompression(mediaType) ?? 'none');
    return new Map(entries.map((entry) => [entry.path, entry]));
  };
  return { image, read, roles, entriesOf, warnings, config: read.config.config ?? {} };
}

const dynamic = (needed: string[]) => makeElf({ interpreter: LOADER, needed });

describe('on the layers of another image', () => {
  test('they are taken as they are, with their types and digests', async () => {
    const base = [await debian(), await layerOf(), await layerOf(file('etc/motd'))];
    const { read, roles } = await build({ base });
    expect(roles).toEqual(['kernel', 'deps', 'deps', 'deps', 'config']);
    expect(read.stacked).toBe(true);
    for (const [i, { descriptor, diffId }] of base.entries()) {
      expect(read.layers[i + 1]).toMatchObject({ diffId, descriptor });
    }
  });

  test('what its config says stays, and options override it', async () => {
    const execution = {
      Entrypoint: ['/docker-entrypoint.sh'],
      Cmd: ['postgres'],
      Env: ['PATH=/usr/bin', 'LANG=C'],
      User: 'postgres',
      WorkingDir: '/data',
      ExposedPorts: { '5432/tcp': {} },
      Volumes: { '/var/lib/data': {} },
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD', 'pg_isready'] },
      Labels: { maintainer: 'x' },
    };
    const { config } = await build({ execution, env: ['LANG=de'], user: 'root' });
    expect(config).toMatchObject({ ...execution, Env: ['PATH=/usr/bin', 'LANG=de'], User: 'root' });
    expect(config.Labels).toMatchObject({ maintainer: 'x', 'vnd.uk.layer.roles': 'kernel,deps,config' });
  });

  test('a program takes the place of the program of the base, with its arguments', async () => {
    const app = await put('hello', dynamic(['libc.so.6']));
    const { roles, config, entriesOf } = await build({ app, execution: { Entrypoint: ['/bin/sh'], Cmd: ['-c', 'x'] } });
    expect(roles).toEqual(['kernel', 'deps', 'app', 'config']);
    expect(config.Entrypoint).toEqual(['/app/hello']);
    expect(config).not.toHaveProperty('Cmd');
    // The libraries of the base are not taken again.
    expect(
      [...(await entriesOf('app')).values()].filter(({ type }) => type === 'file').map(({ path }) => path),
    ).toEqual(['app/hello']);
  });

  test('added files get where the links of the base lead, and its folders keep their modes', async () => {
    const source = await put('plugin', 'x');
    const { entriesOf } = await build({
      adds: [
        { source, destination: '/lib/plugin' },
        { source, destination: '/var/lib/data/' },
      ],
    });
    const app = await entriesOf('app');
    expect(app.get('usr/lib/plugin')?.type).toBe('file');
    expect(app.has('lib')).toBe(false);
    expect(app.get('var/lib/data')?.mode).toBe(0o700);
    expect(app.get('var/lib/data/plugin')?.type).toBe('file');
  });

  test('a file of the base is replaced, a folder is not', async () => {
    const source = await put('python3', 'x');
    expect(
      (await (await build({ adds: [{ source, destination: '/usr/bin/' }] })).entriesOf('app')).has('usr/bin/python3'),
    ).toBe(true);
    await expect(build({ adds: [{ source, destination: '/var/lib/data' }] })).rejects.toMatchObject({
      code: 'PATH_CONFLICT',
      message: expect.stringContaining('/var/lib/data is a folder of the base image'),
    });
  });

  test.each([
    ['a library', () => dynamic(['libc.so.6', 'libpq.so.5']), 'libpq.so.5'],
    ['an interpreter', () => makeElf({ interpreter: '/lib/ld-musl-x86_64.so.1' }), '/lib/ld-musl-x86_64.so.1'],
    ["a script's interpreter", () => '#!/usr/bin/perl\n', '/usr/bin/perl'],
    ["a script's program behind env", () => '#!/usr/bin/env ruby\n', 'ruby'],
  ])('%s that the base lacks is named', async (_, content, name) => {
    const app = await put('program', content());
    await expect(build({ app })).rejects.toMatchObject({
      code: 'LIBRARY_MISSING',
      message: `the base image does not have: ${name} (needed by ${app})`,
    });
  });

  test('a script whose interpreter the base has, a library that is added', async () => {
    expect((await build({ app: await put('script', '#!/usr/bin/env python3\n') })).config.Entrypoint).toEqual([
      '/app/script',
    ]);
    const adds = [{ source: await put('libpq.so.5', makeElf({ soname: 'libpq.so.5' })), destination: '/usr/lib/' }];
    await build({ app: await put('program', dynamic(['libpq.so.5'])), adds });
  });

  test('what a later layer removes is not there', async () => {
    const removed = await layerOf(folder('usr/bin'));
    expect(
      (await build({ base: [await debian(), removed], app: await put('s', '#!/usr/bin/python3\n') })).roles,
    ).toContain('app');
  });
});

test('names that are not UTF-8, and an archive without its closing blocks, as other tools read them', async () => {
  const numbers = { uid: 0, gid: 0, size: 0, mtime: 0, devmajor: 0, devminor: 0, linkname: Buffer.alloc(0) };
  const header = (name: string | Buffer, typeflag: string, mode: number) =>
    encodeUstar({ ...numbers, name: Buffer.from(name as string), typeflag, mode });
  const tar = Buffer.concat([header('d\u00fc/', '5', 0o711), header(Buffer.from([0xfc, 0x2f]), '5', 0o700)]);
  const { digest, size } = await store.ingest(Readable.from([tar]));
  const layer = { descriptor: { mediaType: MEDIA_TYPE.layer, digest, size }, diffId: digest };
  const source = await put('x', 'x');
  const add = (destination: string) => ({ source, destination });
  const { entriesOf } = await build({ base: [layer], adds: [add('/d\u00fc/x'), add('/\u00fc/x')] });
  const app = await entriesOf('app');
  expect(app.get('d\u00fc')?.mode).toBe(0o711);
  expect(app.get('\u00fc')?.mode).toBe(0o755);
});

describe('a base that lies', () => {
  test('about a diff_id', async () => {
    const { descriptor } = await debian();
    await expect(build({ base: [await debian(), { descriptor, diffId: digestOf('other') }] })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringMatching(/^layer 2 of 2 \(sha256:[0-9a-f]{64}\): does not unpack to its diff_id: /),
    });
  });

  test('about a size', async () => {
    const { descriptor, diffId } = await debian();
    const base = [{ descriptor: { ...descriptor, size: descriptor.size + 1 }, diffId }];
    await expect(build({ base })).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
      message: expect.stringMatching(/^layer 1 of 1 /),
    });
  });
});

test('how it runs is changed later, with its layers left alone', async () => {
  const { image, read } = await build({ base: [await debian(), await layerOf(file('etc/motd'))] });
  const changed = await validateImage(
    store,
    (await rebuildConfig(image.descriptor, { env: ['A=b'] }, store)).descriptor,
  );
  expect(changed.stacked).toBe(true);
  expect(changed.layers.slice(0, -1)).toEqual(read.layers.slice(0, -1));
  expect(changed.config.config?.Env).toEqual(['A=b']);
});

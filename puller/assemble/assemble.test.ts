// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, stat, truncate, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { type Descriptor, LABEL } from '../../image-format/index.ts';
import type { LayerEntry } from '../../image-format/layers/index.ts';
import { type ContentStore, openContentStore } from '../../image-format/layout/index.ts';
import { assemble } from './assemble.ts';
import type { Bootable, ReadyKernel } from './bootable.ts';
import type { AssembleEvent } from './options.ts';
import { readCpio } from './read-cpio.suite.ts';
import { file, link, makeTestImage, OWNED, type TestImage, testKernel } from './testing.ts';
import { trimAssemblies } from './trim.ts';

let folder: string;
let store: ContentStore;
let kernel: LayerEntry[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-assemble-'));
  store = await openContentStore(join(folder, 'store'));
  kernel = await testKernel(1);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function image(parts: Partial<TestImage>): Promise<Descriptor> {
  return await makeTestImage(store, { kernel, ...parts });
}

/** When nothing that is made now is young any more. */
function later(): number {
  return Date.now() + 2 * 3600_000;
}

let caches = 0;

function newCache(): string {
  caches++;
  return join(folder, `cache-${caches}`);
}

function initramfsOf({ root }: Bootable) {
  if (root.kind !== 'initramfs') throw new Error(`a root of the kind ${root.kind}`);
  return root;
}

async function initrdOf(descriptor: Descriptor) {
  const bootable = await assemble(store, descriptor, { cacheDir: newCache() });
  const root = initramfsOf(bootable);
  const bytes = await readFile(root.initrd);
  expect(root.initrdSize).toBe(bytes.length);
  return { bootable, entries: readCpio(bytes) };
}

test('an image becomes a kernel, an initrd and what they say', async () => {
  const { bootable, entries } = await initrdOf(await image({}));
  expect(await readFile(bootable.kernel, 'utf8')).toBe('the kernel');
  expect(bootable).toMatchObject({
    config: { Entrypoint: ['/app'] },
    profile: { name: 'qemu-microvm' },
    kernelJson: { guestContract: 1 },
    hz: 100,
  });
  expect(entries.map(({ path }) => path).filter((path) => path !== '.')).toEqual(['deps', 'app', 'etc', 'etc/c']);
});

test('modes, owners, times, links and devices are kept', async () => {
  const deps: LayerEntry[] = [
    { path: 'dir', type: 'directory', mode: 0o1777, uid: 1, gid: 2 },
    file('dir/set-user', 'x'.repeat(5), { mode: 0o4755, uid: 1000, gid: 70_000 }),
    link('dir/t-again', 'dir/set-user', 'hardlink'),
    link('dir/t-more', 'dir/set-user', 'hardlink'),
    link('link', '../target with spaces'),
    link('to-link', 'link', 'hardlink'),
    { path: 'null', type: 'character', mode: 0o666, uid: 0, gid: 5, devmajor: 1, devminor: 3 },
    { path: 'fifo', type: 'fifo', mode: 0o600, uid: 0, gid: 0 },
    file('empty', ''),
  ];
  const { entries } = await initrdOf(await image({ deps }));
  const found = new Map(entries.map((entry) => [entry.path, entry]));
  expect(found.get('dir')).toMatchObject({ mode: 0o041777, uid: 1, gid: 2 });
  expect(found.get('link')).toMatchObject({ mode: 0o120777, content: Buffer.from('../target with spaces') });
  expect(found.get('to-link')).toMatchObject({ mode: 0o120777, content: Buffer.from('../target with spaces') });
  expect(found.get('null')).toMatchObject({ mode: 0o020666, gid: 5, rdev: [1, 3] });
  expect(found.get('fifo')).toMatchObject({ mode: 0o010600 });
  expect(found.get('empty')).toMatchObject({ links: 1, content: Buffer.alloc(0) });

  const linked = entries.filter(({ links }) => links > 1);
  expect(linked.map(({ path }) => path).sort()).toEqual(['dir/set-user', 'dir/t-again', 'dir/t-more']);
  expect(new Set(linked.map(({ inode }) => inode)).size).toBe(1);
  expect(
    linked.every(({ mode, uid, gid, mtime }) => mode === 0o104755 && uid === 1000 && gid === 70_000 && mtime === 42),
  ).toBe(true);
  // The kernel takes the content that comes with the first of them.
  expect(linked.map(({ content }) => content.length)).toEqual([5, 0, 0]);
});

test('gzip is as good', async () => {
  const { entries } = await initrdOf(await image({ compression: 'gzip' }));
  expect(entries.map(({ path }) => path)).toContain('app');
});

describe('what is kept', () => {
  test('the second time makes nothing; another app makes only that', async () => {
    const cacheDir = newCache();
    const events: string[] = [];
    const onProgress = ({ phase, layer }: AssembleEvent): unknown => events.push(layer ?? phase);
    const first = await image({});
    await assemble(store, first, { cacheDir, onProgress });
    expect(events.splice(0)).toEqual(['kernel', 'deps', 'app', 'config', 'image']);
    await assemble(store, first, { cacheDir, onProgress });
    expect(events.splice(0)).toEqual([]);
    await assemble(store, await image({ app: [file('app', 'another')] }), { cacheDir, onProgress });
    expect(events.splice(0)).toEqual(['app', 'image']);
  });

  test('what is damaged is made again', async () => {
    const cacheDir = newCache();
    const descriptor = await image({});
    const whole = await assemble(store, descriptor, { cacheDir });
    const { initrd } = initramfsOf(whole);
    const size = (await stat(initrd)).size;
    await truncate(initrd, 10);
    await truncate(whole.kernel, 3);
    const again = await assemble(store, descriptor, { cacheDir });
    expect((await stat(initramfsOf(again).initrd)).size).toBe(size);
    expect(await readFile(again.kernel, 'utf8')).toBe('the kernel');
  });

  test('goes with its image', async () => {
    const cacheDir = newCache();
    const [kept, dropped] = [await image({}), await image({ app: [file('app', 'dropped')] })];
    await store.tag('localhost/kept:1', kept);
    await assemble(store, kept, { cacheDir });
    await assemble(store, dropped, { cacheDir });
    expect(await trimAssemblies(store, { cacheDir, now: later() })).toBe(2);
    const events: AssembleEvent[] = [];
    await assemble(store, kept, { cacheDir, onProgress: (event) => events.push(event) });
    expect(events).toEqual([]);
    await store.untag('localhost/kept:1');
    expect(await trimAssemblies(store, { cacheDir, now: later() })).toBe(5);
  });

  test('what another store has just used stays when this one is trimmed', async () => {
    const cacheDir = newCache();
    const other = await openContentStore(join(folder, 'another-store'));
    const bootable = await assemble(store, await image({}), { cacheDir });
    expect(await trimAssemblies(other, { cacheDir })).toBe(0);
    // As if it had been made long ago, and was used now.
    const [initrdFolder, kernelFolder] = [dirname(initramfsOf(bootable).initrd), dirname(bootable.kernel)];
    for (const entry of [initrdFolder, kernelFolder]) await utimes(entry, 1, 1);
    await assemble(store, await image({}), { cacheDir });
    expect(await trimAssemblies(other, { cacheDir })).toBe(0);
    await utimes(initrdFolder, 1, 1);
    expect(await trimAssemblies(other, { cacheDir })).toBe(1);
    await expect(stat(initramfsOf(bootable).initrd)).rejects.toThrow(/ENOENT/);
    expect((await stat(bootable.kernel)).isFile()).toBe(true);
  });

  test('many may assemble one image at once', async () => {
    const cacheDir = newCache();
    const descriptor = await image({});
    const all = await Promise.all(Array.from({ length: 5 }, () => assemble(store, descriptor, { cacheDir })));
    expect(new Set(all.map((one) => initramfsOf(one).initrd)).size).toBe(1);
  });
});

describe('a root on a disk', () => {
  const DISK_KERNEL = 'CONFIG_EROFS_FS=y\nCONFIG_OVERLAY_FS=y\nCONFIG_VIRTIO_BLK=y\nCONFIG_TMPFS=y\nCONFIG_HZ=100\n';
  const diskKernel = () =>
    kernel.map((entry) => (entry.path === 'boot/config' ? file(entry.path, DISK_KERNEL) : entry));
  const supplied = async (): Promise<ReadyKernel> => ({
    vmlinux: '/kernel',
    profile: await loadProfile(),
    kernelJson: { guestContract: 2 },
    filesystems: ['erofs'],
  });
  const replaced = { deps: [file('etc/c', 'lower')], config: [file('etc/c', 'upper')] };

  test('an image that asks for it; the metadata alone are made for a new app', async () => {
    const cacheDir = newCache();
    const events: string[] = [];
    const onProgress = ({ phase, layer }: AssembleEvent): unknown => events.push(layer ?? phase);
    const parts = { kernel: diskKernel(), labels: { [LABEL.root]: 'erofs' }, ...replaced };
    const { root, filesystems } = await assemble(store, await image(parts), { cacheDir, onProgress });
    expect(root.kind === 'erofs' && (await readFile(root.disk, 'utf8'))).toMatch(
      /FLAT "metadata" 0\nRW \d+ FLAT "0.tar" 0/,
    );
    expect(filesystems).toEqual(['erofs']);
    expect(events.splice(0)).toEqual(['kernel', 'deps', 'app', 'config', 'image']);
    const updated = await image({ ...parts, app: [file('app', 'new')] });
    await assemble(store, updated, { cacheDir, onProgress });
    expect(events.splice(0)).toEqual(['app', 'image']);
    await assemble(store, updated, { cacheDir, onProgress });
    expect(events).toEqual([]);
  });

  test('is refused where the kernel cannot have it', async () => {
    const descriptor = await image({ labels: { [LABEL.root]: 'erofs' } });
    await expect(assemble(store, descriptor, { cacheDir: newCache() })).rejects.toMatchObject({
      code: 'IMAGE_UNSUPPORTED',
      hint: expect.stringContaining('--preset general'),
    });
  });

  test('a container image gets a kernel each time it starts, and is assembled once', async () => {
    const cacheDir = newCache();
    const events: string[] = [];
    const options = {
      cacheDir,
      kernel: async () => {
        events.push('supplied');
        return supplied();
      },
      onProgress: ({ phase }: AssembleEvent): unknown => events.push(phase),
    };
    const descriptor = await image({ plain: true, ...replaced });
    expect(await assemble(store, descriptor, options)).toMatchObject({
      kernel: '/kernel',
      kernelJson: { guestContract: 2 },
      config: { Entrypoint: ['/app'] },
      root: { kind: 'erofs' },
    });
    expect(events.splice(0)).toEqual(['supplied', 'layer', 'layer', 'layer', 'image']);
    await assemble(store, descriptor, options);
    expect(events).toEqual(['supplied']);
  });

  test('a container image without a kernel, or with one that cannot have its root there, is refused', async () => {
    const descriptor = await image({ plain: true });
    const cacheDir = newCache();
    await expect(assemble(store, descriptor, { cacheDir })).rejects.toThrow(/it has no kernel/);
    const small = async () => ({ ...(await supplied()), filesystems: [] });
    await expect(assemble(store, descriptor, { cacheDir, kernel: small })).rejects.toThrow(
      /cannot have its root on a disk/,
    );
  });

  test('goes with its image', async () => {
    const cacheDir = newCache();
    const descriptor = await image({ plain: true });
    await store.tag('localhost/plain:1', descriptor);
    await assemble(store, descriptor, { cacheDir, kernel: supplied });
    expect(await trimAssemblies(store, { cacheDir, now: later() })).toBe(0);
    await store.untag('localhost/plain:1');
    expect(await trimAssemblies(store, { cacheDir, now: later() })).toBe(6);
  });
});

describe('refused', () => {
  test.each<[string, Partial<TestImage>, string, RegExp]>([
    ["the guest's own folder", { app: [file('.uk/init', '')] }, 'IMAGE_UNSUPPORTED', /\.uk/],
    ['one file in two layers', { app: [file('deps', '')] }, 'IMAGE_UNSUPPORTED', /again in the app layer/],
    [
      'one file in two layers, through a link',
      {
        deps: [{ path: 'usr/bin', type: 'directory', ...OWNED }, link('bin', 'usr/bin'), file('usr/bin/sh', '')],
        app: [file('bin/sh', '')],
      },
      'IMAGE_UNSUPPORTED',
      /bin/,
    ],
    [
      'a layer that is not what its diff_id says',
      { diffId: (role) => (role === 'app' ? `sha256:${'1'.repeat(64)}` : undefined) },
      'DIGEST_MISMATCH',
      /1111/,
    ],
    ['no kernel', { kernel: [file('boot/config', '')] }, 'IMAGE_UNSUPPORTED', /vmlinux/],
    ['a kernel layer that says nothing', { kernel: [file('boot/vmlinux', 'k')] }, 'IMAGE_UNSUPPORTED', /kernel\.json/],
  ])('%s', async (_what, parts, code, message) => {
    const cacheDir = newCache();
    const descriptor = await image(parts);
    await expect(assemble(store, descriptor, { cacheDir })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    // Nothing that is wrong is kept.
    await expect(assemble(store, descriptor, { cacheDir })).rejects.toMatchObject({ code });
  });

  test('an abort', async () => {
    const signal = AbortSignal.abort();
    await expect(assemble(store, await image({}), { cacheDir: newCache(), signal })).rejects.toThrow(/abort/i);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, link, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LayerEntry } from '../../layers/index.ts';
import { readAll } from '../../layers/testing.ts';
import { writeTar } from '../../layers/write-tar.ts';
import { type ContentStore, openContentStore } from '../../layout/index.ts';
import { rootfsLayer } from './rootfs-layer.ts';

const isRoot = process.getuid?.() === 0;

let dir: string;
let tree: string;
let file: string;
let store: ContentStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-rootfs-'));
  tree = join(dir, 'tree');
  file = join(dir, 'tree.tar');
  await mkdir(tree);
  store = await openContentStore(join(dir, 'store'));
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function entriesOf(path: string, warnings: string[] = []) {
  const { descriptor } = await rootfsLayer(path, store, {
    onProgress: ({ warning }) => warning !== undefined && warnings.push(warning),
  });
  const entries = await readAll(await buffer(store.stream(descriptor.digest)), 'zstd');
  return new Map(entries.map((entry) => [entry.path, entry]));
}

const OWNED = { mode: 0o755, uid: 0, gid: 0 };
const plain = (path: string, text = path): LayerEntry => {
  return { path, type: 'file', ...OWNED, source: { bytes: Buffer.from(text) } };
};
const hard = (path: string, linkname: string): LayerEntry => ({ path, type: 'hardlink', ...OWNED, linkname });
const save = async (...entries: LayerEntry[]) => await writeFile(file, await buffer(writeTar(entries, 5)));

describe('a folder', () => {
  test('modes, links and names of one file; sockets are left out', async () => {
    await mkdir(join(tree, 'etc'));
    await writeFile(join(tree, 'etc/z'), 'content');
    await link(join(tree, 'etc/z'), join(tree, 'etc/a'));
    await symlink('../nowhere', join(tree, 'etc/link'));
    await chmod(join(tree, 'etc/z'), 0o4750);
    await chmod(tree, 0o700);
    const server = createServer().listen(join(tree, 'socket'));
    const entries = await entriesOf(tree);
    server.close();
    expect([...entries.keys()]).toEqual(['', 'etc', 'etc/a', 'etc/link', 'etc/z']);
    expect(entries.get('')?.mode).toBe(0o700);
    expect(entries.get('etc/a')).toMatchObject({ type: 'file', mode: 0o4750, bytes: Buffer.from('content') });
    expect(entries.get('etc/z')).toMatchObject({ type: 'hardlink', linkname: 'etc/a' });
    expect(entries.get('etc/link')).toMatchObject({ type: 'symlink', linkname: '../nowhere' });
  });

  test('the same tree gives the same layer, whenever it was made', async () => {
    await writeFile(join(tree, 'a'), 'x');
    const before = await rootfsLayer(tree, store);
    await utimes(join(tree, 'a'), 1, 1);
    expect(await rootfsLayer(tree, store)).toEqual(before);
    expect((await rootfsLayer(tree, store, { sourceDateEpoch: 7 })).diffId).not.toBe(before.diffId);
  });

  test.skipIf(!isRoot)('owners and nodes', async () => {
    await writeFile(join(tree, 'a'), 'x');
    await chown(join(tree, 'a'), 101, 102);
    spawnSync('mknod', [join(tree, 'null'), 'c', '1', '3']);
    const entries = await entriesOf(tree);
    expect(entries.get('a')).toMatchObject({ uid: 101, gid: 102 });
    const node = entries.get('null');
    if (node !== undefined) expect(node).toMatchObject({ type: 'character', devmajor: 1, devminor: 3 });
  });

  test('a link that is named stands for its folder, and what is no root is refused', async () => {
    await writeFile(join(tree, 'a'), 'x');
    await symlink(tree, join(dir, 'link'));
    expect([...(await entriesOf(join(dir, 'link'))).keys()]).toEqual(['', 'a']);
    await expect(rootfsLayer(join(dir, 'none'), store)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: `no such file or folder: ${join(dir, 'none')}`,
    });
    await expect(rootfsLayer('/dev/null', store)).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    await expect(rootfsLayer(store.root, store)).rejects.toMatchObject({
      hint: `write --from-image oci:${store.root}`,
    });
  });
});

describe('an archive', () => {
  const entries: LayerEntry[] = [
    { ...plain('etc/passwd'), uid: 7, gid: 3_000_000 },
    plain('bin/z', 'busybox'),
    hard('bin/a', 'bin/z'),
    { path: 'dev/null', type: 'character', mode: 0o666, uid: 0, gid: 0, devmajor: 1, devminor: 3 },
    { path: 'run/pipe', type: 'fifo', mode: 0o600, uid: 0, gid: 0 },
    {
      ...plain('bin/ping'),
      xattrs: new Map([
        ['security.capability', Buffer.from('0100', 'hex')],
        ['security.selinux', Buffer.from('label')],
        ['trusted.overlay.opaque', Buffer.from('y')],
        ['system.posix_acl_access', Buffer.from('acl')],
      ]),
    },
  ];

  test.each([
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s: owners, names of one file, nodes, attributes', async (_, compress) => {
    await writeFile(file, compress(await buffer(writeTar(entries, 5))));
    const found = await entriesOf(file);
    expect([...found.keys()]).toEqual([
      ...['bin', 'bin/a', 'bin/ping', 'bin/z', 'dev', 'dev/null', 'etc', 'etc/passwd', 'run', 'run/pipe'],
    ]);
    expect(found.get('etc/passwd')).toMatchObject({
      uid: 7,
      gid: 3_000_000,
      mtime: 0,
      bytes: Buffer.from('etc/passwd'),
    });
    expect(found.get('bin/a')).toMatchObject({ type: 'file', bytes: Buffer.from('busybox') });
    expect(found.get('bin/z')).toMatchObject({ type: 'hardlink', linkname: 'bin/a' });
    expect(found.get('dev/null')).toMatchObject({ type: 'character', devmajor: 1, devminor: 3 });
    expect(found.get('run/pipe')?.type).toBe('fifo');
    expect([...(found.get('bin/ping')?.xattrs ?? new Map()).keys()].sort()).toEqual([
      'security.capability',
      'system.posix_acl_access',
    ]);
  });

  test('a folder and its archive by GNU tar give the same layer', async () => {
    await mkdir(join(tree, 'etc'));
    await writeFile(join(tree, 'etc/z'), Buffer.alloc(3_000_000, 'z'));
    await link(join(tree, 'etc/z'), join(tree, 'etc/a'));
    await writeFile(join(tree, 'ü'.repeat(120)), '');
    execFileSync('tar', ['-C', tree, '--numeric-owner', '-cf', file, '.']);
    if (!isRoot) return;
    expect((await rootfsLayer(file, store)).diffId).toBe((await rootfsLayer(tree, store)).diffId);
  });

  test('of a path that is there twice the last counts, and an older name keeps the older file', async () => {
    await save(plain('a', 'old'), hard('b', 'a'), plain('a', 'new'));
    const found = await entriesOf(file);
    expect(found.get('a')?.bytes.toString()).toBe('new');
    expect(found.get('b')).toMatchObject({ type: 'file', bytes: Buffer.from('old') });
  });

  test.each<[string, LayerEntry[], string]>([
    ['a link to nothing', [hard('b', 'a')], '"b" leads to "a"'],
    ['a file below a link', [{ path: 'a', type: 'symlink', ...OWNED, linkname: '/' }, plain('a/b')], 'a/b is below a'],
    ['a whiteout', [plain('a/.wh.b')], 'a/.wh.b'],
    ['docker save', [plain('manifest.json'), plain('repositories')], 'an archive of an image'],
    ['an OCI archive', [plain('index.json'), plain('oci-layout')], 'an archive of an image'],
  ])('%s is refused', async (_, wrong, message) => {
    await save(...wrong);
    await expect(rootfsLayer(file, store)).rejects.toThrow(message);
  });

  test('what is no archive, or ends early', async () => {
    await writeFile(file, 'text\n');
    await expect(rootfsLayer(file, store)).rejects.toMatchObject({
      code: 'LAYER_INVALID',
      message: expect.stringContaining(file),
    });
    await save(...entries);
    execFileSync('truncate', ['-s', '1500', file]);
    await expect(rootfsLayer(file, store)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    await writeFile(file, Buffer.from('fd377a585a0000', 'hex'));
    await expect(rootfsLayer(file, store)).rejects.toThrow('compressed with xz');
  });
});

// SPDX-License-Identifier: Apache-2.0
// Layers as a root: what the merged tree is, what is refused, and what Linux sees in the disk that is made of it.
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  applyLayer,
  type Directory,
  type IndexEntry,
  type Inode,
  impliedDirectory,
  parseIndex,
} from '../../image-format/root/index.ts';
import { AssemblyCache } from '../assemble/cache.ts';
import { DISK, INDEX, TAR } from './file-names.ts';
import { makeRootDisk, type RootLayer } from './root-disk.ts';
import { type TarEntry, tarOf } from './testing.ts';
import { unpackLayer } from './unpack-layer.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-root-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let counter = 0;
async function fresh(): Promise<string> {
  counter++;
  const path = join(folder, String(counter));
  await mkdir(path);
  return path;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

async function indexOf(entries: readonly TarEntry[]): Promise<IndexEntry[]> {
  const { bytes, diffId } = tarOf(entries);
  const where = await fresh();
  await unpackLayer(where, { blob: pieces(bytes), compression: 'none', diffId });
  return parseIndex(await readFile(join(where, INDEX), 'utf8'));
}

async function merge(...layers: TarEntry[][]): Promise<Directory> {
  const root = impliedDirectory();
  for (const [number, entries] of layers.entries()) applyLayer(root, await indexOf(entries), number);
  return root;
}

/** Paths with what they are. */
function listing(directory: Directory, path = ''): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, inode] of directory.children) {
    const place = `${path}/${name}`;
    all[place] = inode.type === 'symlink' ? `-> ${inode.target}` : inode.type;
    if (inode.type === 'directory') Object.assign(all, listing(inode, place));
  }
  return all;
}

const dir = (path: string, more: Partial<TarEntry> = {}): TarEntry => ({ path, typeflag: '5', ...more });
const file = (path: string, content = '', more: Partial<TarEntry> = {}): TarEntry => ({ path, content, ...more });
const symlink = (path: string, target: string): TarEntry => ({ path, typeflag: '2', target });
const hardlink = (path: string, target: string): TarEntry => ({ path, typeflag: '1', target });

describe('layers, one over the other', () => {
  test('a whiteout takes a file of lower layers, and not that of its own', async () => {
    const lower = [dir('d'), file('d/a', '1'), file('d/b'), file('d/c')];
    const root = await merge(lower, [file('d/.wh.a'), file('d/a', '22'), file('d/.wh.b'), file('d/.wh.never')]);
    expect(listing(root)).toEqual({ '/d': 'directory', '/d/a': 'file', '/d/c': 'file' });
    const d = root.children.get('d') as Directory;
    expect(d.children.get('a')).toMatchObject({ size: 2, layer: 1 });
  });

  test('an opaque folder keeps what its own layer puts there, in whatever order', async () => {
    const lower = [file('d/a'), file('d/sub/b')];
    const upper = [file('d/new'), file('d/.wh..wh..opq'), file('d/sub/c')];
    expect(listing(await merge(lower, upper))).toEqual({
      ...{ '/d': 'directory', '/d/new': 'file', '/d/sub': 'directory', '/d/sub/c': 'file' },
    });
  });

  test('a folder keeps what is in it and gets new attributes; any other type replaces', async () => {
    const lower = [dir('d'), file('d/a'), file('e/a'), symlink('f', 'd')];
    const root = await merge(lower, [dir('d', { mode: 0o700, uid: 5 }), symlink('e', 'd'), dir('f')]);
    expect(listing(root)).toEqual({ '/d': 'directory', '/d/a': 'file', '/e': '-> d', '/f': 'directory' });
    expect(root.children.get('d')).toMatchObject({ mode: 0o700, uid: 5 });
  });

  test('links on the way are followed, and never out of the root', async () => {
    const root = await merge(
      [dir('usr/lib'), symlink('lib', 'usr/lib'), symlink('up', '../../..')],
      [...[file('lib/x'), file('up/y'), file('lib/./z')]],
    );
    expect(listing(root)).toMatchObject({
      '/usr/lib/x': 'file',
      '/y': 'file',
      '/usr/lib/z': 'file',
      '/lib': '-> usr/lib',
    });
  });

  test('a hard link to a lower layer is the same file, and stays it when the first name is replaced', async () => {
    const root = await merge([file('a', 'old')], [hardlink('b', 'a')], [file('a', 'newer')]);
    expect(root.children.get('b')).toMatchObject({ size: 3, layer: 0 });
    expect(root.children.get('a')).toMatchObject({ size: 5, layer: 2 });
  });

  test('names are bytes', async () => {
    const root = await merge([file('caf\xe9'), file('\xff')]);
    expect([...root.children.keys()]).toEqual(['caf\xe9', '\xff']);
  });

  test.each<[string, TarEntry[], RegExp]>([
    ['a hard link to nothing', [hardlink('a', 'b')], /"?\/a.*hard link to a file that is not there/],
    ['a hard link to a folder', [dir('d'), hardlink('a', 'd')], /\/a: it is a hard link to a folder/],
    ['a path through a file', [file('a'), file('a/b')], /\/a\/b: its path leads through a file/],
    ['links in a circle', [symlink('a', 'b'), symlink('b', 'a'), file('a/c')], /\/a\/c: .* circles/],
    ['a whiteout of nothing', [file('.wh.')], /\.wh\.: this whiteout names no file/],
    ['a whiteout of "."', [file('.wh..')], /this whiteout names no file/],
    ['a name of 256 bytes', [file('x'.repeat(256))], /longer than 255 bytes/],
    [
      'a name of 256 bytes behind a link',
      [symlink('a', 'x'.repeat(256)), file('a/b')],
      /\/a\/b: .* longer than 255 bytes/,
    ],
    ['a path of 4097 bytes', [file(`${'x'.repeat(200)}/`.repeat(21))], /longer than 4096 bytes/],
    ['".." in a path', [file('a/../b')], /path with ".."/],
    ['a sparse file', [file('s', '', { typeflag: 'S' })], /sparse file.*"s"/],
    ['an unknown type', [file('s', '', { typeflag: 'Z' })], /unknown type "Z": "s"/],
  ])('%s is refused, naming the path', async (_what, entries, message) => {
    await expect(merge(entries)).rejects.toThrow(message);
  });
});

describe('a layer', () => {
  test('that is not what its diff_id says is refused', async () => {
    const { bytes } = tarOf([file('a')]);
    const { diffId } = tarOf([file('b')]);
    await expect(
      unpackLayer(await fresh(), { blob: pieces(bytes), compression: 'none', diffId }),
    ).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  test('without closing blocks, with bytes behind them, or empty is read as Go reads it', async () => {
    const { bytes } = tarOf([file('a', 'x')]);
    const { digestOf } = await import('../../image-format/index.ts');
    for (const blob of [bytes.subarray(0, -1024), Buffer.concat([bytes, Buffer.from('junk')]), Buffer.alloc(0)]) {
      const where = await fresh();
      const size = await unpackLayer(where, { blob: pieces(blob), compression: 'none', diffId: digestOf(blob) });
      expect(size % 512).toBe(0);
      expect((await stat(join(where, TAR))).size).toBe(size);
    }
  });
});

/** The disk as one file, as the monitor shows it. */
async function flatDisk(descriptor: string): Promise<Buffer> {
  const where = join(descriptor, '..');
  const names = [...(await readFile(descriptor, 'utf8')).matchAll(/FLAT "([^"]+)" 0/g)].map(([, name = '']) => name);
  return Buffer.concat(names.map((name) => readFileSync(join(where, name))));
}

const layersOf = (...layers: TarEntry[][]): RootLayer[] =>
  layers.map((entries) => {
    const { bytes, diffId } = tarOf(entries);
    return { diffId, unpack: (into) => unpackLayer(into, { blob: pieces(bytes), compression: 'none', diffId }) };
  });

describe('the disk', () => {
  test('is made once, of archives that are kept once, and again where one is lost', async () => {
    const cache = new AssemblyCache(await fresh());
    const made: string[] = [];
    const note = {
      onProgress: (phase: string, layer?: number) => void made.push(`${phase} ${layer ?? ''}`.trim()),
    };
    const [base, one, two] = [[file('base')], [file('one')], [file('two')]];
    const key = await makeRootDisk(cache, layersOf(base, one), note);
    expect(made.splice(0)).toEqual(['layer 0', 'layer 1', 'image']);
    expect(await makeRootDisk(cache, layersOf(base, one), note)).toBe(key);
    expect(made.splice(0)).toEqual([]);
    await makeRootDisk(cache, layersOf(base, two), note);
    expect(made.splice(0)).toEqual(['layer 1', 'image']);
    const { diffId } = layersOf(one)[0] as RootLayer;
    await rm(cache.file('tar', diffId, TAR));
    await makeRootDisk(cache, layersOf(base, one), note);
    expect(made.splice(0)).toEqual(['layer 1', 'image']);
  });

  const canMount = ((): boolean => {
    if (process.getuid?.() !== 0 || !readFileSync('/proc/filesystems', 'utf8').includes('erofs')) return false;
    return spawnSync('losetup', ['-f']).status === 0;
  })();

  function expected(root: Directory, content: (inode: Inode) => string): Map<string, unknown> {
    const links = new Map<Inode, number>();
    const walk = (directory: Directory): void => {
      for (const inode of directory.children.values()) {
        links.set(inode, (links.get(inode) ?? 0) + 1);
        if (inode.type === 'directory') walk(inode);
      }
    };
    walk(root);
    const TYPES = {
      directory: 0o040000,
      file: 0o100000,
      symlink: 0o120000,
      character: 0o020000,
      block: 0o060000,
      fifo: 0o010000,
    };
    const all = new Map<string, unknown>();
    const describeOne = (inode: Inode, path: string): void => {
      const { type, uid, gid } = inode;
      const mode = TYPES[type] | inode.mode;
      if (type === 'directory') {
        const nlink = 2 + [...inode.children.values()].filter((child) => child.type === 'directory').length;
        all.set(path, { mode, uid, gid, nlink });
        for (const [name, child] of inode.children) describeOne(child, `${path}/${name}`);
        return;
      }
      const size = type === 'file' ? inode.size : type === 'symlink' ? inode.target.length : 0;
      const rdev = type === 'character' || type === 'block' ? inode.major * 256 + inode.minor : 0;
      all.set(path, { mode, uid, gid, nlink: links.get(inode) ?? 0, size, rdev });
      if (type === 'file') all.set(`${path} content`, { content: content(inode) });
      if (type === 'symlink') all.set(`${path} target`, inode.target);
    };
    describeOne(root, '');
    return all;
  }

  test.skipIf(!canMount)(
    'is what Linux sees of random layers (skipped where EROFS cannot be mounted)',
    async () => {
      const name = fc.constantFrom('a', 'b', 'c', 'd\xe9', 'x'.repeat(255), '-', '~z');
      const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
      const attributes = { mode: fc.constantFrom(0o644, 0o4755, 0o1777, 0), uid: fc.nat(70_000), gid: fc.nat(70_000) };
      const entry: fc.Arbitrary<TarEntry> = fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({ path, content: fc.string({ unit: 'binary-ascii', maxLength: 2000 }), ...attributes }),
        },
        { weight: 3, arbitrary: fc.record({ path, typeflag: fc.constant('5'), ...attributes }) },
        {
          weight: 2,
          arbitrary: fc.record({
            path,
            typeflag: fc.constant('2'),
            target: fc.constantFrom('a', '/b', '../c', 'y'.repeat(600)),
          }),
        },
        { weight: 2, arbitrary: fc.record({ path, typeflag: fc.constant('1'), target: path }) },
        {
          weight: 1,
          arbitrary: fc.record({ path, typeflag: fc.constantFrom('3', '4'), major: fc.nat(200), minor: fc.nat(255) }),
        },
        { weight: 1, arbitrary: path.map((at) => file(at.replace(/[^/]+$/, (last) => `.wh.${last.slice(0, 200)}`))) },
        { weight: 1, arbitrary: path.map((at) => file(`${at}/.wh..wh..opq`)) },
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(entry, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
          async (layers) => {
            let root: Directory;
            try {
              root = await merge(...layers);
            } catch (error) {
              expect(error).toMatchObject({ code: 'LAYER_INVALID' });
              return;
            }
            const where = await fresh();
            const cache = new AssemblyCache(where);
            const stack = layersOf(...layers);
            // Another image on the same layers leaves their merged tree behind.
            if (stack.length > 1) await makeRootDisk(cache, [...stack.slice(0, -1), ...layersOf([file('other')])]);
            const key = await makeRootDisk(cache, stack);
            await writeFile(join(where, 'disk'), await flatDisk(cache.file('root', key, DISK)));
            const mounted = join(where, 'mounted');
            await mkdir(mounted);
            execFileSync('mount', ['-t', 'erofs', '-o', 'loop,ro', join(where, 'disk'), mounted]);
            try {
              const archives = layers.map((entries) => tarOf(entries).bytes);
              const content = (inode: Inode) =>
                inode.type === 'file'
                  ? (archives[inode.layer] ?? Buffer.alloc(0)).toString(
                      'latin1',
                      inode.offset,
                      inode.offset + inode.size,
                    )
                  : '';
              const wanted = expected(root, content);
              const found = new Map<string, unknown>();
              const walk = async (bytes: Buffer, path: string): Promise<void> => {
                const info = lstatSync(bytes);
                const { mode, uid, gid, nlink, size, rdev } = info;
                found.set(path, { mode, uid, gid, nlink, ...(info.isDirectory() ? {} : { size, rdev }) });
                if (info.isFile()) found.set(`${path} content`, { content: readFileSync(bytes, 'latin1') });
                if (info.isSymbolicLink()) found.set(`${path} target`, await readlink(bytes, 'latin1'));
                if (!info.isDirectory()) return;
                for (const child of await readdir(bytes, { encoding: 'buffer' })) {
                  await walk(Buffer.concat([bytes, Buffer.from('/'), child]), `${path}/${child.toString('latin1')}`);
                }
              };
              await walk(Buffer.from(mounted), '');
              expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
            } finally {
              execFileSync('umount', [mounted]);
              await rm(where, { recursive: true });
            }
          },
        ),
        { numRuns: 150, seed: 20_261_128 },
      );
    },
    120_000,
  );
});

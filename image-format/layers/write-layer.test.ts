// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { list } from 'tar';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { arrange } from './arrange.ts';
import type { LayerEntry } from './entry.ts';
import { MemoryStore, readAll } from './testing.ts';
import { type WriteLayerOptions, writeLayer } from './write-layer.ts';

const root = { uid: 0, gid: 0 };
const file = (path: string, text = '', more: Partial<LayerEntry> = {}): LayerEntry => {
  return { path, type: 'file', mode: 0o644, ...root, source: { bytes: Buffer.from(text) }, ...more };
};
const folder = (path: string): LayerEntry => ({ path, type: 'directory', mode: 0o755, ...root });
const link = (path: string, linkname: string): LayerEntry => ({
  path,
  type: 'symlink',
  mode: 0o777,
  linkname,
  ...root,
});

async function write(entries: LayerEntry[], options: Partial<WriteLayerOptions> = {}) {
  const store = new MemoryStore();
  const written = await writeLayer(entries, store, { compression: 'zstd', ...options });
  return { ...written, blob: store.blob };
}

const paths = fc
  .array(
    fc.stringMatching(/^[a-zA-Z0-9 äöü.-]{1,60}$/).filter((name) => !/^\.+$/.test(name)),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join('/'));

const header = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1000, 0o7777777, 0o10000000, 4294967295),
  gid: fc.constantFrom(0, 33, 65534, 3000000),
});
const xattrs = fc.option(
  fc.dictionary(fc.stringMatching(/^user\.[a-z]{1,8}$/), fc.uint8Array({ maxLength: 40 }), { minKeys: 1, maxKeys: 3 }),
);
const shapes = fc.oneof(
  fc.record({ type: fc.constant('file' as const), bytes: fc.uint8Array({ maxLength: 2000 }) }),
  fc.record({ type: fc.constant('directory' as const) }),
  fc.record({ type: fc.constant('symlink' as const), linkname: fc.stringMatching(/^[a-zä./]{1,150}$/) }),
  fc.record({ type: fc.constantFrom('character', 'block'), devmajor: fc.nat(4095), devminor: fc.nat(1048575) }),
  fc.record({ type: fc.constant('fifo' as const) }),
);

/** Random trees: each path once, nothing below what is no directory. */
const trees = fc.array(fc.tuple(paths, header, shapes, xattrs), { maxLength: 12 }).map((nodes) => {
  const tree = new Map<string, LayerEntry>();
  for (const [path, common, shape, attributes] of nodes) {
    const isBelow = [...tree.values()].some((e) => e.type !== 'directory' && path.startsWith(`${e.path}/`));
    const isAbove = shape.type !== 'directory' && [...tree.keys()].some((other) => other.startsWith(`${path}/`));
    if (tree.has(path) || isBelow || isAbove) continue;
    const { bytes, ...rest } = { bytes: undefined, ...shape };
    tree.set(path, {
      path,
      ...common,
      ...rest,
      ...(bytes === undefined ? {} : { source: { bytes } }),
      ...(attributes === null ? {} : { xattrs: new Map(Object.entries(attributes)) }),
    } as LayerEntry);
  }
  return [...tree.values()];
});

describe('writeLayer', () => {
  test('what is read is what was written, with the folders above it, in byte order', async () => {
    await fc.assert(
      fc.asyncProperty(trees, fc.constantFrom('zstd', 'gzip'), fc.nat(2 ** 33), async (tree, compression, mtime) => {
        const { blob } = await write(tree, { compression, mtime, level: 1 });
        const found = await readAll(blob, compression, { piece: 7 });
        const order = found.map(({ path }) => path);
        expect(order).toEqual([...order].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
        const byPath = new Map(found.map((entry) => [entry.path, entry]));
        for (const { source, ...entry } of tree) {
          const bytes = source !== undefined && 'bytes' in source ? Buffer.from(source.bytes) : Buffer.alloc(0);
          const wanted = { ...entry, mtime, size: bytes.length, bytes };
          const { xattrs, ...rest } = wanted;
          expect(byPath.get(entry.path)).toMatchObject(rest);
          const attributes = [...(byPath.get(entry.path)?.xattrs ?? [])].map(([k, v]) => [k, Buffer.from(v)]);
          const expected = [...(xattrs ?? [])].filter(([, v]) => v.length > 0).map(([k, v]) => [k, Buffer.from(v)]);
          expect(Object.fromEntries(attributes.filter(([, v]) => v?.length))).toEqual(Object.fromEntries(expected));
          for (const parent of parents(entry.path)) expect(byPath.get(parent)?.type).toBe('directory');
        }
      }),
      { numRuns: 60 },
    );
  });

  test('the order of the entries does not matter, nor do the pieces that files come in', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'uk-layer-'));
    const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * i) % 251));
    await writeFile(join(dir, 'big'), bytes);
    const fromFile = [file('a/big', '', { source: { file: join(dir, 'big') } }), file('b', 'b'), link('c', 'a')];
    const fromMemory = [link('c', 'a'), file('b', 'b'), file('a/big', '', { source: { bytes } })];
    for (const compression of ['zstd', 'gzip'] as const) {
      const [one, two] = [await write(fromFile, { compression }), await write(fromMemory, { compression })];
      expect(one.digest).toBe(two.digest);
      expect(one.diffId).toBe(two.diffId);
    }
    await rm(dir, { recursive: true });
  });

  test('diff_id is the digest of what the blob unpacks to, and the same for both compressions', async () => {
    const tree = [file('etc/hosts', 'x'.repeat(5000)), link('bin', 'usr/bin')];
    const zstd = await write(tree);
    const gzip = await write(tree, { compression: 'gzip' });
    expect(zstd.diffId).toBe(digestOf(zstdDecompressSync(zstd.blob)));
    expect(gzip.diffId).toBe(digestOf(gunzipSync(gzip.blob)));
    expect(gzip.diffId).toBe(zstd.diffId);
    expect(zstd.digest).toBe(digestOf(zstd.blob));
    // RFC 1952: no time, no name.
    expect(gzip.blob.subarray(0, 8)).toEqual(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]));
  });

  test('GNU tar and node-tar read it', async () => {
    const long = `${'long/'.repeat(40)}${'n'.repeat(120)}`;
    const tree = [
      file(long, 'deep'),
      file('ünï', 'code', { uid: 5_000_000 }),
      link('l', `${'t'.repeat(130)}`),
      folder('d'),
    ];
    const { blob } = await write(tree, { compression: 'gzip', mtime: 86400 });
    const listed = execFileSync('tar', ['--quoting-style=literal', '--numeric-owner', '-tvzf', '-'], {
      input: blob,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    });
    expect(listed).toContain(` ${long}\n`);
    expect(listed).toMatch(/-rw-r--r-- 5000000\/0 +4 1970-01-02 00:00 ünï\n/);
    expect(listed).toContain(` -> ${'t'.repeat(130)}\n`);
    const names: string[] = [];
    await new Promise((resolve) =>
      list({ onReadEntry: (entry) => names.push(entry.path) })
        .on('end', resolve)
        .end(blob),
    );
    expect(names).toContain(long);
    expect(names).toContain('d/');
  });

  test('hard links', async () => {
    const tree = [file('a', 'text'), { ...file('b'), type: 'hardlink', linkname: 'a' } as LayerEntry];
    const { source: _, ...second } = tree[1] as LayerEntry;
    const [a, b] = await readAll((await write([tree[0] as LayerEntry, second])).blob, 'zstd');
    expect(a).toMatchObject({ path: 'a', type: 'file', size: 4 });
    expect(b).toMatchObject({ path: 'b', type: 'hardlink', linkname: 'a', size: 0 });
  });

  test('a file that cannot be read is named', async () => {
    const refused = (text: string) => ({ code: 'SOURCE_INVALID', message: expect.stringContaining(text) });
    const from = (path: string) => [file('a', '', { source: { file: path } })];
    await expect(write(from('/nonexistent/file'))).rejects.toMatchObject(refused('/nonexistent/file'));
    await expect(write(from(tmpdir()))).rejects.toMatchObject(refused('not a regular file'));
  });

  test('an abort ends it', async () => {
    const abort = AbortSignal.abort();
    await expect(write([file('a')], { signal: abort })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('arrange', () => {
  test.each<[string, LayerEntry[]]>([
    ['a leading slash', [file('/a')]],
    ['a whiteout', [file('a/.wh.b')]],
    ['an opaque whiteout', [file('.wh..wh..opq')]],
    ['something in a folder called as a whiteout', [file('.wh.a/b')]],
    ['two dots', [file('a/../b')]],
    ['a trailing slash', [folder('a/')]],
    ['a NUL', [file('a\0b')]],
    ['two of one path', [file('a'), folder('a')]],
    ['something below a file', [file('a'), file('a/b')]],
    ['something below a link', [link('a', 'x'), file('a/b')]],
    ['a nameless file', [file('')]],
    ['a file without content', [{ path: 'a', type: 'file', mode: 0, ...root }]],
    ['a link to nothing', [link('a', '')]],
    ['a mode that is none', [file('a', '', { mode: 0o10000 })]],
    ['a negative user', [file('a', '', { uid: -1 })]],
    ['a hard link before its target', [file('b'), { path: 'a', type: 'hardlink', linkname: 'b', mode: 0, ...root }]],
    ['a hard link to nothing', [{ path: 'a', type: 'hardlink', linkname: 'b', mode: 0, ...root }]],
  ])('refuses %s', (_name, entries) => {
    expect(() => arrange(entries)).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  });
});

function parents(path: string): string[] {
  return path
    .split('/')
    .slice(0, -1)
    .map((_, i, parts) => parts.slice(0, i + 1).join('/'));
}

// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { create } from 'tar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { encodePax } from './pax.ts';
import { readLayer } from './read-layer.ts';
import { inPieces, readAll } from './testing.ts';
import { encodeUstar, type UstarHeader } from './ustar.ts';
import { verifyDiffId } from './verify-diff-id.ts';

const END = Buffer.alloc(1024);

function block(name: string, more: Partial<UstarHeader> = {}): Buffer {
  const plain = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0, typeflag: '0', devmajor: 0, devminor: 0 };
  return encodeUstar({ name: Buffer.from(name), linkname: Buffer.alloc(0), ...plain, ...more });
}
const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
const extension = (typeflag: string, bytes: Buffer) =>
  Buffer.concat([block('x', { typeflag, size: bytes.length }), padded(bytes)]);
const pax = (records: Record<string, string>, typeflag = 'x') =>
  extension(typeflag, encodePax(new Map(Object.entries(records).map(([k, v]) => [k, Buffer.from(v)]))));
const archive = (...parts: Buffer[]) => Buffer.concat([...parts, END]);
const read = (bytes: Buffer) => readAll(bytes, 'none');
const invalid = (message: RegExp) => ({ code: 'LAYER_INVALID', message: expect.stringMatching(message) });

describe('archives of other programs', () => {
  let dir: string;
  const long = `${'directory/'.repeat(12)}${'x'.repeat(120)}`;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'uk-tar-'));
    await mkdir(join(dir, long, '..'), { recursive: true });
    await writeFile(join(dir, long), 'deep');
    await writeFile(join(dir, 'ä'), 'umlaut');
    await link(join(dir, 'ä'), join(dir, 'z-hard'));
    await symlink(`to/${'y'.repeat(150)}`, join(dir, 'sym'));
    await writeFile(join(dir, 'setuid'), '');
    await chmod(join(dir, 'setuid'), 0o4755);
  });
  afterAll(async () => await rm(dir, { recursive: true }));

  const check = async (bytes: Buffer) => {
    const entries = new Map((await readAll(bytes, 'none', { piece: 333 })).map((entry) => [entry.path, entry]));
    expect(entries.get(long)).toMatchObject({ type: 'file', size: 4, bytes: Buffer.from('deep') });
    expect(entries.get('sym')).toMatchObject({ type: 'symlink', linkname: `to/${'y'.repeat(150)}` });
    expect(entries.get('setuid')).toMatchObject({ mode: 0o4755 });
    expect(entries.get('directory')).toMatchObject({ type: 'directory' });
    const pair = [entries.get('ä'), entries.get('z-hard')];
    expect(pair.map((entry) => entry?.type).sort()).toEqual(['file', 'hardlink']);
    expect(pair.find((entry) => entry?.type === 'file')?.bytes.toString()).toBe('umlaut');
    expect(['ä', 'z-hard']).toContain(pair.find((entry) => entry?.type === 'hardlink')?.linkname);
  };

  test.each(['gnu', 'oldgnu', 'pax', 'posix'])('GNU tar, format %s', async (format) => {
    await check(execFileSync('tar', [`--format=${format}`, '-C', dir, '-cf', '-', '.'], { maxBuffer: 1e8 }));
  });

  test('GNU tar, numbers that no octal field holds', async () => {
    const args = ['--format=gnu', '--owner=:3000000', '--group=:4294967294', '--mtime=@-5', '-C', dir, '-cf', '-', 'ä'];
    expect(await read(execFileSync('tar', args))).toMatchObject([{ uid: 3000000, gid: 4294967294, mtime: -5 }]);
  });

  test('GNU tar, sparse files: refused', async () => {
    await truncate(join(dir, 'setuid'), 10_000_000);
    for (const format of ['gnu', 'pax']) {
      const bytes = execFileSync('tar', [`--format=${format}`, '-S', '-C', dir, '-cf', '-', 'setuid']);
      await expect(read(bytes)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    }
    await truncate(join(dir, 'setuid'), 0);
  });

  test('node-tar', async () => {
    const pieces: Buffer[] = [];
    for await (const piece of create({ cwd: dir, gzip: false }, ['.'])) pieces.push(Buffer.from(piece));
    await check(Buffer.concat(pieces));
  });
});

describe('names', () => {
  test.each([
    ['/etc/passwd', 'etc/passwd'],
    ['./etc//passwd', 'etc/passwd'],
    ['a/./b', 'a/b'],
    ['a/..b', 'a/..b'],
  ])('%s is %s', async (name, path) => {
    expect(await read(archive(block(name)))).toMatchObject([{ path }]);
  });

  test.each(['../a', 'a/../b', 'a/..', '/..'])('%s is refused', async (name) => {
    await expect(read(archive(block(name)))).rejects.toMatchObject(invalid(/"\.\."/));
    await expect(read(archive(pax({ path: name }), block('a')))).rejects.toMatchObject(invalid(/"\.\."/));
    await expect(read(archive(extension('L', Buffer.from(`${name}\0`)), block('a')))).rejects.toMatchObject(
      invalid(/"\.\."/),
    );
    const hard = block('a', { typeflag: '1', linkname: Buffer.from(name) });
    await expect(read(archive(hard))).rejects.toMatchObject(invalid(/"\.\."/));
  });

  test('NUL, bad UTF-8 and no name at all are refused', async () => {
    await expect(read(archive(pax({ path: 'a\0b' }), block('a')))).rejects.toMatchObject(invalid(/NUL/));
    await expect(read(archive(pax({ linkpath: 'a\0b' }), block('a', { typeflag: '2' })))).rejects.toMatchObject(
      invalid(/NUL/),
    );
    const latin1 = block('a', { name: Buffer.from([0x61, 0xe4]) });
    await expect(read(archive(latin1))).rejects.toMatchObject(invalid(/UTF-8/));
    await expect(read(archive(block('.')))).rejects.toMatchObject(invalid(/without a name/));
    await expect(read(archive(block('a', { typeflag: '2' })))).rejects.toMatchObject(invalid(/link to nothing/));
  });

  test('the prefix of a plain header, and of no other', async () => {
    const header = block('name');
    header.write('some/prefix', 345);
    const resum = (bytes: Buffer) => {
      bytes.fill(0x20, 148, 156);
      bytes.write(
        `${bytes
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      );
      return bytes;
    };
    expect(await read(archive(resum(Buffer.from(header))))).toMatchObject([{ path: 'some/prefix/name' }]);
    header.write('ustar  \0', 257);
    expect(await read(archive(resum(header)))).toMatchObject([{ path: 'name' }]);
  });
});

describe('damage', () => {
  const whole = archive(block('a', { size: 3 }), padded(Buffer.from('abc')), block('b'));

  test('every cut is found, in the archive and in what it is packed in', async () => {
    for (const [compression, bytes] of [
      ['none', whole],
      ['gzip', gzipSync(whole)],
      ['zstd', zstdCompressSync(whole)],
    ] as const) {
      for (let length = 0; length < bytes.length; length += compression === 'none' ? 64 : 1) {
        await expect(
          readAll(bytes.subarray(0, length), compression),
          `${compression} cut at ${length}`,
        ).rejects.toMatchObject({
          code: expect.stringMatching(/^(LAYER|COMPRESSION)_INVALID$/),
        });
      }
      expect(await readAll(bytes, compression)).toHaveLength(2);
    }
  });

  test('bytes behind the end are found', async () => {
    for (const rubbish of [Buffer.from('rubbish'), Buffer.alloc(30), Buffer.from([0x1f, 0x8b])]) {
      for (const [compression, bytes] of [
        ['gzip', gzipSync(whole)],
        ['zstd', zstdCompressSync(whole)],
      ] as const) {
        for (const piece of [1, 1000]) {
          await expect(readAll(Buffer.concat([bytes, rubbish]), compression, { piece })).rejects.toMatchObject({
            code: 'COMPRESSION_INVALID',
          });
        }
      }
    }
    await expect(read(Buffer.concat([whole, block('c')]))).rejects.toMatchObject(invalid(/behind its end/));
    expect(await read(Buffer.concat([whole, Buffer.alloc(8192)]))).toHaveLength(2);
  });

  test('frames and members may follow each other', async () => {
    const [one, two] = [whole.subarray(0, 700), whole.subarray(700)];
    expect(await readAll(Buffer.concat([gzipSync(one), gzipSync(two)]), 'gzip', { piece: 5 })).toHaveLength(2);
    const skippable = Buffer.concat([Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('abc')]);
    const frames = [skippable, zstdCompressSync(one), skippable, zstdCompressSync(two), skippable];
    expect(await readAll(Buffer.concat(frames), 'zstd', { piece: 5 })).toHaveLength(2);
  });

  test('a flipped bit in a header is found', async () => {
    for (let bit = 0; bit < 512 * 8; bit += 37) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(read(bytes), `bit ${bit}`).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    }
  });

  test.each<[string, Buffer, RegExp]>([
    ['an unknown type', archive(block('a', { typeflag: 'Z' })), /unknown type/],
    [
      'a pax record that lies about its length',
      archive(extension('x', Buffer.from('99 path=a\n')), block('a')),
      /pax record/,
    ],
    ['a pax record without a length', archive(extension('x', Buffer.from('path=a\n')), block('a')), /pax record/],
    ['a pax size that is no number', archive(pax({ size: '1e3' }), block('a')), /size is not a number/],
    ['a pax size below zero', archive(pax({ size: '-1' }), block('a')), /negative/],
    ['an extended header that belongs to nothing', archive(pax({ path: 'a' })), /belongs to nothing/],
    ['an extended header of a gigabyte', archive(block('x', { typeflag: 'x', size: 2 ** 30 })), /extended header/],
    ['a sparse file in pax', archive(pax({ 'GNU.sparse.major': '1' }), block('a')), /sparse/],
    ['one block of zeros', Buffer.concat([block('a'), Buffer.alloc(512)]), /only one/],
  ])('%s', async (_name, bytes, message) => {
    await expect(read(bytes)).rejects.toMatchObject(invalid(message));
  });

  test('a bomb is stopped', async () => {
    const bomb = archive(block('a', { size: 2 ** 25 }), Buffer.alloc(2 ** 25));
    for (const [compression, bytes] of [
      ['gzip', gzipSync(bomb)],
      ['zstd', zstdCompressSync(bomb)],
    ] as const) {
      await expect(readAll(bytes, compression, { limit: 2 ** 20 })).rejects.toMatchObject({
        code: 'COMPRESSION_INVALID',
      });
    }
  });

  test('any bytes give entries or an error of ours', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      // A valid archive with some bytes changed gets further than noise does.
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
        const changed = Buffer.from(whole);
        for (const [at, value] of changes) changed[at] = value;
        return changed;
      }),
    );
    const wrap = {
      none: (b: Uint8Array) => Buffer.from(b),
      gzip: (b: Uint8Array) => gzipSync(b),
      zstd: (b: Uint8Array) => zstdCompressSync(b),
    };
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom('none', 'gzip', 'zstd'),
        fc.boolean(),
        async (input, compression, wrapped) => {
          try {
            await readAll(wrapped ? wrap[compression](input) : Buffer.from(input), compression);
          } catch (error) {
            expect(error).toBeInstanceOf(ImageError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('reading', () => {
  const two = archive(
    block('a', { size: 1500 }),
    padded(Buffer.alloc(1500, 'a')),
    block('b', { size: 1 }),
    padded(Buffer.from('b')),
  );

  test('content that is not read, or only begun, is skipped', async () => {
    const seen: string[] = [];
    for await (const { path, content } of readLayer(inPieces(two, 100), { compression: 'none' })) {
      seen.push(path);
      if (path === 'a') for await (const _ of content) break;
      else for await (const piece of content) seen.push(piece.toString());
    }
    expect(seen).toEqual(['a', 'b', 'b']);
  });

  test('who stops early lets go of the source', async () => {
    for (const [compression, bytes] of [
      ['none', two],
      ['gzip', gzipSync(two)],
      ['zstd', zstdCompressSync(two)],
    ] as const) {
      const source = inPieces(bytes, 10);
      for await (const _ of readLayer(source, { compression })) break;
      expect(source.destroyed, compression).toBe(true);
    }
  });

  test('an error of the source is the error of the layer', async () => {
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      const source = new Readable({
        read() {
          this.destroy(new Error('disk'));
        },
      });
      const reading = (async () => {
        for await (const _ of readLayer(source, { compression })) {
          /* none comes */
        }
      })();
      await expect(reading, compression).rejects.toThrow('disk');
    }
  });

  test('global headers hold for all that follow, until they are overridden', async () => {
    const bytes = archive(pax({ uid: '7', comment: 'x' }, 'g'), block('a'), pax({ uid: '8' }), block('b'), block('c'));
    expect((await read(bytes)).map(({ uid }) => uid)).toEqual([7, 8, 7]);
  });
});

test('verifyDiffId', async () => {
  const bytes = archive(block('a'));
  const source = () => inPieces(zstdCompressSync(bytes), 10);
  await verifyDiffId(source(), digestOf(bytes), { compression: 'zstd' });
  await verifyDiffId(source(), digestOf(bytes, 'sha512'), { compression: 'zstd' });
  await expect(verifyDiffId(source(), digestOf('other'), { compression: 'zstd' })).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
  });
});

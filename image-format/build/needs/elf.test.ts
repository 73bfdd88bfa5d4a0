// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { ImageError } from '../../errors.ts';
import { type ReadAt, readElf } from './elf.ts';
import { makeElf } from './testing.ts';

const reader =
  (bytes: Uint8Array): ReadAt =>
  async (offset, length) =>
    Buffer.from(bytes.subarray(offset, offset + length));
const read = async (bytes: Uint8Array) => await readElf(reader(bytes), 'FILE');
const invalid = (message: RegExp | string) => {
  return { code: 'ELF_INVALID', message: typeof message === 'string' ? message : expect.stringMatching(message) };
};

describe('readElf', () => {
  test('what a dynamic program says', async () => {
    const elf = makeElf({
      interpreter: '/lib64/ld-linux-x86-64.so.2',
      needed: ['libz.so.1', 'libc.so.6'],
      rpath: '/a:/b',
      runpath: '$ORIGIN/../lib::/c',
    });
    expect(await read(elf)).toEqual({
      type: 'shared',
      entry: 0x1000,
      interpreter: '/lib64/ld-linux-x86-64.so.2',
      needed: ['libz.so.1', 'libc.so.6'],
      rpath: ['/a', '/b'],
      runpath: ['$ORIGIN/../lib', '/c'],
    });
  });

  test('a library, and a static program', async () => {
    expect(await read(makeElf({ soname: 'libx.so.1', entry: 0 }))).toMatchObject({
      soname: 'libx.so.1',
      entry: 0,
      needed: [],
    });
    expect(await read(makeElf({ type: 2, dynamic: false }))).toMatchObject({ type: 'executable', needed: [] });
  });

  test('this very program', async () => {
    const elf = await read(await readFile(process.execPath));
    expect(elf.interpreter).toMatch(/^\/lib64\/ld-linux/);
    expect(elf.needed).toContain('libc.so.6');
  });

  test('what is no ELF file', async () => {
    await expect(read(Buffer.from('#!/bin/sh\n'))).rejects.toMatchObject(
      invalid('not an ELF file: FILE (it starts with "#!/bin/s")'),
    );
    await expect(read(Buffer.alloc(0))).rejects.toMatchObject(invalid('not an ELF file: FILE (it is empty)'));
  });

  test.each([
    [{ machine: 183 }, 'FILE is for aarch64, this image is for x86-64'],
    [{ machine: 3, bits: 1 }, 'FILE is for x86, this image is for x86-64'],
    [{ machine: 62, bits: 1 }, 'FILE is for x32, this image is for x86-64'],
    [{ machine: 243 }, 'FILE is for RISC-V, this image is for x86-64'],
    [{ machine: 9999 }, 'FILE is for machine 9999, this image is for x86-64'],
  ])('another machine: %j', async (options, message) => {
    await expect(read(makeElf(options))).rejects.toMatchObject(invalid(message));
  });

  test('object files and core dumps', async () => {
    await expect(read(makeElf({ type: 1 }))).rejects.toMatchObject(invalid(/an object file/));
    await expect(read(makeElf({ type: 4 }))).rejects.toMatchObject(invalid(/a core dump/));
  });

  describe('damage', () => {
    let whole: Buffer;
    beforeAll(() => {
      whole = makeElf({ interpreter: '/lib/ld.so', needed: ['a', 'b'], soname: 's', rpath: '/r', runpath: '/x' });
    });

    test('a cut anywhere gives an error, or what the rest says', async () => {
      for (let length = 0; length < whole.length; length++) {
        await read(whole.subarray(0, length)).catch((error) => expect(error).toBeInstanceOf(ImageError));
      }
      await expect(read(whole.subarray(0, 60))).rejects.toMatchObject(invalid(/header/));
    });

    test('any changed bytes give a result or an error of ours', async () => {
      const change = fc.tuple(fc.nat(4095), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          await read(bytes).catch((error) => expect(error).toBeInstanceOf(ImageError));
        }),
        { numRuns: 2000 },
      );
    });

    test('any bytes behind the magic number, too', async () => {
      const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (rest) => {
          await read(Buffer.concat([magic, rest])).catch((error) => expect(error).toBeInstanceOf(ImageError));
        }),
      );
    });
  });
});

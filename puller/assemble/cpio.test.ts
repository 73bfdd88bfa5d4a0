// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { cpioHeader, cpioPadding, cpioTrailer, MODE } from './cpio.ts';
import { readCpio } from './read-cpio.suite.ts';

const entry = { path: 'a/b', mode: MODE.file | 0o4755, uid: 1, gid: 2, mtime: 3, size: 5, inode: 7, links: 2 };

test('an entry as the format has it', () => {
  const bytes = cpioHeader(entry);
  expect(bytes.subarray(0, 110).toString()).toBe(
    '070701' +
      '00000007' + // inode
      '000089ed' + // mode
      '00000001' + // uid
      '00000002' + // gid
      '00000002' + // links
      '00000003' + // mtime
      '00000005' + // size
      '00000000' + // major
      '00000000' + // minor
      '00000000' + // rdev major
      '00000000' + // rdev minor
      '00000004' + // length of the name, with its NUL
      '00000000', // checksum
  );
  expect(bytes.subarray(110).toString()).toBe('a/b\0\0\0');
});

test('archives one behind the other are read back', () => {
  const content = Buffer.concat([Buffer.from('hello'), Buffer.alloc(cpioPadding(5))]);
  const archive = Buffer.concat([cpioHeader(entry), content, cpioTrailer()]);
  const found = readCpio(Buffer.concat([archive, Buffer.alloc(512), archive]));
  expect(found).toHaveLength(2);
  expect(found[1]).toMatchObject({ path: 'a/b', links: 2, content: Buffer.from('hello'), archive: 1 });
});

test('what the format cannot say is refused', () => {
  expect(() => cpioHeader({ ...entry, size: 2 ** 32 })).toThrow(/4 GiB/);
  expect(() => cpioHeader({ ...entry, path: 'x'.repeat(4096) })).toThrow(/longer/);
  expect(
    cpioHeader({ ...entry, mtime: -1 })
      .subarray(46, 54)
      .toString(),
  ).toBe('00000000');
});

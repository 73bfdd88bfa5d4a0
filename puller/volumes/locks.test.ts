// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { lockedFile, useOf } from './locks.ts';

const FILE = 'fe:00:9977884';

// As Linux 6.18 prints them for QEMU 7.2.
const WRITER = `1: OFDLCK ADVISORY  READ -1 ${FILE} 201 201\n2: OFDLCK ADVISORY  READ -1 ${FILE} 100 101\n`;
const READER = `1: OFDLCK ADVISORY  READ -1 ${FILE} 201 201\n2: OFDLCK ADVISORY  READ -1 ${FILE} 100 100\n`;

describe('locks', () => {
  test.each([
    ['a monitor that may write', WRITER, 'written'],
    ['one that only reads', READER, 'read'],
    ['both', READER + WRITER, 'written'],
    ['nobody', '', 'unused'],
    ['somebody with another file', WRITER.replaceAll(FILE, 'fe:00:99778841'), 'unused'],
    ['one that waits', `1: -> OFDLCK ADVISORY  READ -1 ${FILE} 100 101\n`, 'unused'],
    ['a lock of POSIX, to the end', `1: POSIX  ADVISORY  WRITE 77 ${FILE} 0 EOF\n`, 'written'],
    ['a shared lock of a whole file', `1: FLOCK  ADVISORY  READ 77 ${FILE} 0 EOF\n`, 'read'],
    ['an exclusive one', `1: FLOCK  ADVISORY  WRITE 77 ${FILE} 0 EOF\n`, 'written'],
    ['a lease, which is no lock', `1: LEASE  ACTIVE    READ 77 ${FILE} 0 EOF\n`, 'unused'],
  ])('%s', (_, locks, use) => expect(useOf(locks, FILE)).toBe(use));
});

describe("a file's name", () => {
  const mounts =
    '22 27 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 259:1048 / /d rw - btrfs /dev/e rw\n';

  test('device of the mount and inode', () =>
    expect(lockedFile('pos:\t0\nflags:\t0100000\nmnt_id:\t27\nino:\t9977884\n', mounts, '1')).toBe(FILE));
  test('an older kernel names no inode', () =>
    expect(lockedFile('pos:\t0\nflags:\t0100000\nmnt_id:\t30\n', mounts, '42')).toBe('103:418:42'));
  test('a mount that is not listed', () => expect(lockedFile('mnt_id:\t5\n', mounts, '42')).toBeUndefined());
});

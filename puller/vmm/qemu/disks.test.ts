// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Disk, Share } from '../monitor.ts';
import { placesLeft, storageArguments } from './disks.ts';

const disk: Disk = { serial: 'root', file: '/cache/with, comma "and" more/disk.vmdk', format: 'vmdk', readOnly: true };
const share: Share = { kind: '9p', tag: 'volume-0', folder: '/home/a,b', readOnly: false };

test('a disk is named by its serial, and its path may hold anything', () => {
  const [, blockdev = '', , device] = storageArguments({ disks: [disk] });
  expect(JSON.parse(blockdev)).toMatchObject({
    driver: 'vmdk',
    'read-only': true,
    file: { driver: 'file', filename: disk.file },
  });
  expect(device).toBe('virtio-blk-device,drive=disk0,serial=root');
});

test('a folder is shared under its tag, and commas in its path stay in it', () => {
  const [, fsdev, , device] = storageArguments({ shares: [share] });
  expect(fsdev).toContain('path=/home/a,,b,');
  expect(fsdev).not.toContain('readonly');
  expect(device).toBe('virtio-9p-device,fsdev=share0,mount_tag=volume-0');
  expect(storageArguments({ shares: [{ ...share, readOnly: true }] })[1]).toContain('readonly=on');
});

test('by virtiofs it is what a daemon serves', () => {
  const sockets = new Map([['volume-0', '/run/a,b/volume-0']]);
  expect(storageArguments({ shares: [{ ...share, kind: 'virtiofs' }] }, sockets)).toEqual([
    ...['-global', 'virtio-mmio.force-legacy=false'],
    ...['-chardev', 'socket,id=share0,path=/run/a,,b/volume-0'],
    ...['-device', 'vhost-user-fs-device,chardev=share0,tag=volume-0'],
  ]);
});

test('more than there are places for is refused', () => {
  const shares = Array.from({ length: 4 }, () => share);
  expect(placesLeft({ disks: [disk], shares })).toBe(0);
  expect(() => storageArguments({ disks: [disk, disk], shares })).toThrow(/places for 5 .* 6 are asked for/);
});

test.each(['', 'a,b', 'x'.repeat(21), 'a=b'])('the serial %j is refused', (serial) => {
  expect(() => storageArguments({ disks: [{ ...disk, serial }] })).toThrow(/not a name of a disk/);
});

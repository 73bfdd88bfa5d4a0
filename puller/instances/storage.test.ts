// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import type { Bootable } from '../assemble/bootable.ts';
import { storageOf } from './storage.ts';

const profile = await loadProfile();
const onDisk: Bootable = {
  image: `sha256:${'0'.repeat(64)}`,
  kernel: '/vmlinux',
  kernelJson: {},
  profile,
  filesystems: ['erofs', 'ext4', '9p'],
  config: { Volumes: { '/var/lib/b': {}, '/var/lib/a': {} } },
  root: { kind: 'erofs', disk: '/disk.vmdk' },
};
const inMemory: Bootable = {
  ...onDisk,
  filesystems: [],
  root: { kind: 'initramfs', initrd: '/initrd', initrdSize: 1, unpackedSize: 1 },
};

const by9p = () => '9p' as const;

test('a root in memory asks the guest for nothing new', () => {
  expect(storageOf(inMemory, {}, by9p)).toEqual({
    initrd: '/initrd',
    disks: [],
    shares: [],
    start: { readOnly: false, mounts: [] },
  });
});

test('a root on a disk is written to in memory, or on a scratch disk', () => {
  const { disks, start } = storageOf(onDisk, {}, by9p);
  expect(disks).toEqual([{ serial: 'root', file: '/disk.vmdk', format: 'vmdk', readOnly: true }]);
  expect(start.root).toEqual({ disk: 'root', type: 'erofs', writable: { tmpfs: '50%' } });
  const scratched = storageOf(onDisk, { scratch: '/scratch.img' }, by9p);
  expect(scratched.disks[1]).toEqual({ serial: 'scratch', file: '/scratch.img', format: 'raw', readOnly: false });
  expect(scratched.start.root?.writable).toEqual({ disk: 'scratch' });
  expect(() => storageOf(inMemory, { scratch: '/scratch.img' }, by9p)).toThrow(/no use for a scratch disk/);
});

test('each kind of mount', () => {
  const { disks, shares, start } = storageOf(
    onDisk,
    {
      mounts: [
        { kind: 'disk', file: '/v/disk.img', path: '/data', readOnly: false, populate: true },
        { kind: 'disk', file: '/w/disk.img', path: '/seen', readOnly: true, populate: true },
        { kind: 'folder', folder: '/srv', path: '/srv', readOnly: true },
        { kind: 'tmpfs', path: '/tmp', options: ['size=1m'], populate: false },
      ],
    },
    by9p,
  );
  expect(disks.slice(1)).toEqual([
    { serial: 'volume-0', file: '/v/disk.img', format: 'raw', readOnly: false },
    { serial: 'volume-1', file: '/w/disk.img', format: 'raw', readOnly: true },
  ]);
  expect(shares).toEqual([{ kind: '9p', tag: 'volume-2', folder: '/srv', readOnly: true }]);
  expect(start.mounts).toEqual([
    { kind: 'ext4', source: 'volume-0', options: ['populate'], path: '/data' },
    { kind: 'ext4', source: 'volume-1', options: ['ro'], path: '/seen' },
    { kind: '9p', source: 'volume-2', options: ['ro'], path: '/srv' },
    { kind: 'tmpfs', source: '', options: ['size=1m'], path: '/tmp' },
  ]);
});

test('a read-only volume whose journal is to be replayed can be written to by the guest', () => {
  const mount = {
    kind: 'disk' as const,
    file: '/v/disk.img',
    path: '/data',
    readOnly: true,
    populate: true,
    replay: true,
  };
  const { disks, start } = storageOf(onDisk, { mounts: [mount] }, by9p);
  expect(disks[1]?.readOnly).toBe(false);
  expect(start.mounts).toEqual([{ kind: 'ext4', source: 'volume-0', options: ['ro'], path: '/data' }]);
});

test("with a read-only root the image's volumes are written to in memory, but for those that are given", () => {
  const { start } = storageOf(
    onDisk,
    {
      readOnly: true,
      mounts: [{ kind: 'tmpfs', path: '/var/lib/b', options: [], populate: false }],
    },
    by9p,
  );
  expect(start.mounts).toEqual([
    { kind: 'tmpfs', source: '', options: ['populate'], path: '/var/lib/a' },
    { kind: 'tmpfs', source: '', options: [], path: '/var/lib/b' },
  ]);
});

test("one below another's path is mounted after it, also one that the image declares", () => {
  const config = { Volumes: { '/srv/data/cache': {} } };
  const tmpfs = (path: string) => ({ kind: 'tmpfs' as const, path, options: [], populate: false });
  const choice = { readOnly: true, mounts: [tmpfs('/srv/data'), tmpfs('/srv')] };
  const { start } = storageOf({ ...onDisk, config }, choice, by9p);
  expect(start.mounts?.map(({ path }) => path)).toEqual(['/srv', '/srv/data', '/srv/data/cache']);
});

test('what the kernel cannot mount is refused, with what can be done', () => {
  const mounts = [{ kind: 'folder' as const, folder: '/srv', path: '/srv', readOnly: true }];
  expect(() => storageOf(inMemory, { mounts }, by9p)).toThrow(
    expect.objectContaining({ code: 'OPTION_UNSUPPORTED', message: expect.stringContaining('built without 9p') }),
  );
});

// SPDX-License-Identifier: Apache-2.0
// Stacks of layers as writers of images make them, and as they should not: few names, so that layers meet each other.
import fc from 'fast-check';
import type { TarEntry } from '../../puller/root/testing.ts';

const NAMES = ['a', 'b', 'c', 'd\xe9', '\xc3\xa9', 'x'.repeat(255), '-', '~z'];

const name = fc.constantFrom(...NAMES);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

/** linux/capability.h, struct vfs_cap_data of version 2: the kernel takes no other bytes for this attribute. */
const CAPABILITY = '\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00';

const attributes = {
  mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o2755, 0o6711, 0o1777, 0o700, 0o7777, 0),
  uid: fc.oneof(fc.nat(70_000), fc.constant(2_097_151)),
  gid: fc.nat(70_000),
  mtime: fc.nat(0o10000000000),
};

/**
 * Not empty: a pax record without a value is as if it were not there (POSIX.1-2017 pax, "pax Header Block"), which Go and
 * so umoci hold to, while GNU tar writes empty attributes so. uk keeps them.
 */
const value = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 });
const userXattrs = {
  'user.a': value,
  'user.long-name.of.an.attribute': value,
  'trusted.t': value,
};
const xattrs = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record(userXattrs, { requiredKeys: [] }) },
);
const fileXattrs = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record({ ...userXattrs, 'security.capability': fc.constant(CAPABILITY) }, { requiredKeys: [] }),
  },
);

const content = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary-ascii', maxLength: 2000 }),
  // Ends at, before and behind blocks and pages.
  fc.constantFrom(511, 512, 513, 4095, 4096, 4097, 70_000).map((size) => 'uk'.repeat(size).slice(0, size)),
);

const file = fc.record({ path, content, ...attributes, xattrs: fileXattrs });
/**
 * Without set-gid: the host's kernel gives it on to folders that umoci makes because no layer describes them, which says
 * nothing about layers.
 */
const folderMode = fc.constantFrom(0o755, 0o4755, 0o1777, 0o700, 0);
const folder = fc.record({ path, typeflag: fc.constant('5'), ...attributes, mode: folderMode, xattrs });
const symlink = fc.record({
  path,
  typeflag: fc.constant('2'),
  target: fc.constantFrom('a', '/b', '../c', '../../../../a', 'nowhere', `${'y'.repeat(200)}/`.repeat(3)),
  uid: attributes.uid,
  gid: attributes.gid,
  mtime: attributes.mtime,
});
const hardlink = fc.record({ path, typeflag: fc.constant('1'), target: path });
const device = fc.record({
  path,
  typeflag: fc.constantFrom('3', '4'),
  // Not 0:0, which overlayfs takes for a whiteout: a guest does not see such a device, nor would a container.
  major: fc.integer({ min: 1, max: 200 }),
  minor: fc.nat(255),
  ...attributes,
});
const fifo = fc.record({ path, typeflag: fc.constant('6'), ...attributes });
const whiteout = path.map((at): TarEntry => ({ path: at.replace(/[^/]+$/, (last) => `.wh.${last.slice(0, 251)}`) }));
const opaque = path.map((at): TarEntry => ({ path: `${at}/.wh..wh..opq` }));

const entry: fc.Arbitrary<TarEntry> = fc.oneof(
  { weight: 6, arbitrary: file },
  { weight: 5, arbitrary: folder },
  { weight: 2, arbitrary: symlink },
  { weight: 2, arbitrary: hardlink },
  { weight: 1, arbitrary: device },
  { weight: 1, arbitrary: fifo },
  { weight: 2, arbitrary: whiteout },
  { weight: 1, arbitrary: opaque },
);

/** Folders that the guest uses too, and one with set-gid. */
const ownFolders = fc.subarray<TarEntry>([
  { path: 'etc', typeflag: '5', mode: 0o750, gid: 7 },
  { path: 'etc/passwd', content: 'root:x:0:0::/:/a\n' },
  { path: 'tmp', typeflag: '5', mode: 0o1770, uid: 3 },
  { path: 'run/lock', typeflag: '5', mode: 0o1777 },
  // Without extended attributes: overlayfs shows those of the layer above the image, in a container too.
  { path: './', typeflag: '5', mode: 0o1711, uid: 9, gid: 10 },
  { path: 'mail', typeflag: '5', mode: 0o2775, gid: 8, mtime: 5 },
]);

/** The lowest layer has some entries more: there must be something to change. */
export const layerStacks: fc.Arbitrary<TarEntry[][]> = fc
  .record({
    own: ownFolders,
    lowest: fc.array(entry, { minLength: 3, maxLength: 16 }),
    upper: fc.array(fc.array(entry, { maxLength: 10 }), { maxLength: 4 }),
  })
  .map(({ own, lowest, upper }) => [[...own, ...lowest], ...upper]);

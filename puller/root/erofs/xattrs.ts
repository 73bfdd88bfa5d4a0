// SPDX-License-Identifier: Apache-2.0
import type { Xattr } from '../../../image-format/root/index.ts';
import { XATTR_HEADER } from './format.ts';

/** Names are stored without these (EROFS_XATTR_INDEX_*). The longer of two that fit stands first. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6],
];

/** Those of overlayfs would be read by the one that stands over this root, as if the node had set them. */
const OVERLAY = /^(?:trusted|user)\.overlay\./;

/** i_xattr_icount has 16 bits, in units of four bytes. */
const BODY_MAX = XATTR_HEADER + (2 ** 16 - 2) * 4;

/**
 * What stands behind an inode for its extended attributes; empty where it has none. Attributes of other name spaces
 * have no place in a file system of Linux and are left out.
 *
 * @returns undefined where they are too many
 */
export function encodeXattrs(xattrs: readonly Xattr[]): Buffer | undefined {
  if (xattrs.length === 0) return NOTHING;
  const parts: Buffer[] = [Buffer.alloc(XATTR_HEADER)];
  let size = XATTR_HEADER;
  for (const xattr of xattrs) {
    const entry = encodeEntry(xattr);
    if (entry === undefined) continue;
    parts.push(entry);
    size += entry.length;
  }
  if (parts.length === 1) return NOTHING;
  return size > BODY_MAX ? undefined : Buffer.concat(parts, size);
}

const NOTHING = Buffer.alloc(0);

/** struct erofs_xattr_entry, name and value, filled up to four bytes. */
function encodeEntry([name, value]: Xattr): Buffer | undefined {
  const [prefix, index] = PREFIXES.find(([start]) => name.startsWith(start)) ?? [];
  if (prefix === undefined || index === undefined || OVERLAY.test(name)) return undefined;
  const rest = name.slice(prefix.length);
  if (rest.length > 255 || value.length > 0xffff) return undefined;
  const used = 4 + rest.length + value.length;
  const entry = Buffer.alloc(Math.ceil(used / 4) * 4);
  entry.writeUInt8(rest.length, 0);
  entry.writeUInt8(index, 1);
  entry.writeUInt16LE(value.length, 2);
  entry.write(rest, 4, 'latin1');
  entry.write(value, 4 + rest.length, 'latin1');
  return entry;
}

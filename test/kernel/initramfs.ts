// SPDX-License-Identifier: Apache-2.0
// The least archive that a test guest's root can be: plain files in the root folder, cpio "newc"
// (linux/Documentation/driver-api/early-userspace/buffer-format.rst).

/** @param files name in the root folder → content; all of them can be run */
export function initramfsOf(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const entries = Object.entries(files).map(([name, bytes], index) => entry(index + 1, name, 0o100755, bytes));
  const folder = entry(entries.length + 1, 'proc', 0o040755, new Uint8Array());
  return Buffer.concat([folder, ...entries, entry(0, 'TRAILER!!!', 0, new Uint8Array())]);
}

function entry(inode: number, name: string, mode: number, bytes: Uint8Array): Buffer {
  const path = Buffer.from(`${name}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, path.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, path])), padded(bytes)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

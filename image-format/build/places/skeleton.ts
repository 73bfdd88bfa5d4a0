// SPDX-License-Identifier: Apache-2.0
import type { LayerEntry } from '../../layers/index.ts';
import { USR_LINKS } from './usr-merge.ts';

const DIRECTORIES: readonly (readonly [path: string, mode: number])[] = [
  ['', 0o755],
  ['dev', 0o755],
  ['etc', 0o755],
  ['proc', 0o555],
  ['root', 0o700],
  ['run', 0o755],
  ['sys', 0o555],
  ['tmp', 0o1777],
  ['usr', 0o755],
  ['usr/bin', 0o755],
  ['usr/lib', 0o755],
  ['usr/lib64', 0o755],
  ['usr/sbin', 0o755],
  ['var', 0o755],
  ['var/tmp', 0o1777],
];

/**
 * The least that programs take for granted. Names are looked up in files and by DNS only: both are in glibc itself
 * since 2.34, so that an image needs no NSS plug-ins, whatever the building machine's nsswitch.conf says.
 */
const FILES: Readonly<Record<string, string>> = {
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
};

const LINKS: readonly (readonly [path: string, target: string])[] = [
  ...USR_LINKS.map((name) => [name, `usr/${name}`] as const),
  ['var/run', '/run'],
];

/** What stands in every image's `deps` layer, unless the user puts something else there. */
export function skeleton(): LayerEntry[] {
  const root = { uid: 0, gid: 0 };
  return [
    ...DIRECTORIES.map(([path, mode]): LayerEntry => ({ path, type: 'directory', mode, ...root })),
    ...LINKS.map(([path, linkname]): LayerEntry => ({ path, type: 'symlink', mode: 0o777, linkname, ...root })),
    ...Object.entries(FILES).map(
      ([path, text]): LayerEntry => ({
        path,
        type: 'file',
        mode: 0o644,
        source: { bytes: Buffer.from(text) },
        ...root,
      }),
    ),
  ];
}

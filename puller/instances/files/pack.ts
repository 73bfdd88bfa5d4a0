// SPDX-License-Identifier: Apache-2.0
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { headers, padding, readLayer, type TarEntry, writeTar } from '../../../image-format/layers/index.ts';

export interface PackOptions {
  /** Whether files keep their owners; otherwise they are root's. */
  owners?: boolean | undefined;
  /** Whether a link is replaced by what it leads to, where the path itself is one. */
  followLink?: boolean | undefined;
}

/**
 * A file or folder of this machine as an archive.
 *
 * @param name what it is called in the archive; empty for the contents of a folder
 */
export function packPath(path: string, name: string, options: PackOptions = {}): AsyncGenerator<Buffer> {
  return writeTar(entriesOf(path, name, options, true), 0);
}

async function* entriesOf(
  path: string,
  name: string,
  options: PackOptions,
  isFirst: boolean,
): AsyncGenerator<TarEntry> {
  const about = await (isFirst && options.followLink ? stat : lstat)(path);
  const { owners } = options;
  const common = {
    ...{ path: name, mode: about.mode & 0o7777, mtime: Math.max(0, Math.floor(about.mtimeMs / 1000)) },
    ...{ uid: owners ? about.uid : 0, gid: owners ? about.gid : 0 },
  };
  if (about.isDirectory()) {
    yield { ...common, type: 'directory' };
    for (const inner of (await readdir(path)).sort()) {
      yield* entriesOf(join(path, inner), name === '' ? inner : `${name}/${inner}`, options, false);
    }
  } else if (about.isFile()) yield { ...common, type: 'file', source: { file: path } };
  else if (about.isSymbolicLink()) yield { ...common, type: 'symlink', linkname: await readlink(path) };
  // Sockets, pipes and devices of this machine are nothing in another one.
}

/**
 * Somebody's archive in the plain form that a guest reads.
 *
 * @throws ImageError `LAYER_INVALID` for what is no tar archive, or has names that are not UTF-8
 */
export async function* repack(archive: AsyncIterable<Uint8Array>, { owners }: PackOptions): AsyncGenerator<Buffer> {
  for await (const file of readLayer(archive, { compression: 'none', limit: Number.MAX_SAFE_INTEGER })) {
    const { xattrs: _, ...entry } = file;
    yield headers(owners ? entry : { ...entry, uid: 0, gid: 0 }, file.size, file.mtime);
    yield* file.content;
    yield Buffer.alloc(padding(file.size));
  }
  yield Buffer.alloc(1024);
}

// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { readLayer } from '../../layers/index.ts';

export type Xattrs = ReadonlyMap<string, Uint8Array>;

/** What a program or its user has set. All else (SELinux, ACLs by number, overlays) belongs to this machine. */
const KEPT = /^(?:user\.|security\.capability$)/;

/**
 * The extended attributes of a file, or of all that is in a folder. Node cannot read them; GNU tar, which every
 * distribution has, can. Where it is missing or cannot, there are none.
 *
 * @returns by path as `host` is written, with only those that have any
 */
export async function readXattrs(host: string): Promise<Map<string, Xattrs>> {
  const found = new Map<string, Xattrs>();
  const folder = dirname(host);
  const args = ['--create', '--format=pax', '--xattrs', '--xattrs-include=*', '--one-file-system'];
  const tar = spawn('tar', [...args, '--directory', folder, '--', `./${basename(host)}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => tar.once('close', () => resolve()).once('error', () => resolve()));
  try {
    for await (const { path, type, xattrs } of readLayer(tar.stdout, {
      compression: 'none',
      limit: Number.MAX_SAFE_INTEGER,
    })) {
      const kept = [...(xattrs ?? [])]
        .filter(([name]) => KEPT.test(name))
        .map(([name, value]) => [name, Buffer.from(value)] as const);
      if (kept.length > 0) found.set(`${folder === '/' ? '' : folder}/${path}`, new Map(kept));
      // A file alone: its content need not pass.
      if (type === 'file' && path === basename(host)) break;
    }
  } catch {
    // No GNU tar, or names that no layer can hold: the walk over the same files says what is wrong with them.
  } finally {
    tar.kill();
  }
  await ended;
  return found;
}

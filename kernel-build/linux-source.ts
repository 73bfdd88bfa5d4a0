// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Digest, isDigest } from '../image-format/index.ts';
import { runCommand } from './command.ts';
import { KernelError } from './errors.ts';

/** Debian's package with the source of the kernel that the patch series is for; its point release moves. */
export const SOURCE_PACKAGE = 'linux-source-6.12';

const TARBALL = `/usr/src/${SOURCE_PACKAGE}.tar.xz`;

/** Where the source is: `$UK_LINUX_SOURCE`, else where Debian's package has it. Nothing if there is none. */
export async function sourceTarball(): Promise<string | undefined> {
  const path = process.env.UK_LINUX_SOURCE ?? TARBALL;
  return stat(path).then(
    (found) => (found.isFile() ? path : undefined),
    () => undefined,
  );
}

/**
 * Digest of the source. Reading 150 MB each time an image is built would be most of the time that takes, so what was
 * once computed is remembered for the file as it was: size, inode and both times, in nanoseconds.
 *
 * @param folder where it is remembered
 */
export async function sourceDigest(path: string, folder: string, signal?: AbortSignal): Promise<Digest> {
  const { size, ino, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const identity = [path, size, ino, mtimeNs, ctimeNs].join(' ');
  const memory = join(folder, 'source-digest.txt');
  const [known, digest] = (await readFile(memory, 'utf8').catch(() => '')).split('\n');
  if (known === identity && digest !== undefined && isDigest(digest)) return digest;

  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  const computed: Digest = `sha256:${hash.digest('hex')}`;
  // Only a memory: if it cannot be kept, the next one computes again.
  await writeFile(memory, `${identity}\n${computed}\n`).catch(() => undefined);
  return computed;
}

/** Half of the files, none of which an x86-64 guest's kernel is built from, whatever its fragments. */
const LEFT_OUT = [
  '*/arch/[!x]*/*.[chS]',
  '*/arch/[!x]*/*.dts*',
  '*/drivers/gpu/drm/*.[ch]',
  '*/drivers/media/*.[ch]',
  '*/drivers/net/wireless/*.[ch]',
  '*/sound/*.[ch]',
  '*/tools/testing/*',
  '*/tools/perf/*',
];

/**
 * Unpacks the source into a folder.
 *
 * @returns the point release, `6.12.117`
 * @throws KernelError `BUILD_FAILED`
 */
export async function unpackSource(tarball: string, folder: string, signal?: AbortSignal): Promise<string> {
  const leaveOut = LEFT_OUT.map((pattern) => `--exclude=${pattern}`);
  try {
    await runCommand('tar', ['-xf', tarball, '-C', folder, '--strip-components=1', '--no-same-owner', ...leaveOut], {
      signal,
    });
    return sourceVersion(await readFile(join(folder, 'Makefile'), 'utf8'));
  } catch (cause) {
    signal?.throwIfAborted();
    throw new KernelError('BUILD_FAILED', `the kernel's source cannot be unpacked: ${tarball}`, {
      cause,
      hint: `is the disk full? else reinstall ${SOURCE_PACKAGE}`,
    });
  }
}

/** The version in the first lines of the kernel's Makefile. */
export function sourceVersion(makefile: string): string {
  const value = (name: string) => new RegExp(`^${name} = *(\\S*)$`, 'm').exec(makefile)?.[1];
  const parts = [value('VERSION'), value('PATCHLEVEL'), value('SUBLEVEL')];
  if (parts.includes(undefined)) throw new Error('no version in the Makefile');
  return `${parts.join('.')}${value('EXTRAVERSION') ?? ''}`;
}
